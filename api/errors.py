"""Harbor's errors: `{"errors": [{"code", "message"}]}`. The one place where a failure becomes an answer of the API."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpResponse
from rest_framework import exceptions

from accounts.errors import Denied, DomainError, Forbidden, Locked, NotFound
from audit.memory import Busy

log = logging.getLogger(__name__)


class Invalid(Exception):
    """A request that does not fit its operation's declaration; 422. `lines` are go-openapi's sentences."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class Forged(Forbidden):
    """A change asked with a session, but without the token that a page of ours would have sent."""

    default_message = "CSRF token not found in request, or not the one that was given"


class ReadOnly(Denied):
    """A change asked while the system is read-only."""

    default_message = "The system is in read only mode. Any modification is prohibited."


class MethodNotAllowed(DomainError):
    """`allowed` are the methods there are: Harbor leaves them out, RFC 9110 wants them told."""

    code = "METHOD_NOT_ALLOWED"
    default_message = "method not allowed"

    def __init__(self, message: str = "", allowed: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.allowed = sorted(allowed)


class TooLarge(DomainError):
    code = "REQUEST_ENTITY_TOO_LARGE"
    default_message = "the request body is too large"


STATUS = {
    "BAD_REQUEST": 400,
    "UNAUTHORIZED": 401,
    "FORBIDDEN": 403,
    "DENIED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "CONFLICT": 409,
    "PRECONDITION": 412,
    "VIOLATE_FOREIGN_KEY_CONSTRAINT": 412,
    "PROJECTPOLICYVIOLATION": 412,
    "REQUEST_ENTITY_TOO_LARGE": 413,
    "TOO_MANY_REQUEST": 429,
    "SERVICE_UNAVAILABLE": 503,
}
"""Harbor's status for each of its codes."""


def refusal(status: int, code: str = "UNKNOWN", message: str = "") -> HttpResponse:
    """An answer in Harbor's form. A status of 500 and above says nothing of its cause."""
    if status >= 500:
        code, message = "UNKNOWN", "internal server error"
    body = json.dumps({"errors": [{"code": code, "message": message}]}, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(body + "\n", status=status, content_type="application/json; charset=utf-8")


def invalid(*lines: str) -> HttpResponse:
    """422 with go-openapi's composite message."""
    return refusal(422, "UNPROCESSABLE_ENTITY", "\n".join(["validation failure list:", *lines]))


def answer(error: Exception) -> HttpResponse:
    """What `error` looks like to a client. The log has the cause of what nobody foresaw."""
    match error:
        case Invalid():
            return invalid(*error.lines)
        case Locked():
            response = refusal(429, error.code, error.message)
            response["Retry-After"] = str(error.retry_after)
            return response
        case Busy():
            response = refusal(503)
            response["Retry-After"] = str(error.retry_after)
            return response
        case MethodNotAllowed():
            response = refusal(405, error.code, error.message)
            response["Allow"] = ", ".join(error.allowed)
            return response
        case DomainError() if error.code in STATUS:
            return refusal(STATUS[error.code], error.code, error.message)
        case RequestDataTooBig():
            return answer(TooLarge())
        case SuspiciousOperation():
            return refusal(400, "BAD_REQUEST", "the request has too many parameters, or one that makes no sense")
        case exceptions.UnsupportedMediaType():
            return invalid("unsupported media type, only [application/json] are allowed")
        case exceptions.APIException() if error.status_code < 500:  # a body, a media type, an Accept header
            return invalid(str(error.detail))
    log.error("unforeseen %s", type(error).__name__, exc_info=error)
    return refusal(503 if getattr(error, "temporary", False) else 500)


def unknown_path(path: str) -> HttpResponse:
    """404 for a path that is no operation."""
    return answer(NotFound(f"path {path} was not found"))
