"""Errors of a registry, in sentences that say which side it was and what to do about it."""

from __future__ import annotations

import copy
from typing import TypeVar

from registry.errors import (
    Blocked,
    Denied,
    RegistryError,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Untrusted,
)

SOURCE = "the source"
TARGET = "the target"

ADVICE: dict[type[RegistryError], str] = {
    Unauthorized: "check the endpoint's user name and password, and what they may do there",
    Denied: "the endpoint's account may not do this there",
    Blocked: "an administrator can put a private host or network on the list of those that may be called",
    TooLarge: "its limits, or a quota, do not allow it",
    TooManyRequests: "it limits how often it may be asked",
    Untrusted: "give the endpoint the authority that signed it, or let it not be verified",
}
_E = TypeVar("_E", bound=RegistryError)


def explain(error: _E, side: str, what: str) -> _E:
    """The same error, its message a sentence: `the target, storing blob sha256:...: ...`."""
    if getattr(error, "explained", False):
        return error
    told = copy.copy(error)
    told.message = f"{side}, {what}: {error.message}"
    if advice := ADVICE.get(type(error)):
        told.message += f" ({advice})"
    told.args = (told.message,)
    told.explained = True  # type: ignore[attr-defined]
    return told
