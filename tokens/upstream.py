"""The registry behind us, spoken to with tokens of our own making."""

from __future__ import annotations

from functools import cache
from urllib.parse import urlsplit

from django.conf import settings

from registry.auth import Need, OwnTokens
from registry.client import Registry
from registry.http import session
from tokens.scopes import Scope
from tokens.signing import INTERNAL_LIFETIME, OURSELVES, mint

CONNECT_TIMEOUT = 2.0
READ_TIMEOUT = 8.0
"""Seconds of silence after which a request gives up: less than a client, or the edge, is willing to wait."""


@cache
def registry() -> Registry:
    """The client of the registry that settings name, one for the process. Safe to use from several threads."""
    host = urlsplit(settings.REGISTRY_URL).hostname or ""
    return Registry(
        settings.REGISTRY_URL,
        session(allow=[host], timeout=(CONNECT_TIMEOUT, READ_TIMEOUT)),
        OwnTokens(_mint),
    )


def _mint(needs: tuple[Need, ...]) -> str:
    """A token for one request; `tokens.signing.verify` refuses it, so it opens no door of ours."""
    access = [Scope(need.type, need.name, frozenset(need.actions)) for need in needs]
    return mint(OURSELVES, access, INTERNAL_LIFETIME)
