"""What a list of entries asks, as far as it can be said of tallies too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Lookup, Q
from django.db.models.expressions import Col
from django.db.models.sql.where import AND, WhereNode

from audit.models import EntryQuerySet

LEAST = timedelta(microseconds=1)
_BOUNDS = {"gte": ("since", timedelta()), "gt": ("since", LEAST), "lt": ("until", timedelta()), "lte": ("until", LEAST)}


class Unclear(Exception):
    """The list asks what only the entries tell."""


@dataclass
class Asked:
    """Entries that meet `condition`, which names these `columns`, from `since` to before `until`."""

    condition: Q
    columns: frozenset[str]
    since: datetime | None = None
    until: datetime | None = None

    def is_whole(self, day: date) -> bool:
        """Whether all of `day` is asked for."""
        begin = midnight(day)
        return (self.since is None or self.since <= begin) and (
            self.until is None or self.until >= begin + timedelta(days=1)
        )

    @property
    def parts_of_days(self) -> set[date]:
        """The days of which a part is asked for: where the time begins, and where it ends."""
        if self.since and self.until and self.since >= self.until:
            return set()
        ends = {self.since, self.until - LEAST if self.until else None} - {None}
        return {day for day in (end.astimezone(UTC).date() for end in ends if end) if not self.is_whole(day)}


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def asked_of(rows: EntryQuerySet) -> Asked | None:
    """What `rows` ask; None where that cannot be said of tallies."""
    condition, columns, bounds = Q(), set[str](), dict[str, datetime]()
    try:
        for term in _terms(rows.query.where):
            column = term.lhs.target.attname if isinstance(term, Lookup) and isinstance(term.lhs, Col) else ""
            if column == "op_time" and isinstance(term, Lookup):
                _bound(bounds, term)
            else:
                condition &= _condition(term, columns)
    except (Unclear, OverflowError):
        return None
    return Asked(condition, frozenset(columns), bounds.get("since"), bounds.get("until"))


def _terms(node: Any) -> Iterator[Any]:
    """The conditions that must all be met."""
    if isinstance(node, WhereNode) and node.connector == AND and not node.negated:
        for child in node.children:
            yield from _terms(child)
    else:
        yield node


def _bound(bounds: dict[str, datetime], term: Any) -> None:
    if term.lookup_name not in _BOUNDS or not isinstance(term.rhs, datetime):
        raise Unclear
    side, more = _BOUNDS[term.lookup_name]
    moment, narrower = term.rhs + more, max if side == "since" else min
    if not date.min.year < moment.year < date.max.year:  # a day before or after it may not be there
        raise Unclear
    bounds[side] = narrower(bounds.get(side, moment), moment)


def _condition(node: Any, columns: set[str]) -> Q:
    if isinstance(node, WhereNode) and not node.negated:
        found = Q(_connector=node.connector)
        for child in node.children:
            found.add(_condition(child, columns), node.connector)
        return found
    if not isinstance(node, Lookup) or not isinstance(node.lhs, Col) or hasattr(node.rhs, "resolve_expression"):
        raise Unclear
    if node.lookup_name == "isnull":  # tallies have a number for everywhere, and nothing for nowhere
        raise Unclear
    column = node.lhs.target.attname
    columns.add(column)
    return Q((f"{column}__{node.lookup_name}", node.rhs))
