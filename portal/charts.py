"""What charts are drawn from: a table that a script turns into a picture, and that is read without one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.cache import cache
from redis.exceptions import RedisError

from artifacts.models import PullDayQuerySet
from artifacts.usage import largest_repositories
from projects.models import Project

DAYS = 30
SHOWN_REPOSITORIES = 8
KEPT = 300
"""Seconds for which what was added up is shown again."""


@dataclass(frozen=True)
class Day:
    """A point of a chart over time."""

    day: date
    value: int


@dataclass(frozen=True)
class Bar:
    """A part of a whole."""

    name: str
    value: int


def pulls_by_day(rows: PullDayQuerySet) -> list[Day]:
    """The pulls of the last thirty days, days without any among them."""
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    known = rows.per_day(days[0])
    return [Day(day, known.get(day, 0)) for day in days]


def storage_by_repository(project: Project) -> list[Bar]:
    """The largest repositories of `project` by their short names, as of some minutes ago at most."""
    key = f"portal.storage:{project.pk}"
    try:
        rows: Any = cache.get(key)
    except RedisError:
        rows = None
    if rows is None:
        rows = [list(stored) for stored in largest_repositories(project.pk, SHOWN_REPOSITORIES)]
        with suppress(RedisError):  # then it is added up again next time
            cache.set(key, rows, KEPT)
    return [Bar(name.partition("/")[2], size) for name, size in rows]
