"""How many entries a list has, exactly, without counting millions of them each time.

Most lists ask what the tallies tell: then theirs are summed, and what came since is counted. Of any other list the
number of entries up to a settled id is remembered: entries are only ever added, but for a purge.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from functools import cached_property
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate

from audit.asked import Asked, asked_of, midnight
from audit.memory import once, recall, remember
from audit.models import EntryQuerySet, Ledger, Tally, UserTally
from audit.tallies import EVERYWHERE, KIND

KEPT = 7 * 24 * 3600
"""Seconds for which a total is remembered after it was last moved on."""
LATELY = 900
"""Seconds for which a sum of tallies is remembered: until they were counted on, if that comes first."""
TAIL = 5_000
"""Entries after the settled id that are counted again and again; then the remembered total moves on."""
OF_DAYS = frozenset({"project_id", *KIND})
OF_USERS = frozenset({"username", *KIND})


def total(rows: EntryQuerySet) -> int:
    """How many `rows` there are."""
    return Counted(rows).total


def _ledger() -> Ledger:
    return Ledger.objects.filter(pk=1).first() or Ledger()


@dataclass
class Counted:
    """`rows`, in no order, and what the tallies and what is remembered tell of them."""

    rows: EntryQuerySet
    ledger: Ledger = field(init=False)
    """As it was before anything was counted: what is purged meanwhile is not remembered under the later `times`."""
    key: str = field(init=False)
    """What is asked, and how often was purged until now; empty for what no row can match."""

    def __post_init__(self) -> None:
        self.ledger = _ledger()
        try:
            asked = self.rows.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:  # of no project at all, for one
            self.key = ""
        else:
            self.key = f"{self.ledger.times}:{hashlib.sha256(repr(asked).encode()).hexdigest()}"

    @cached_property
    def asked(self) -> Asked | None:
        """What is asked, where tallies may tell it."""
        return asked_of(self.rows) if self.key and self.ledger.counted else None

    @cached_property
    def total(self) -> int:
        """How many there are."""
        if not self.key:
            return 0
        if self.days is not None:
            return sum(self.days.values())
        return self._remembered() if (number := self._of_users()) is None else number

    @cached_property
    def days(self) -> dict[date, int] | None:
        """How many there are of each day (UTC), the oldest first; None where tallies do not tell."""
        asked = self.asked
        if asked is None or asked.columns - OF_DAYS:
            return None
        name = f"{self.ledger.counted}:{self.key}"
        tallied: list[Any] | None = recall("days", name)
        if tallied is None:
            tallied = [[day.isoformat(), number] for day, number in _tallied(asked)]
            if not self.is_unchanged():
                return None
            remember("days", name, tallied, LATELY)
        days = {date.fromisoformat(day): number for day, number in tallied if number}
        since = self._since().annotate(day=TruncDate("op_time", tzinfo=UTC)).values_list("day")
        for day, number in since.annotate(number=Count("pk")):
            days[day] = days.get(day, 0) + number
        for day in asked.parts_of_days:
            begin = midnight(day)
            days[day] = self.rows.filter(op_time__gte=begin, op_time__lt=begin + timedelta(days=1)).count()
        return dict(sorted(days.items()))

    def _of_users(self) -> int | None:
        """How many there are by the tallies of users; None where those do not tell."""
        asked = self.asked
        if asked is None or asked.columns - OF_USERS or asked.since or asked.until:
            return None
        name = f"{self.ledger.counted}:{self.key}"
        number: int | None = recall("users", name)
        if number is None:
            number = int(UserTally.objects.filter(asked.condition).aggregate(number=Sum("number"))["number"] or 0)
            if not self.is_unchanged():
                return None
            remember("users", name, number, LATELY)
        return number + self._since().count()

    def _since(self) -> EntryQuerySet:
        """Those that are not in the tallies yet."""
        return self.rows.order_by().filter(pk__gt=self.ledger.counted)

    def is_unchanged(self) -> bool:
        """Whether the tallies that were just read go with the ledger."""
        now = _ledger()
        return (now.counted, now.times) == (self.ledger.counted, self.ledger.times)

    def _remembered(self) -> int:
        if not self.ledger.counted:
            return self.rows.count()
        settled: Any = once(self.key, lambda: recall("total", self.key), lambda: self._settle(0, 0))
        last, number = int(settled[0]), int(settled[1])
        tail = self.rows.filter(pk__gt=last).count()
        if tail > TAIL and self.ledger.counted > last:
            self._settle(last, number)
        return number + tail

    def _settle(self, last: int, number: int) -> tuple[int, int]:
        """Remember, of those up to the settled id, how many there are; `number` are up to `last`."""
        settled = self.ledger.counted
        number += self.rows.filter(pk__gt=last, pk__lte=settled).count()
        remember("total", self.key, [settled, number], KEPT)
        return settled, number


def _tallied(asked: Asked) -> list[tuple[date, int]]:
    """The tallies of the days that are asked for as a whole."""
    tallies = Tally.objects.filter(asked.condition)
    by_project = "project_id" in asked.columns
    tallies = tallies.exclude(project_id=EVERYWHERE) if by_project else tallies.filter(project_id=EVERYWHERE)
    if asked.since:
        tallies = tallies.filter(day__gte=asked.since.astimezone(UTC).date())
    if asked.until:
        tallies = tallies.filter(day__lte=asked.until.astimezone(UTC).date())
    days = tallies.order_by().values_list("day").annotate(number=Sum("number"))
    return [(day, number) for day, number in days if asked.is_whole(day)]
