"""What is remembered of long lists, in Redis, so that nobody counts the same twice. Without Redis all is counted."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection, transaction
from redis.exceptions import RedisError

LONGEST = 60
"""Seconds that something may take to find out before another caller tries as well."""
PAUSE = 0.1
Found = TypeVar("Found")
_log = logging.getLogger(__name__)


def recall(name: str) -> Any:
    """What is remembered; None for nothing, and where Redis is away."""
    try:
        return cache.get(name)
    except RedisError as error:
        _log.warning("redis is away, entries are counted: %s", type(error).__name__)
        return None


def remember(name: str, value: Any, seconds: int) -> None:
    """Keep `value`, JSON, for so long at most."""
    try:
        cache.set(name, value, seconds)
    except RedisError as error:
        _log.warning("redis is away, nothing is remembered: %s", type(error).__name__)


@contextmanager
def patiently() -> Iterator[None]:
    """Let PostgreSQL take as long over what is found out once as the other callers wait."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{LONGEST}s'")
        yield


def once(name: str, look: Callable[[], Found | None], make: Callable[[], Found]) -> Found:
    """What `look` finds, or else what `make` makes, which is dear: of many callers one makes it, the others wait."""
    until = time.monotonic() + LONGEST
    while (found := look()) is None:
        if _claim(f"{name}:busy") or time.monotonic() > until:
            try:
                if (found := look()) is not None:
                    return found
                with patiently():
                    return make()
            finally:
                _release(f"{name}:busy")
        time.sleep(PAUSE)
    return found


def _claim(name: str) -> bool:
    try:
        return bool(cache.add(name, 1, LONGEST))
    except RedisError:
        return True


def _release(name: str) -> None:
    try:
        cache.delete(name)
    except RedisError as error:
        _log.warning("redis is away, others wait: %s", type(error).__name__)
