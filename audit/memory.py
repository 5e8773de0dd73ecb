"""What is remembered of long lists, in Redis, so that nobody counts the same twice. Without Redis all is counted."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import OperationalError, connection, transaction
from redis.exceptions import RedisError

SLOTS = {"total": 10_000, "days": 500, "users": 500, "marks": 500, "groups": 30}
"""How many of each kind are remembered at most: the next takes another's place, so that Redis never fills."""
LONGEST = 60
"""Seconds that PostgreSQL may take over what is found out once."""
SHORT = 2
"""Seconds after which it is long: no more than `PLACES` at a time may be that, so that the rest of web goes on."""
PLACES = 2
PAUSE = 0.1
"""Seconds between two looks at what another caller finds out."""
Found = TypeVar("Found")
_log = logging.getLogger(__name__)


class Busy(Exception):
    """What was asked is still being found out, or waits for others that are: to be asked again in a while."""

    retry_after = 5
    """Seconds."""


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
    """What `look` finds, or else what `make` makes, which is dear: of many callers one makes it, the others wait.

    Raises `Busy` where they would wait for longer than `settings.AUDIT_PATIENCE`.
    """
    until = time.monotonic() + settings.AUDIT_PATIENCE
    while (found := look()) is None:
        if _claim(claim := f"audit.busy:{name}"):
            try:
                return _made(make) if (found := look()) is None else found
            finally:
                _release(claim)
        if time.monotonic() > until:
            raise Busy
        time.sleep(PAUSE)
    return found


def _made(make: Callable[[], Found]) -> Found:
    """What `make` makes: at once, or, where it takes long, in one of the few places for that."""
    with suppress(OperationalError), planned(f"statement_timeout = '{SHORT}s'"):
        return make()
    place = next(filter(_claim, (f"audit.long:{number}" for number in range(PLACES))), None)
    if place is None:
        raise Busy
    try:
        with planned(f"statement_timeout = '{LONGEST}s'"):
            return make()
    finally:
        _release(place)


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
