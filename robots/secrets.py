"""Robots' secrets: random, and kept as a keyed SHA-256, which microseconds check."""

from __future__ import annotations

import secrets
import string

from accounts.digests import keyed, matches
from accounts.passwords import check_rules

_ALPHABET = string.ascii_letters + string.digits
PURPOSE = "robot secret"
LENGTH = 32


def new_secret() -> str:
    """32 random letters and digits, at least one of each sort."""
    while True:
        secret = "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))
        if any(map(str.isupper, secret)) and any(map(str.islower, secret)) and any(map(str.isdigit, secret)):
            return secret


def check_given(secret: str) -> None:
    """Return if a person may choose this secret: the rules are those of passwords."""
    check_rules(secret, "secret")


def digest(secret: str) -> str:
    """What is kept of `secret`."""
    return keyed(PURPOSE, secret)


def is_right(secret: str, kept: str) -> bool:
    """Whether `kept` is what is kept of `secret`; in constant time."""
    return matches(kept, PURPOSE, secret)
