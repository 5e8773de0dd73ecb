"""How many artifacts a list has, counted once for each state of its repository or project.

Whatever changes what a repository holds changes its `update_time` in the same transaction, and that of its project's
quota. So a count that follows from contents alone is true for as long as that is the same.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet
from redis.exceptions import RedisError

from artifacts.models import Repository

KEPT = 7 * 24 * 3600
"""Seconds; a total whose state has gone is never asked for again."""
_log = logging.getLogger(__name__)
BRIEFLY = 60
UNTIL_COUNTED = 5
"""Seconds in which pulls are counted: what depends on their times is remembered no longer."""
FEW = 10_000
"""Ids that are rather remembered than looked for again; of so many for so many seconds, as Redis has room for."""
Some = TypeVar("Some", bound=Sequence[Repository])


def total(rows: QuerySet[Any], state: object) -> int:
    """How many `rows` there are: artifacts or tags whose choice depends on nothing that changes while `state` does not.

    `state` is when their repository, or the quota of their project, was changed last, as read before.
    """
    return int(_remembered(rows.order_by(), state, KEPT, lambda: rows.count()))


def found(rows: QuerySet[Any], state: object, seconds: int = BRIEFLY) -> list[int] | int:
    """The ids of `rows`, in their order, where they are few; else how many there are. Remembered briefly, so that what
    was looked for among many is not looked for again on the next page, nor by everybody who asks at once."""

    def look() -> list[int] | int:
        ids = list(rows.values_list("pk", flat=True)[: FEW + 1])
        return ids if len(ids) <= FEW else rows.count()

    known: list[int] | int = _remembered(rows, state, seconds, look)
    return known


def _remembered(rows: QuerySet[Any], state: object, seconds: int, look: Callable[[], Any]) -> Any:
    """What `look` gives for these `rows` in this `state`."""
    try:
        query = rows.values("pk").query.sql_with_params()
    except EmptyResultSet:  # nothing can match, so nobody need be asked
        return look()
    key = f"artifacts.total:{hashlib.sha256(repr((query, state)).encode()).hexdigest()}"
    try:
        known = cache.get(key)
        if not (_is_count(known) or isinstance(known, list) and all(map(_is_count, known))):
            known = look()
            cache.set(key, known, seconds)
    except RedisError as error:
        _log.warning("redis is away, artifacts are counted: %s", type(error).__name__)
        return look()
    return known


def _is_count(known: object) -> bool:
    """Whether it may be ours: a number, or an id. Whoever can write to Redis leaves what they want."""
    return type(known) is int and known >= 0


def with_counts(repositories: Some) -> Some:
    """`repositories`, each with `artifact_count`, of what its list would show; one query for those that changed."""
    keys = {f"artifacts.count:{row.pk}:{row.update_time.isoformat()}": row for row in repositories}
    try:
        known = {key: count for key, count in cache.get_many(keys).items() if _is_count(count)}
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
