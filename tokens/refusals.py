"""How the realm says no: one body that registry clients and OAuth2 clients both can read."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse, JsonResponse

CODES = {401: "UNAUTHORIZED", 405: "UNSUPPORTED", 413: "SIZE_INVALID", 429: "TOOMANYREQUESTS", 503: "UNAVAILABLE"}
"""The OCI error codes of the statuses; DENIED is what is left for a request that makes no sense."""


class Refused(Exception):
    """A request that gets no token: HTTP status, OAuth2 error word (RFC 6749, 5.2), a sentence, headers."""

    def __init__(self, status: int, word: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.word = word
        self.message = message
        self.headers = dict(headers or {})


def refuse(refused: Refused) -> HttpResponse:
    """The refusal as an answer."""
    error = {"code": CODES.get(refused.status, "DENIED"), "message": refused.message, "detail": None}
    body = {"errors": [error], "error": refused.word, "error_description": refused.message}
    return JsonResponse(body, status=refused.status, headers={"Cache-Control": "no-store", **refused.headers})
