"""A page of a long list of entries, wherever it lies and whatever the list asks, for the price of a short walk.

What the tallies tell is found by adding up days, or groups of what the list is sorted by. Along any other list, in its
order, every so many rows a mark is set and remembered: the id of the entry there. A page is read from the last mark
before it. Marks are set among the entries up to a settled id, so that they stay true until the next purge; how many of
the entries since then come before a mark is counted. A short list is remembered whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connection
from django.db.models import Q, Window
from django.db.models.functions import RowNumber

from audit.asked import midnight
from audit.groups import groups, page_of_groups
from audit.memory import once, planned, recall, remember
from audit.models import Entry, EntryQuerySet
from audit.totals import TAIL, Counted

MARKS = 5_000
"""The most that are set along a list; one that is no longer is remembered whole."""
WALK = 5_000
"""Rows that may be walked over to reach a page without a mark."""
FEW = 1_000
"""Rows that are rather read and sorted than walked along."""
KEPT = 24 * 3600
ALONG = "enable_bitmapscan = off"
"""Along an index: PostgreSQL underrates what it costs to look for a part of a name in all there are."""
QUICKLY = "statement_timeout = '300ms'"
"""For what should be near: rows may lie all at the far end of the log."""
NULLS = frozenset({"project_id"})
"""Columns whose order is not told by comparing."""


@dataclass(frozen=True)
class Marks:
    """What is remembered of a list: of its entries up to `settled`, `number` of them, each `step`th one's id."""

    settled: int
    number: int
    step: int
    ids: list[int]


def page(
    counted: Counted, order: Sequence[str], start: int, end: int, *, walk: int = WALK, most: int = MARKS
) -> list[int]:
    """The ids of the rows from `start` to before `end`, in `order`, whose last column is the id.

    `end` is no more than the total. `walk` rows may be walked over; at most `most` marks are set.
    """
    if start >= end:
        return []
    rows = counted.rows.order_by(*order)
    if counted.days and order[0].lstrip("-") == "op_time":
        return _of_days(rows, [*order], counted.days, start, end)
    if len(order) == 3 and (found := groups(counted, order[0])):
        return page_of_groups(rows, order[0], found, start, end, partial(_of_group, order[1:], walk, most))
    if not counted.ledger.counted or NULLS & {name.lstrip("-") for name in order}:
        return _walk(rows, start, end, counted.total)
    name = f"{counted.key}:{','.join(order)}"
    marks = _held(counted, name)
    if marks is None and _is_near(counted, start, end, walk):
        with suppress(OperationalError), planned(ALONG, QUICKLY):
            return _walk(rows, start, end, counted.total)
    marks = marks or once(name, lambda: _held(counted, name), lambda: _set(counted, name, order, most))
    late = max(counted.total - marks.number, 0)
    if marks.step > 1:
        return _read(rows, order, marks, late, start, end)
    if not late:
        return marks.ids[start:end]
    return _with_since(rows, order, marks, marks.ids, start, end)


def _of_group(order: Sequence[str], walk: int, most: int, counted: Counted, start: int, end: int) -> list[int]:
    return page(counted, order, start, end, walk=walk, most=most)


def _of_days(rows: EntryQuerySet, order: list[str], days: dict[date, int], start: int, end: int) -> list[int]:
    """The page among the days that it covers, which are found by adding up."""
    before = passed = 0
    covered: list[date] = []
    descending = order[0].startswith("-")
    for day in reversed(days) if descending else days:
        if passed + days[day] <= start:
            before = passed + days[day]
        else:
            covered.append(day)
        passed += days[day]
        if passed >= end:
            break
    first, last = midnight(min(covered)), midnight(max(covered)) + timedelta(days=1)
    among = rows.filter(op_time__gte=first, op_time__lt=last)
    if passed - before > FEW or order[1:] != ["-pk" if descending else "pk"]:
        return _walk(among, start - before, end - before, passed - before)
    # All of the few: for a page in order PostgreSQL might walk over everybody else's.
    keys = sorted(among.order_by().values_list("op_time", "pk"), reverse=descending)
    return [key for _, key in keys[start - before : end - before]]


def _is_near(counted: Counted, start: int, end: int, walk: int) -> bool:
    """Whether the page is reached soon from an end of the list, were its rows spread evenly among all there are."""
    rows = min(start, counted.total - end) + end - start
    return rows * max(counted.ledger.counted, counted.total) <= walk * counted.total


def _walk(rows: EntryQuerySet, start: int, end: int, total: int) -> list[int]:
    """The page from the nearer end of the list."""
    keys = rows.values_list("pk", flat=True)
    if start <= total - end:
        return list(keys[start:end])
    return list(keys.reverse()[total - end : total - start])[::-1]


def _held(counted: Counted, name: str) -> Marks | None:
    """The marks that are remembered, unless many entries came since."""
    held: list[Any] | None = recall("marks", name)
    return Marks(*held) if held and counted.total - held[1] <= TAIL else None


def _set(counted: Counted, name: str, order: Sequence[str], most: int) -> Marks:
    """The marks of the list, set anew."""
    settled = counted.ledger.counted
    rows = counted.rows.filter(pk__lte=settled)
    number = rows.count()
    step = max(-(-number // most), 1)
    marks = Marks(settled, number, step, _ids(rows, order, step))
    remember("marks", name, [settled, number, step, marks.ids], KEPT)
    return marks


def _ids(rows: EntryQuerySet, order: Sequence[str], step: int) -> list[int]:
    """The id of each `step`th row, beginning with the first."""
    if step == 1:
        return list(rows.order_by(*order).values_list("pk", flat=True))
    numbered = rows.order_by().annotate(place=Window(RowNumber(), order_by=list(order)))
    statement, values = numbered.values_list("id", "place").query.sql_with_params()
    with connection.cursor() as cursor:
        chosen = f"SELECT id FROM ({statement}) numbered WHERE (place - 1) %% %s = 0 ORDER BY place"
        cursor.execute(chosen, [*values, step])
        return [key for (key,) in cursor.fetchall()]


def _read(rows: EntryQuerySet, order: Sequence[str], marks: Marks, late: int, start: int, end: int) -> list[int]:
    """The page from a mark before it, however the `late` entries, that came after the marks, lie among them."""
    first = min(max(start - late, 0) // marks.step, len(marks.ids) - 1)
    before = first * marks.step
    beyond = first + -(-(end - before) // marks.step)
    chosen = marks.ids[first : beyond + 1 : beyond - first]
    entries = Entry.objects.in_bulk(chosen)
    if len(entries) < len(chosen):  # a purge was quicker
        return _walk(rows, start, end, end)
    mark, bound = entries[chosen[0]], entries[chosen[1]] if chosen[1:] else None
    settled = rows.filter(pk__lte=marks.settled)
    if late and first:
        before += rows.filter(pk__gt=marks.settled).exclude(_from(order, mark)).count()
        settled = rows
    found: list[int] = []
    with planned(ALONG):
        for part in _parts(order, mark, bound):
            found += settled.filter(part).values_list("pk", flat=True)[: end - before - len(found)]
            if len(found) >= end - before:
                break
    if late and not first:  # before the first mark too there may be some
        return _with_since(rows, order, marks, found, start, end)
    return found[start - before :]


def _with_since(
    rows: EntryQuerySet, order: Sequence[str], marks: Marks, ids: list[int], start: int, end: int
) -> list[int]:
    """The page among the rows of these `ids` and those that came after the marks."""
    since = rows.order_by().filter(pk__gt=marks.settled).values_list("pk", flat=True)
    both = Entry.objects.filter(pk__in=[*ids, *since])
    return list(both.order_by(*order).values_list("pk", flat=True)[start:end])


def _parts(order: Sequence[str], mark: Entry, bound: Entry | None) -> list[Q]:
    """What lies from `mark` on, to `bound` at least: in parts that follow each other, each one stretch of an index."""
    until = _side(order[0], bound, "le") if bound else Q()
    if len(order) < 3:
        return [_from(order, mark) & until]
    column = order[0].lstrip("-")
    same = Q(**{column: getattr(mark, column)}) & _from(order[1:], mark)
    if bound and getattr(bound, column) == getattr(mark, column):
        return [same & _side(order[1], bound, "le")]
    return [same, _side(order[0], mark, "gt") & until]


def _from(order: Sequence[str], mark: Entry) -> Q:
    """The rows from `mark` on, itself among them."""
    if len(order) == 1:
        return _side(order[0], mark, "ge")
    column = order[0].lstrip("-")
    same = Q(**{column: getattr(mark, column)}) & _from(order[1:], mark)
    return _side(order[0], mark, "ge") & (_side(order[0], mark, "gt") | same)


_SIDES = {"ge": ("gte", "lte"), "gt": ("gt", "lt"), "le": ("lte", "gte")}


def _side(name: str, mark: Entry, side: str) -> Q:
    """Rows whose column lies on this side of `mark` as the list goes: `ge` is at it or later, `le` at it or before."""
    column = name.lstrip("-")
    return Q(**{f"{column}__{_SIDES[side][name.startswith('-')]}": getattr(mark, column)})
