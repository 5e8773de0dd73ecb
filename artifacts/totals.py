"""How many artifacts a list has, counted once for each state of its repositories.

Whatever changes what a repository holds changes its `update_time` in the same transaction. So a count that follows from
contents alone is true for as long as no repository of the list has another `update_time`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import QuerySet
from redis.exceptions import RedisError

from artifacts.models import Repository, RepositoryQuerySet

KEPT = 7 * 24 * 3600
"""Seconds; a total whose state has gone is never asked for again."""
_log = logging.getLogger(__name__)
Some = TypeVar("Some", bound=Sequence[Repository])


def total(rows: QuerySet[Any], repositories: RepositoryQuerySet) -> int:
    """How many `rows` there are: artifacts or tags of `repositories`, chosen by nothing that changes without them."""
    state = list(repositories.order_by("pk").values_list("pk", "update_time"))  # before what is counted
    statement, parameters = rows.order_by().values("pk").query.sql_with_params()
    key = f"artifacts.total:{hashlib.sha256(repr((statement, parameters, state)).encode()).hexdigest()}"
    try:
        known: int | None = cache.get(key)
        if known is None:
            known = rows.count()
            cache.set(key, known, KEPT)
    except RedisError as error:
        _log.warning("redis is away, artifacts are counted: %s", type(error).__name__)
        return rows.count()
    return known


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
