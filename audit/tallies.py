"""Counting the log by day and kind, a while after: what happens writes nothing more than its entry.

Entries up to a settled id, below which none can appear any more, are added to the tallies in steps, each of one
transaction; a purge takes off what it deletes in the transaction that deletes it. So at any moment the tallies and the
entries since `Ledger.counted` are the whole log. Where the tallies are new, the first steps count what there was.
"""

from __future__ import annotations

import time
from datetime import UTC, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Count, F, Max
from django.db.models.functions import TruncDate
from django.utils import timezone

from audit.models import Entry, EntryQuerySet, Ledger, Tally, UserTally

STEP = 50_000
"""Ids that are counted in one transaction."""
PATIENCE = timedelta(seconds=10)
"""Between a look at the newest id and its being settled, beside all transactions of then having ended."""
EVERYWHERE = 0
KIND = ("operation", "resource_type", "success")
OF_DAY = ("project_id", "day", *KIND)
OF_USER = ("username", *KIND)
"""What tells one tally from the others."""
_ROWS = 500


def count_on(seconds: float = 40.0, step: int = STEP) -> int:
    """Add to the tallies what has settled since, for so long at most; the id up to which all is counted."""
    until = time.monotonic() + seconds
    while True:
        counted, settled = _count_step(step)
        if counted >= settled or time.monotonic() > until:
            return counted


@transaction.atomic
def _count_step(step: int) -> tuple[int, int]:
    """Count the next ids; up to which one all are counted now, and up to which they are settled."""
    ledger = lock()
    _settle(ledger)
    end = min(ledger.counted + step, ledger.settled)
    _add(Entry.objects.filter(pk__gt=ledger.counted, pk__lte=end), 1)
    ledger.counted = end
    ledger.save()
    return end, ledger.settled


def _settle(ledger: Ledger) -> None:
    """Look up to which id every entry is there that will ever be.

    PostgreSQL hands ids out before their transactions commit. Once all transactions that were open when an id was the
    newest have ended, nothing can appear below it. SQLite has one writer, whose ids come in order.
    """
    newest = Entry.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if connection.vendor != "postgresql":
        ledger.settled = max(ledger.settled, newest)
        return
    with connection.cursor() as cursor:
        snapshot = "pg_snapshot_{}(pg_current_snapshot())::text::bigint"
        cursor.execute(f"SELECT {snapshot.format('xmin')}, {snapshot.format('xmax')}")
        oldest_open, next_one = cursor.fetchone()
    now = timezone.now()
    if ledger.looked_at and next_one >= ledger.next_transaction:  # else this is another cluster, of a dump restored
        if oldest_open < ledger.next_transaction or now - ledger.looked_at < PATIENCE:
            return
        ledger.settled = max(ledger.settled, ledger.newest)
    ledger.newest, ledger.next_transaction, ledger.looked_at = newest, next_one, now


@transaction.atomic
def delete(entries: EntryQuerySet) -> int:
    """Delete `entries` from the log and from the tallies, and let what was remembered be forgotten; how many."""
    ledger = lock()
    _add(entries.filter(pk__lte=ledger.counted), -1)
    deleted = entries.delete()[0]
    if deleted:
        Ledger.objects.filter(pk=ledger.pk).update(times=F("times") + 1)
    return deleted


@transaction.atomic
def tidy() -> None:
    """Leave out tallies of what is no longer there."""
    lock()
    for tallies in (Tally, UserTally):
        tallies._default_manager.filter(number=0).delete()


def lock() -> Ledger:
    """The one row, held until the transaction ends: one at a time changes the tallies."""
    return Ledger.objects.select_for_update().get_or_create(pk=1)[0]


def _add(entries: EntryQuerySet, sign: int) -> None:
    day = TruncDate("op_time", tzinfo=UTC)
    by_day = entries.order_by().values("project_id", *KIND, day=day).annotate(number=Count("pk"))
    everywhere: dict[tuple[Any, ...], int] = {}
    rows: dict[tuple[Any, ...], int] = {}
    for row in by_day:
        kind, number = tuple(row[name] for name in ("day", *KIND)), sign * row["number"]
        everywhere[(EVERYWHERE, *kind)] = everywhere.get((EVERYWHERE, *kind), 0) + number
        if row["project_id"]:
            rows[(row["project_id"], *kind)] = number
    upsert(Tally, OF_DAY, {**everywhere, **rows})
    by_user = entries.order_by().values_list("username", *KIND).annotate(number=Count("pk"))
    upsert(UserTally, OF_USER, {tuple(kind): sign * number for *kind, number in by_user})


def upsert(model: type[models.Model], names: tuple[str, ...], numbers: dict[tuple[Any, ...], int]) -> None:
    """Add these numbers to the rows of `model`, or make them."""
    columns: list[Any] = [model._meta.get_field(name) for name in (*names, "number")]
    listed, keys = ", ".join(column.column for column in columns), ", ".join(names)
    rows = [(*key, number) for key, number in numbers.items()]
    table, marks = model._meta.db_table, f"({', '.join(['%s'] * len(columns))})"
    for start in range(0, len(rows), _ROWS):
        part = rows[start : start + _ROWS]
        statement = (
            f"INSERT INTO {table} ({listed}) VALUES {', '.join([marks] * len(part))}"
            f" ON CONFLICT ({keys}) DO UPDATE SET number = {table}.number + excluded.number"
        )
        values = [
            column.get_db_prep_save(value, connection)
            for row in part
            for column, value in zip(columns, row, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
