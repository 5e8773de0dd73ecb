"""Harbor's query language, `q=name=~lib,creation_time=[2024-01-01~],level={a b}` and `sort=name,-creation_time`.

Each list names the keys it can be filtered and sorted by. Every other key, known to the database or not, is ignored,
so that no answer depends on a column that is not shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import unquote_plus

from django.db.models import Q
from django.utils.dateparse import parse_date, parse_datetime

from accounts.errors import BadRequest

MAX_LENGTH = 8192
NOTHING = Q(pk__in=())
OPERATORS = ("exact", "icontains", "gte", "lte", "gt", "lt")
"""What may follow a key as `key__gte`; Harbor lets them pass, so we do, on the keys that are ours."""


@dataclass(frozen=True, slots=True)
class Exactly:
    value: str


@dataclass(frozen=True, slots=True)
class Like:
    """`k=~v`: contains, whatever the case."""

    value: str


@dataclass(frozen=True, slots=True)
class Between:
    """`k=[low~high]`; an empty side is open."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """`k={a b}`; nothing matches an empty list."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """`k=(a b)`; only a filter made for it heeds it."""

    values: tuple[str, ...]


Term = Exactly | Like | Between | AnyOf | AllOf
Filter = Callable[[Term, str], Q]
"""Turns a term, and the operator that followed its key, into a condition."""


def parse(text: str) -> dict[str, Term]:
    """The terms of a `q`, by key; a key given twice counts once, the last. BadRequest where the grammar is broken.

    It may still be escaped once more; then a plus is a space, as Go reads it.
    """
    plain = unquote_plus(text) if "%" in text else text
    if len(text) > MAX_LENGTH or "\0" in plain:
        raise BadRequest("the query string is not valid")
    terms = {}
    for part in plain.split(",") if plain else ():
        key, _, value = part.partition("=")
        if not key or not value:
            raise BadRequest('the query string must contain "=" and the key/value cannot be empty')
        terms[key] = parse_term(value)
    return terms


def parse_term(value: str) -> Term:
    """What follows `key=`."""
    first, last, inside = value[0], value[-1], value[1:-1]
    if first == "~" and len(value) > 1:
        return Like(value[1:])
    if first == "[" and last == "]" and inside.count("~") == 1:
        low, _, high = inside.partition("~")
        if low.strip() or high.strip():
            return Between(unquoted(low), unquoted(high))
    if first == "{" and last == "}" and len(value) > 1:
        return AnyOf(tuple(unquoted(item) for item in inside.split(" ") if unquoted(item)))
    if first == "(" and last == ")" and len(value) > 1:
        return AllOf(tuple(unquoted(item) for item in inside.split(" ") if unquoted(item)))
    if first in "~[{(":
        raise BadRequest(f"invalid query string value: {value}")
    return Exactly(value.removeprefix("\\"))


def unquoted(value: str) -> str:
    return value.strip().strip("\"'")


@dataclass(frozen=True, slots=True)
class Column:
    """A filter by one column of a list. `cast` reads a value, raising ValueError for what cannot be one."""

    name: str
    cast: Callable[[str], Any]

    def __call__(self, term: Term, operator: str = "exact") -> Q:
        match term:
            case Exactly(value):
                return Q(**{f"{self.name}__{operator}": value if operator == "icontains" else self.read(value)})
            case Like(value):
                return Q(**{f"{self.name}__icontains": value})
            case Between(low, high):
                return self.bound("gte", low) & self.bound("lte", high)
            case AnyOf(values):
                return Q(**{f"{self.name}__in": [self.read(value) for value in values]}) if values else NOTHING
            case AllOf():
                return Q()

    def bound(self, operator: str, value: str) -> Q:
        return Q(**{f"{self.name}__{operator}": self.read(value)}) if value else Q()

    def read(self, value: str) -> Any:
        try:
            return self.cast(value)
        except ValueError as error:
            raise BadRequest(f"invalid query string value: {value}") from error


def whole(value: str) -> int:
    """A signed 64 bit integer in ASCII digits."""
    if not re.fullmatch(r"[+-]?[0-9]{1,19}", value) or not -(2**63) <= int(value) < 2**63:
        raise ValueError("not an integer")
    return int(value)


def truth(value: str) -> bool:
    """Go's booleans: 1, t, true and 0, f, false."""
    known = {"1": True, "t": True, "true": True, "0": False, "f": False, "false": False}
    if value.lower() not in known:
        raise ValueError("not a boolean")
    return known[value.lower()]


def moment(value: str) -> datetime:
    """A time, or the beginning of a day; UTC where no zone is given."""
    day = parse_date(value)
    found = datetime.combine(day, time.min) if day else parse_datetime(value)
    if found is None:
        raise ValueError("not a time")
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("not a time") from error


def text(name: str) -> Column:
    return Column(name, str)


def number(name: str) -> Column:
    return Column(name, whole)


def flag(name: str) -> Column:
    return Column(name, truth)


def when(name: str) -> Column:
    return Column(name, moment)


def snake(key: str) -> str:
    """`ProjectID` as `project_id`: Harbor takes its own field names as well as the columns."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()


def condition(terms: Mapping[str, Term], filters: Mapping[str, Filter]) -> Q:
    """All of `terms` whose keys are in `filters`."""
    found = Q()
    for key, term in terms.items():
        name, _, operator = key.partition("__")
        operator = operator or "exact"
        if isinstance(term, Exactly) and operator == "in":
            term, operator = AnyOf((term.value,)), "exact"
        wanted = filters.get(snake(name))
        if wanted and operator in OPERATORS:
            found &= wanted(term, operator)
    return found


def ordering(asked: str, sorts: Mapping[str, str | tuple[str, ...]], default: tuple[str, ...]) -> list[str]:
    """The columns to order by, ending in the row's id so that pages neither repeat nor skip.

    A sort of several columns is by the first; the others decide where that is the same, as an index has them.
    """
    columns: list[str] = []
    for key in asked.split(",")[:8]:
        names = sorts.get(snake(key.removeprefix("-")), ())
        for name in (names,) if isinstance(names, str) else names:
            columns.append(f"-{name}" if key.startswith("-") else name)
    columns = columns or list(default)
    if {"pk", "-pk"}.isdisjoint(columns):
        columns.append("-pk" if columns[-1].startswith("-") else "pk")
    return columns
