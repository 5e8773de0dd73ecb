"""The registry behind us, spoken to with tokens of our own making."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from registry.auth import Need, OwnTokens
from registry.client import Registry
from registry.errors import Unauthorized
from registry.http import session_to
from tokens.keys import Key
from tokens.scopes import Scope
from tokens.signing import INTERNAL_LIFETIME, OURSELVES, mint

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 8.0
"""Seconds of silence after which a request gives up: less than a client, or the edge, is willing to wait."""


def registry() -> Registry:
    """The client of the registry that settings name, one for the process. Safe to use from several threads."""
    return _registry(settings.REGISTRY_URL)


@lru_cache(maxsize=4)
def _registry(url: str) -> Registry:
    return _client(url, OwnTokens(own_token))


def _client(url: str, auth: OwnTokens) -> Registry:
    return Registry(url, session_to(url, timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)), auth)


def own_token(needs: tuple[Need, ...], key: Key | None = None) -> str:
    """A token for one request; `tokens.signing.verify` refuses it, so it opens no door of ours."""
    access = [Scope(need.type, need.name, frozenset(need.actions)) for need in needs]
    return mint(OURSELVES, access, INTERNAL_LIFETIME, key=key)


def accepts(key: Key) -> bool:
    """Whether the registry takes tokens signed with `key`; it reads its keys when it starts. Raises Unavailable."""
    try:
        _client(settings.REGISTRY_URL, OwnTokens(lambda needs: own_token(needs, key))).ping()
    except Unauthorized:
        return False
    return True
