"""How many artifacts a list has, counted once for each state of its repository or project.

Whatever changes what a repository holds changes its `update_time` in the same transaction, and that of its project's
quota. So a count that follows from contents alone is true for as long as that is the same.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from redis.exceptions import RedisError

from artifacts.models import Repository

KEPT = 7 * 24 * 3600
"""Seconds; a total whose state has gone is never asked for again."""
_log = logging.getLogger(__name__)
FEW = 500
"""Ids that are rather remembered than looked for again."""
Some = TypeVar("Some", bound=Sequence[Repository])


def total(rows: QuerySet[Any], state: datetime | None) -> int:
    """How many `rows` there are: artifacts or tags whose choice depends on nothing that changes while `state` does not.

    `state` is when their repository, or the quota of their project, was changed last, as read before.
    """
    return narrowed(rows, state)[1]


def narrowed(rows: QuerySet[Any], state: datetime | None, *, by_ids: bool = False) -> tuple[QuerySet[Any], int]:
    """`rows`, and how many there are, as `total` says. With `by_ids` few rows are named by their ids from then on:
    what was looked for in many is not looked for on the next page again."""
    statement, parameters = rows.order_by().values("pk").query.sql_with_params()
    key = f"artifacts.total:{hashlib.sha256(repr((statement, parameters, state, by_ids)).encode()).hexdigest()}"
    try:
        known: int | list[int] | None = cache.get(key)
        if known is None:
            known = _look(rows, by_ids)
            cache.set(key, known, KEPT)
    except EmptyResultSet:
        return rows.none(), 0
    except RedisError as error:
        _log.warning("redis is away, artifacts are counted: %s", type(error).__name__)
        return rows, rows.count()
    return (rows, known) if isinstance(known, int) else (rows.model._default_manager.filter(pk__in=known), len(known))


def _look(rows: QuerySet[Any], by_ids: bool) -> int | list[int]:
    """The ids, where they are wanted and few; else how many there are."""
    if not by_ids:
        return rows.count()
    ids = list(rows.order_by().values_list("pk", flat=True)[: FEW + 1])
    return ids if len(ids) <= FEW else rows.count()


def with_counts(repositories: Some) -> Some:
    """`repositories`, each with `artifact_count`, of what its list would show; one query for those that changed."""
    keys = {f"artifacts.count:{row.pk}:{row.update_time.isoformat()}": row for row in repositories}
    try:
        known: dict[str, int] = cache.get_many(keys)
    except RedisError as error:
        _log.warning("redis is away, artifacts are counted: %s", type(error).__name__)
        known = {}
    missing = {key: row for key, row in keys.items() if key not in known}
    fresh = _counted(row.pk for row in missing.values()) if missing else {}
    found = {key: fresh.get(row.pk, 0) for key, row in missing.items()}
    for key, row in keys.items():
        row.artifact_count = known.get(key, found.get(key, 0))  # type: ignore[attr-defined]  # as `with_counts` adds it
    if found:
        _remember(found)
    return repositories


def _counted(pks: Iterable[int]) -> dict[int, int]:
    rows: Any = Repository.objects.filter(pk__in=list(pks)).with_counts()
    return dict(rows.values_list("pk", "artifact_count"))


def _remember(counts: dict[str, int]) -> None:
    try:
        cache.set_many(counts, KEPT)
    except RedisError as error:
        _log.warning("redis is away, counts are not remembered: %s", type(error).__name__)
