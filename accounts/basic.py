"""A name and a secret, as docker and every API client send them: who is that?"""

from __future__ import annotations

import base64
import binascii
import unicodedata
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from accounts import failures, recent
from accounts.actors import Actor
from accounts.attempts import Attempt
from accounts.backends import Backend
from accounts.digests import keyed
from accounts.rules import is_one_line

LONGEST_NAME = 512


def parse_basic(header: str) -> tuple[str, str] | None:
    """Name and secret of an `Authorization: Basic` header (RFC 7617, UTF-8); None for any other header."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, secret) if colon else None


def authenticate(
    username: str, secret: str, address: str, wrong: Callable[[str, str, int], None] = failures.note_wrong_basic
) -> Actor | None:
    """Who has this name (or e-mail address) and secret, asking every backend of the settings; None for nobody.

    `address` is the client's. Raises `Locked` after too many wrong attempts, while that lasts for a right secret too.
    `wrong` is told who failed where and how often, and writes it down as it sees fit.
    """
    name = _one_spelling(username)
    if not name or not secret or len(name) > LONGEST_NAME or not is_one_line(name):
        return None
    same = _key(name, secret, address)
    attempt = Attempt(name.lower(), address, trusted=recent.knows(same))
    for backend in _backends(tuple(settings.AUTHENTICATION_BACKENDS)):
        actor = backend.actor_for(name, secret, attempt)
        if actor is not None:
            if not attempt.trusted:
                attempt.succeeded()
                recent.remember(same, actor)
            return actor
    wrong(name, address, attempt.failed())
    return None


def recognise(username: str, secret: str, address: str) -> Actor | None:
    """Who brought the very same in the last seconds, as they were then, without asking anybody.

    Believe it only where a row of that id and `auth_epoch` is looked at next; else use `authenticate`.
    """
    return recent.actor_of(_key(_one_spelling(username), secret, address))


def _one_spelling(username: str) -> str:
    """The name as all of its spellings are counted: a directory takes blanks around one for nothing."""
    return unicodedata.normalize("NFKC", username).strip(" ")


def _key(name: str, secret: str, address: str) -> str:
    return keyed("recently right", name.lower(), secret, address)


@cache
def _backends(paths: tuple[str, ...]) -> list[Backend]:
    return [import_string(path)() for path in paths]
