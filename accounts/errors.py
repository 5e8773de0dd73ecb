"""What an action may answer instead of doing its work. Each edge turns these into its own form, in one place."""

from __future__ import annotations


class DomainError(Exception):
    """A refusal that the caller may read: `code` is Harbor's word for it, `message` a sentence without secrets."""

    code = "UNKNOWN"
    default_message = "unknown error"

    def __init__(self, message: str = "") -> None:
        self.message = message or self.default_message
        super().__init__(self.message)


class BadRequest(DomainError, ValueError):
    """What was asked makes no sense; `field` names the culprit where there is one."""

    code = "BAD_REQUEST"
    default_message = "bad request"

    def __init__(self, message: str = "", field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Unauthenticated(DomainError):
    """Nobody signed in, and somebody would have to."""

    code = "UNAUTHORIZED"
    default_message = "unauthorized"


class Forbidden(DomainError):
    """The actor may not do this."""

    code = "FORBIDDEN"
    default_message = "forbidden"


class Denied(Forbidden):
    """A rule stands in the way, whoever asks: a quota, the read-only mode, an object that may not change."""

    code = "DENIED"
    default_message = "denied"


class NotFound(DomainError):
    """It does not exist, or not for this actor."""

    code = "NOT_FOUND"
    default_message = "resource not found"


class Conflict(DomainError):
    """It exists already, or somebody else was faster."""

    code = "CONFLICT"
    default_message = "resource conflict"


class PreconditionFailed(DomainError):
    """Something has to happen first, such as emptying a project before it is deleted."""

    code = "PRECONDITION"
    default_message = "precondition failed"


class Unavailable(DomainError):
    """A server that people sign in with cannot be asked now."""

    code = "SERVICE_UNAVAILABLE"
    default_message = "the server that people sign in with does not answer"
    temporary = True


class Locked(DomainError):
    """Too many attempts; the next one is heard after `retry_after` seconds (at least 1)."""

    code = "TOO_MANY_REQUEST"
    default_message = "too many attempts, try again later"

    def __init__(self, retry_after: float, message: str = "") -> None:
        super().__init__(message)
        self.retry_after = max(1, round(retry_after))
