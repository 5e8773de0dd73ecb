"""What every operation has in common: who is asking, what may be asked at all, and how a failure is told."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.actors import Actor, actor_of
from accounts.permissions import require_authenticated
from api import errors, parameters
from api.json import MAX_BODY, Json, JsonOnly, StrictJson
from api.operations import NUMBERS
from api.paths import raw_path
from configuration import values
from projects import permissions
from projects.models import Project

SAFE = ("GET", "HEAD", "OPTIONS")


class Check(CsrfViewMiddleware):
    """Django's own check, answering with its reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason

    def _check_referer(self, request: HttpRequest) -> None:
        """A program names no page it comes from; no foreign page can have a browser send the token in our header."""
        if "HTTP_REFERER" in request.META or settings.CSRF_HEADER_NAME not in request.META:
            super()._check_referer(request)  # type: ignore[misc]


def refuse_forgery(request: HttpRequest) -> None:
    """Raise Forged unless `request` carries the token that goes with its session."""
    check = Check(lambda request: HttpResponse())
    check.process_request(request)
    if check.process_view(request, lambda request: HttpResponse(), (), {}):
        raise errors.Forged


class Endpoint(APIView):
    """An operation, or the operations of one path, of Harbor's API."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (StrictJson,)
    renderer_classes = (Json,)
    content_negotiation_class = JsonOnly
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    answers_json = True
    """False for the few that answer plain text or a file, whatever `Accept` says."""
    heeds_read_only = True
    """False for the few writes that must work while everything else is read-only."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        for name in NUMBERS & kwargs.keys():
            parameters.integer(kwargs[name], name)
        if declared := getattr(self.handler_of(request), "operation", None):
            parameters.check(request._request, declared.query)
        if request.method in SAFE:
            return
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            raise errors.TooLarge
        if self.needs_token(request):
            refuse_forgery(request._request)
        if self.heeds_read_only and values.get("read_only"):
            raise errors.ReadOnly

    def needs_token(self, request: Request) -> bool:
        """Whether a change has to bring the token that a page was given: with a session, be it an old one."""
        return settings.SESSION_COOKIE_NAME in request.COOKIES

    def handler_of(self, request: Request) -> Any:
        """The method that answers `request`; None if there is none."""
        return getattr(self, (request.method or "").lower(), None)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        return super().perform_content_negotiation(request, force or not self.answers_json)

    def perform_authentication(self, request: Request) -> None:
        """Nothing: `request.actor` is found by our own middleware, when first asked for."""

    def handle_exception(self, exc: Exception) -> HttpResponse:  # type: ignore[override]
        return errors.answer(exc)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Response:
        raise errors.MethodNotAllowed(f"method {request.method} is not allowed", self.allowed_methods)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {}

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response["Cache-Control"] = "no-store"
        if request.method in SAFE or self.needs_token(request):
            response["X-Harbor-CSRF-Token"] = get_token(request._request)
        return super().finalize_response(request, response, *args, **kwargs)


def authenticated(request: Request) -> Actor:
    """Who is asking; Unauthenticated for nobody."""
    actor = actor_of(request)
    require_authenticated(actor)
    return actor


def project_of(request: Request, name_or_id: str, resource: str, action: str, *, by_name: bool = False) -> Project:
    """The project that a path names, for an actor who may do this in it.

    Where a path takes either, a number is an id, unless `X-Is-Resource-Name` says that it is a name.
    """
    actor = actor_of(request)
    if not by_name and not parameters.header_flag(request, "X-Is-Resource-Name"):
        with suppress(errors.Invalid):
            pk = parameters.integer(name_or_id, "project_name_or_id")
            return permissions.find(actor, resource, action, pk=pk)
    return permissions.find(actor, resource, action, name=name_or_id)


def created(request: Request, key: object, body: Any = None) -> Response:
    """201 with the `Location` of what was made: this path, and `key`."""
    return Response(body, status=201, headers={"Location": f"{raw_path(request._request).rstrip('/')}/{key}"})


def done() -> Response:
    """200 with nothing to say."""
    return Response(status=200)
