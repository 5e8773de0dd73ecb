"""A form that is sent twice does its work once: each carries a random word, and the word leads to what came of it."""

from __future__ import annotations

import re
import secrets
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from redis.exceptions import RedisError

from accounts.actors import actor_of
from accounts.errors import Conflict

REMEMBERED = 600
"""Seconds."""
PAUSE = 0.05
CLAIMED = 120
"""Seconds after which a process that died at work stands in nobody's way."""
FIELD = "once"
_WORD = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


def fresh() -> str:
    """A new word for a form."""
    return secrets.token_urlsafe(12)


def outcome(request: HttpRequest) -> str | None:
    """The address that an earlier sending of the same form led to; None if this is the first, or Redis is away.

    Waits for an earlier one that is still at work. Raises `Conflict` where that takes longer than
    `settings.FORM_PATIENCE`.
    """
    key = _key(request)
    until = time.monotonic() + settings.FORM_PATIENCE
    try:
        while key:
            found = cache.get(key)
            if isinstance(found, str) and is_ours(found):
                return found
            if _claim(request, key):
                found = cache.get(key)  # the earlier one may have ended since
                return found if isinstance(found, str) and is_ours(found) else None
            if time.monotonic() > until:
                raise Conflict("what was sent is being worked on")
            time.sleep(PAUSE)
    except RedisError:
        pass
    return None


def _claim(request: HttpRequest, key: str) -> bool:
    """Whether this request does what the form asks: it was the first, or is already at it."""
    if getattr(request, "once_claim", None) == key or cache.add(f"{key}:busy", 1, CLAIMED):
        request.once_claim = key  # type: ignore[attr-defined]  # until `release`
        return True
    return False


def release(request: HttpRequest) -> None:
    """The request has been answered: who waits for what it does need wait no longer."""
    key = getattr(request, "once_claim", None)
    try:
        if key:
            cache.delete_many([f"{key}:busy"])
    except RedisError:
        pass  # It goes by itself.


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
