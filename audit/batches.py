"""Moving counted pulls from Redis to the database in batches, so that none is lost and none counts twice.

The list is renamed, so that it does not change any more; its records go to the database, each under its unique id,
in the transaction that raises the counters; only after the commit is the list deleted. Whoever dies on the way, at any
step, leaves a list that the next flush finishes first, and the ids tell what had been counted. Two flushes may work
on one list at once.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import redis
from django.db import connection, transaction
from django.utils import timezone

from audit import pulls
from audit.models import Pull
from audit.pulls import QUEUE, PullRecord

Counter = Callable[[list[PullRecord]], None]

_log = logging.getLogger(__name__)
_BATCHES = f"{QUEUE}:batches"
"""The Redis set of the names of renamed lists."""
_SIZE = 1000
_TIMEOUT = 5.0
_REMEMBERED = timedelta(days=3)


def flush(count: Counter) -> int:
    """Write down every pull that waits and hand each to `count` exactly once; how many there were.

    `count` raises the counters and runs inside the transaction: an error of it, or of the database, leaves everything
    for the next flush. Without Redis only what waits in the database is counted.
    """
    total = _flush_database(count)
    try:
        for batch in _take():
            total += _flush_batch(batch, count)
    except redis.RedisError as error:
        _log.warning("redis is away, its pulls wait there: %s", type(error).__name__)
    return total


def forget() -> int:
    """Delete the ids of pulls that are too old to arrive a second time; how many."""
    old = Pull.objects.filter(arrived__lt=timezone.now() - _REMEMBERED, waiting="")
    return old.delete()[0]


def _take() -> Iterator[str]:
    """The names of lists to finish: those left over first, then what has come since, renamed in one step."""
    client = pulls.client(_TIMEOUT)
    left_over: Any = client.smembers(_BATCHES)
    for name in left_over:
        yield name.decode()
    if client.exists(QUEUE):
        batch = f"{QUEUE}:{uuid.uuid4()}"
        with client.pipeline(transaction=True) as both:
            both.sadd(_BATCHES, batch)
            both.rename(QUEUE, batch)
            both.execute(raise_on_error=False)  # where another flush was quicker, there is no list to rename
        yield batch


def _flush_batch(batch: str, count: Counter) -> int:
    client = pulls.client(_TIMEOUT)
    total = offset = 0
    while lines := client.lrange(batch, offset, offset + _SIZE - 1):
        total += _write(list(_parse(lines)), count)
        offset += len(lines)
    with client.pipeline(transaction=True) as both:
        both.delete(batch)
        both.srem(_BATCHES, batch)
        both.execute()
    return total


def _parse(lines: list[Any]) -> Iterator[PullRecord]:
    for line in lines:
        try:
            yield PullRecord.of(line)
        except (ValueError, KeyError, TypeError) as error:
            _log.error("not the record of a pull, left out: %s", error)


@transaction.atomic
def _write(records: list[PullRecord], count: Counter) -> int:
    new = _insert([record.event_id for record in records])
    fresh = [record for record in {record.event_id: record for record in records}.values() if record.event_id in new]
    if fresh:
        pulls.write_entries(fresh)
        count(fresh)
    return len(fresh)


def _insert(event_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Remember these ids; those that nobody had remembered before."""
    if not event_ids:
        return set()
    now = timezone.now()
    rows = [Pull(event_id=event_id, arrived=now) for event_id in event_ids]
    columns: list[Any] = [Pull._meta.get_field(name) for name in ("event_id", "arrived", "waiting")]
    values = [column.get_db_prep_save(getattr(row, column.name), connection) for row in rows for column in columns]
    statement = (
        f"INSERT INTO {Pull._meta.db_table} ({', '.join(column.column for column in columns)})"
        f" VALUES {', '.join(['(%s, %s, %s)'] * len(rows))} ON CONFLICT DO NOTHING RETURNING event_id"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return {uuid.UUID(str(row[0])) for row in cursor.fetchall()}


def _flush_database(count: Counter) -> int:
    total = 0
    while done := _flush_rows(count):
        total += done
    return total


@transaction.atomic
def _flush_rows(count: Counter) -> int:
    """Count what was written to the database while Redis was away; rows that another flush holds are left to it."""
    waiting = Pull.objects.select_for_update(skip_locked=True).exclude(waiting="")
    rows = list(waiting.order_by("arrived")[:_SIZE])
    if rows:
        count([PullRecord.of(row.waiting) for row in rows])
        Pull.objects.filter(pk__in=[row.pk for row in rows]).update(waiting="")
    return len(rows)
