"""A form that is sent twice does its work once: each carries a random word, and the word leads to what came of it."""

from __future__ import annotations

import re
import secrets

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from redis.exceptions import RedisError

from accounts.actors import actor_of

REMEMBERED = 600
"""Seconds."""
FIELD = "once"
_WORD = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


def fresh() -> str:
    """A new word for a form."""
    return secrets.token_urlsafe(12)


def outcome(request: HttpRequest) -> str | None:
    """The address that an earlier sending of the same form led to; None if this is the first, or Redis is away."""
    key = _key(request)
    try:
        found = cache.get(key) if key else None
    except RedisError:
        return None
    return found if isinstance(found, str) and is_ours(found) else None


def is_ours(url: str) -> bool:
    """Whether `url` is a path of this site: whoever can write to Redis must not send people elsewhere."""
    return url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)


def remember(request: HttpRequest, url: str) -> None:
    """The form has done its work; sent again, it leads to `url`."""
    key = _key(request)
    try:
        if key:
            cache.set(key, url, REMEMBERED)
    except RedisError:
        pass  # A second sending then meets the row that the first made, and says so.


def _key(request: HttpRequest) -> str | None:
    word = request.POST.get(FIELD, "")
    return f"once:{actor_of(request).name}:{word}" if _WORD.fullmatch(word) else None
