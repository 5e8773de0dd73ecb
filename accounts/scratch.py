"""Short-lived facts that the workers share: in Redis, or in this process while Redis is away.

What stands here may be forgotten at any time, and nothing here is trusted without a key: see `digests`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import redis
from django.core.cache import BaseCache, caches
from django.core.cache.backends.locmem import LocMemCache

from accounts import recent

Answer = TypeVar("Answer")

PAUSE = 5.0
"""Seconds for which Redis is left alone after it failed, so that each request does not wait for it anew."""

_own = LocMemCache("accounts.scratch", {"MAX_ENTRIES": 10_000})
_away_until = 0.0


def read(keys: Iterable[str]) -> dict[str, Any]:
    """What is known under these keys, in one round trip."""
    wanted = list(keys)
    return _ask(lambda cache: cache.get_many(wanted))


def write(key: str, value: int | float, seconds: float) -> None:
    """Know `value` for so long."""
    _ask(lambda cache: cache.set(key, value, seconds))


def count(key: str, seconds: float) -> int:
    """One more; the count so far. It starts again after `seconds` without one."""

    def add(cache: BaseCache) -> int:
        cache.add(key, 0, seconds)
        try:
            number: int = cache.incr(key)
        except ValueError:  # it ended between the two lines
            cache.set(key, 1, seconds)
            number = 1
        cache.touch(key, seconds)
        return number

    return _ask(add)


def forget(keys: Iterable[str]) -> None:
    """Know nothing of these any more."""
    unwanted = list(keys)
    _ask(lambda cache: cache.delete_many(unwanted))


def reset() -> None:
    """Know nothing of what this process kept, and ask Redis again."""
    global _away_until
    _away_until = 0.0
    _own.clear()
    recent.forget()


def _ask(question: Callable[[BaseCache], Answer]) -> Answer:
    global _away_until
    if time.monotonic() >= _away_until:
        try:
            return question(caches["default"])
        except redis.RedisError:
            _away_until = time.monotonic() + PAUSE
    return question(_own)
