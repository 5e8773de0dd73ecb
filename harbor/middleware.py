"""What every request passes. Machines (`/v2`, the token realm) pass one layer; pages and the API pass the rest.

Each class below the first is Django's or a library's own, stepped over on machine paths: a pull needs no session, no
language, no form token, and pays for none.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.locale import LocaleMiddleware
from django_htmx.middleware import HtmxMiddleware
from whitenoise.middleware import WhiteNoiseMiddleware

MACHINES = ("/v2", "/service/token")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
_HTML = "text/html"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": settings.CONTENT_SECURITY_POLICY,
}
RENEWAL = 60
"""Seconds between two renewals of a session: a page that loads ten parts writes once."""


def is_machine(path: str) -> bool:
    """Whether `path` belongs to clients that have neither session nor language."""
    return path.startswith(MACHINES)


class Request:
    """Gives the request its id and its client's address, the response its id, length and protective headers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())
        # The edge alone sets X-Real-IP, and always; behind it the peer is the edge itself.
        if address := request.META.get("HTTP_X_REAL_IP"):
            request.META["REMOTE_ADDR"] = address
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()
        headers = response.headers
        headers["X-Request-Id"] = request_id
        headers.setdefault("X-Content-Type-Options", "nosniff")
        is_page = headers.get("Content-Type", "").startswith(_HTML)
        if isinstance(response, HttpResponse):
            headers.setdefault("Content-Length", str(len(response.content)))
            if is_page and not response.content:
                # Nothing is no page; and where the edge asks the registry next, it would show our type.
                del headers["Content-Type"]
        if is_page:
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        if settings.SECURE:
            headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response


class _ForPeople:
    """Steps aside on machine paths. Put before the middleware it spares."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path_info.startswith(MACHINES):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class Static(_ForPeople, WhiteNoiseMiddleware):  # type: ignore[misc]  # untyped
    """Files below /static/."""


class Session(_ForPeople, SessionMiddleware):
    """Sessions that end `session_timeout` minutes after the last thing somebody did, not after the last poll."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> Any:
        session = getattr(request, "session", None)
        if session is not None and not session.is_empty() and self._renews(request):
            now = int(time.time())
            if session.modified or now - session.get("seen", 0) >= RENEWAL:
                session["seen"] = now
                from configuration import values

                session.set_expiry(int(values.get("session_timeout")) * 60)
        return super().process_response(request, response)  # type: ignore[arg-type]

    @staticmethod
    def _renews(request: HttpRequest) -> bool:
        return "HTTP_X_HARBOR_NO_SESSION_RENEWAL" not in request.META


class Locale(_ForPeople, LocaleMiddleware):
    """The reader's language."""


class Csrf(_ForPeople, CsrfViewMiddleware):
    """Forms and session calls prove that they come from our own pages."""

    def process_view(self, request: HttpRequest, *view: Any) -> Any:
        return None if is_machine(request.path_info) else super().process_view(request, *view)


class Authentication(_ForPeople, AuthenticationMiddleware):
    """`request.user`, from the session."""


class Messages(_ForPeople, MessageMiddleware):
    """What the next page tells the reader."""


class Htmx(_ForPeople, HtmxMiddleware):
    """`request.htmx`."""
