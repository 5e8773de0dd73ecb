"""How many entries a list has, without counting millions of them each time.

Entries are only ever added, but for a purge. So the count of those up to a settled id, below which none can appear any
more, stays true until the next purge and is remembered; those after it are counted each time. The sum is exact.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Any

from django.core.cache import cache as cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Max
from redis.exceptions import RedisError

from audit.models import Entry, EntryQuerySet, Purged

KEPT = 7 * 24 * 3600
"""Seconds for which a total is remembered after it was last moved on."""
TAIL = 5_000
"""Entries after the settled id that are counted again and again; then the remembered total moves on."""
PATIENCE = 10.0
"""Seconds between a look at the newest id and its being settled, beside all transactions of then having ended."""
HORIZON = "audit.horizon"
_log = logging.getLogger(__name__)


def total(rows: EntryQuerySet) -> int:
    """How many `rows` there are."""
    try:
        key = _key(rows)  # before counting: what is purged meanwhile must not be remembered under the later key
    except EmptyResultSet:  # of no project at all, for one
        return 0
    try:
        remembered: list[int] | None = cache.get(key)
        last, number = remembered or (0, 0)
        tail = rows.filter(pk__gt=last).count()
        if (remembered is None or tail > TAIL) and (settled := settled_id()) > last:
            before = rows.filter(pk__gt=last, pk__lte=settled).count()
            cache.set(key, [settled, number + before], KEPT)
    except RedisError as error:
        _log.warning("redis is away, all entries are counted: %s", type(error).__name__)
        return rows.count()
    return number + tail


def forget() -> None:
    """Let no remembered total be used again: entries are being deleted, in the caller's transaction."""
    if not Purged.objects.update(times=F("times") + 1):
        Purged.objects.get_or_create(pk=1, defaults={"times": 1})


def _key(rows: EntryQuerySet) -> str:
    """What `rows` asks, and how often was purged until now."""
    times = Purged.objects.values_list("times", flat=True).first() or 0
    statement, parameters = rows.order_by().values("pk").query.sql_with_params()
    return f"audit.total:{times}:{hashlib.sha256(repr((statement, parameters)).encode()).hexdigest()}"


def settled_id() -> int:
    """An id up to which every entry that will ever be is there; 0 where none is known yet.

    PostgreSQL hands ids out before their transactions commit. Once all transactions that were open when an id was the
    newest have ended, nothing can appear below it. SQLite has one writer, whose ids come in order.
    """
    newest = Entry.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if connection.vendor != "postgresql":
        return int(newest)
    with connection.cursor() as cursor:
        snapshot = "pg_snapshot_{}(pg_current_snapshot())::text::bigint"
        cursor.execute(f"SELECT {snapshot.format('xmin')}, {snapshot.format('xmax')}")
        oldest_open, next_one = cursor.fetchone()
    held: dict[str, Any] = cache.get(HORIZON) or {"settled": 0, "newest": newest, "open": next_one, "at": time.time()}
    if oldest_open >= held["open"] and time.time() - held["at"] > PATIENCE:
        held = {"settled": held["newest"], "newest": newest, "open": next_one, "at": time.time()}
    cache.set(HORIZON, held, KEPT)
    return int(held["settled"])
