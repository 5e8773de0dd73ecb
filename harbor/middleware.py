"""What every request passes. Machines (`/v2`, the token realm) pass one layer; pages and the API pass the rest.

A pull needs no session, no language, no form token, and pays for none: `Request` hands it to its view.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import resolve

MACHINES = re.compile(r"/v2(?:/|\Z)|/service/token\Z")
"""The paths of clients that have neither session nor language."""
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


class Request:
    """Gives the request its id and its client's address, the response its id, length and protective headers.

    A machine's request goes to its view from here, past all other middleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.machine: Callable[[HttpRequest], Any] = convert_exception_to_response(_machine)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.META.get("HTTP_X_REQUEST_ID", "")
        request_id = asked if _REQUEST_ID.fullmatch(asked) else str(uuid.uuid4())
        # The edge alone sets X-Real-IP, and always; behind it the peer is the edge itself.
        if address := request.META.get("HTTP_X_REAL_IP"):
            request.META["REMOTE_ADDR"] = address
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            is_machine = MACHINES.match(request.path_info)
            response: HttpResponseBase = self.machine(request) if is_machine else self.get_response(request)
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


def _machine(request: HttpRequest) -> Any:
    return resolve(request.path_info).func(request)


class Session(SessionMiddleware):
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
