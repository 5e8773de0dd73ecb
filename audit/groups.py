"""A page of a list that is sorted by what tallies count: who, what was done, to what, in which project."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum

from audit.memory import recall, remember
from audit.models import EntryQuerySet, Tally, UserTally
from audit.tallies import EVERYWHERE
from audit.totals import LATELY, OF_DAYS, OF_USERS, Counted

Group = tuple[Any, int]
Pager = Callable[[Counted, int, int], list[int]]


def groups(counted: Counted, name: str) -> list[Group] | None:
    """The values of the column `name` (`-` before it to descend) in the order of the database, and how many rows each
    has; None where the tallies do not tell, or somebody is so new that they do not know where in the order.
    """
    asked, column = counted.asked, name.lstrip("-")
    known = OF_USERS if column == "username" else OF_DAYS
    if asked is None or column not in known or asked.columns - known or asked.since or asked.until:
        return None
    tallied = _remembered(counted, column)
    if tallied is None:
        return None
    since = counted.rows.order_by().filter(pk__gt=counted.ledger.counted).exclude(**{column: None})
    added = dict(since.values_list(column).annotate(number=Count("pk")))
    if added.keys() - {value for value, _ in tallied}:
        return None
    found = [(value, number + added.get(value, 0)) for value, number in tallied] if added else list(tallied)
    if column == "project_id" and (nowhere := counted.total - sum(number for _, number in found)):
        found.insert(0 if connection.vendor == "sqlite" else len(found), (None, nowhere))
    return found[::-1] if name.startswith("-") else found


def _remembered(counted: Counted, column: str) -> list[Group] | None:
    """As tallied, ascending."""
    name = f"{counted.ledger.counted}:{column}:{counted.key}"
    held: list[Group] | None = recall("groups", name)
    if held is not None:
        return held
    assert counted.asked
    rows: Any = UserTally.objects.all()
    if column != "username":
        by_project = column == "project_id" or "project_id" in counted.asked.columns
        everywhere = Q(project_id=EVERYWHERE)
        rows = Tally.objects.exclude(everywhere) if by_project else Tally.objects.filter(everywhere)
    rows = rows.filter(counted.asked.condition).values_list(column).annotate(total=Sum("number")).order_by(column)
    found = [(value, number) for value, number in rows if number]
    if not counted.is_unchanged():
        return None
    remember("groups", name, found, LATELY)
    return found


def page_of_groups(
    rows: EntryQuerySet, name: str, found: list[Group], start: int, end: int, within: Pager
) -> list[int]:
    """The page of `rows`, which are sorted by `name` first: `within` gives pages of the rows of one group."""
    column, before, place = name.lstrip("-"), 0, 0
    while before + found[place][1] <= start:
        before += found[place][1]
        place += 1
    value, number = found[place]
    of_group = rows.filter(**{column: value}) if value is not None else rows.filter(**{f"{column}__isnull": True})
    group = Counted(of_group)
    keys = within(group, start - before, min(end - before, number, group.total))  # a purge may have been quicker
    for part in _parts_after(name, value, place, found):
        if len(keys) < end - start:
            keys += rows.filter(part).values_list("pk", flat=True)[: end - start - len(keys)]
    return keys


def _parts_after(name: str, value: Any, place: int, found: list[Group]) -> list[Q]:
    """What follows the group at `place`: each part one stretch of an index."""
    column = name.lstrip("-")
    nowhere = Q(**{f"{column}__isnull": True})
    if value is None:
        return [~nowhere]
    after = Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
    return [after, nowhere] if found[-1][0] is None and place < len(found) - 1 else [after]
