"""What is remembered of long lists, in Redis, so that nobody counts the same twice. Without Redis all is counted."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.cache import cache
from django.db import connection, transaction
from redis.exceptions import RedisError

SLOTS = {"total": 10_000, "days": 500, "users": 500, "marks": 500, "groups": 30}
"""How many of each kind are remembered at most: the next takes another's place, so that Redis never fills."""
LONGEST = 60
"""Seconds that something may take to find out before another caller tries as well."""
PAUSE = 0.1
Found = TypeVar("Found")
_log = logging.getLogger(__name__)


def recall(kind: str, name: str) -> Any:
    """What is remembered; None for nothing, and where Redis is away."""
    try:
        held = cache.get(_slot(kind, name))
    except RedisError as error:
        _log.warning("redis is away, entries are counted: %s", type(error).__name__)
        return None
    return held.get("value") if isinstance(held, dict) and held.get("name") == name else None


def remember(kind: str, name: str, value: Any, seconds: int) -> None:
    """Keep `value`, JSON, for so long at most, and until something else takes its place."""
    try:
        cache.set(_slot(kind, name), {"name": name, "value": value}, seconds)
    except RedisError as error:
        _log.warning("redis is away, nothing is remembered: %s", type(error).__name__)


def _slot(kind: str, name: str) -> str:
    return f"audit.{kind}:{int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) % SLOTS[kind]}"


@contextmanager
def patiently() -> Iterator[None]:
    """Let PostgreSQL take as long over what is found out once as the other callers wait."""
    with planned(f"statement_timeout = '{LONGEST}s'"):
        yield


@contextmanager
def planned(*settings: str) -> Iterator[None]:
    """PostgreSQL with these settings, for the queries within; any other database as it is."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("; ".join(f"SET LOCAL {setting}" for setting in settings))
        yield


def once(name: str, look: Callable[[], Found | None], make: Callable[[], Found]) -> Found:
    """What `look` finds, or else what `make` makes, which is dear: of many callers one makes it, the others wait."""
    until = time.monotonic() + LONGEST
    while (found := look()) is None:
        if _claim(f"audit.busy:{name}") or time.monotonic() > until:
            try:
                if (found := look()) is not None:
                    return found
                with patiently():
                    return make()
            finally:
                _release(f"audit.busy:{name}")
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
