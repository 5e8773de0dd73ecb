"""How the v2 protocol says no: one JSON form, whoever raised it (OCI distribution-spec, "Error Codes")."""

from __future__ import annotations

import logging

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse

from accounts import errors as domain
from gateway.paths import Address, Kind
from registry.errors import (
    Denied,
    ManifestInvalid,
    RegistryError,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)

VERSION = "Docker-Distribution-Api-Version"
RETRY_AFTER = 5
"""Seconds until a client may ask again what we could not answer."""
_log = logging.getLogger(__name__)


class NotFound(RegistryError):
    code, status, message = "NOT_FOUND", 404, "not found"


class PreconditionFailed(RegistryError):
    code, status, message = "PRECONDITION", 412, "precondition failed"


class Malformed(RegistryError):
    code, status, message = "UNSUPPORTED", 400, "the request is malformed"


class Conflict(RegistryError):
    code, status, message = "CONFLICT", 409, "conflict"


DOMAIN: tuple[tuple[type[domain.DomainError], type[RegistryError]], ...] = (
    (domain.NotFound, NotFound),
    (domain.Conflict, Conflict),
    (domain.Unauthenticated, Unauthorized),
    (domain.Forbidden, Denied),
    (domain.PreconditionFailed, PreconditionFailed),
    (domain.BadRequest, ManifestInvalid),
    (domain.Unavailable, Unavailable),
)
"""The protocol's word for each domain error; the first that fits."""


def answer_to(error: Exception, address: Address | None, method: str, source: str = "") -> HttpResponse:
    """The answer that `error` stands for; 500 without a word about the cause for one that nobody foresaw.

    `source` is the repository that a mount would take a blob from: a token for it is asked for as well.
    """
    refusal = translate(error)
    if refusal is None:
        _log.exception("a request to the registry failed", exc_info=error)
        refusal = RegistryError("internal error")
    if type(refusal) is Unavailable and refusal.detail:
        # What the registry says when its storage fails names the files it keeps.
        _log.error("the registry failed: %s %s", refusal.message, refusal.detail)
        refusal = Unavailable("the registry failed, its storage may be full: ask the administrator, try again later")
    body = {"errors": [{"code": refusal.code, "message": refusal.message, "detail": refusal.detail}]}
    response = JsonResponse(body, status=refusal.status)
    if isinstance(refusal, Unauthorized):
        response["WWW-Authenticate"] = challenge(address, method, refusal, source)
    if refusal.retry_after or refusal.status in (429, 503, 504):
        response["Retry-After"] = str(refusal.retry_after or RETRY_AFTER)
    return response


def translate(error: Exception) -> RegistryError | None:
    """`error` in the words of the protocol; None for what is a mistake of ours."""
    if isinstance(error, RegistryError):
        return error
    if isinstance(error, domain.Locked):
        return TooManyRequests(error.message, retry_after=error.retry_after)
    for kind, refusal in DOMAIN:
        if isinstance(error, kind):
            return refusal(error.message)
    if isinstance(error, OperationalError | InterfaceError):
        _log.error("the database is away: %s", type(error).__name__)
        return Unavailable("the database is not available")
    if isinstance(error, SuspiciousOperation):
        return Malformed()
    return None


class InsufficientScope(Unauthorized):
    """The token is good, but was not asked for this."""

    message = "the token does not carry this: ask for another"


class InvalidToken(Unauthorized):
    """The token is none of ours, or no longer good."""

    message = "the token is no longer valid"


def challenge(address: Address | None, method: str, error: RegistryError, source: str = "") -> str:
    """Where to get a token, and what to ask for (RFC 6750, and Docker's token specification)."""
    parts = [f'Bearer realm="{settings.TOKEN_REALM}"', f'service="{settings.TOKEN_SERVICE}"']
    if address is not None and (scope := _scope(address, method)):
        parts.append(f'scope="{scope} repository:{source}:pull"' if source else f'scope="{scope}"')
    if isinstance(error, InsufficientScope):
        parts.append('error="insufficient_scope"')
    elif isinstance(error, InvalidToken):
        parts.append('error="invalid_token"')
    return ",".join(parts)


def _scope(address: Address, method: str) -> str:
    if address.kind is Kind.CATALOG:
        return "registry:catalog:*"
    if not address.repository:
        return ""
    if address.kind is Kind.UPLOAD:
        actions = "pull,push"  # to see how far it is, and to give it up, as well
    elif method in ("GET", "HEAD"):
        actions = "pull"
    else:
        actions = "delete" if method == "DELETE" else "pull,push"
    return f"repository:{address.repository}:{actions}"
