"""What a pull leaves behind: times and counts of artifact, tag, repository, and of the indexes that name the artifact.

A flush locks the rows of repositories first, by id. A push holds its repository's before it touches tags and artifacts,
so the two never wait for each other in a circle.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet

from artifacts.models import Artifact, PullDay, Reference, Repository, Tag
from audit.pulls import PullRecord
from configuration import values


def count(records: list[PullRecord]) -> None:
    """Raise the counters for `records`, each of which arrives here once; what has been deleted is left out."""
    artifacts = {record.artifact_id for record in records}
    repositories = dict(Artifact.objects.filter(pk__in=artifacts).values_list("pk", "repository_id"))
    here = [record for record in records if record.artifact_id in repositories]
    if values.get("pull_count_update_disable"):
        _lock(set(repositories.values()))
    else:
        _count(here, repositories)
    if not values.get("pull_time_update_disable"):
        _remember_times(here, repositories)


def _lock(repositories: set[int]) -> None:
    """As counting does."""
    list(Repository.objects.select_for_update(no_key=True).filter(pk__in=repositories).order_by("pk").values("pk"))


def _count(records: list[PullRecord], repositories: dict[int, int]) -> None:
    by_repository = Counter(repositories[record.artifact_id] for record in records)
    there = set()
    for repository, number in sorted(by_repository.items()):
        if Repository.objects.filter(pk=repository).update(pull_count=F("pull_count") + number):
            there.add(repository)  # locked by this, so it stays until we commit
    by_artifact = Counter(record.artifact_id for record in records)
    for artifact, number in sorted(by_artifact.items()):
        Artifact.objects.filter(pk=artifact).update(pull_count=F("pull_count") + number)
    _count_days([record for record in records if repositories[record.artifact_id] in there], repositories)


def _count_days(records: list[PullRecord], repositories: dict[int, int]) -> None:
    days = Counter(
        (repositories[record.artifact_id], record.time.astimezone(UTC).date(), record.project_id) for record in records
    )
    for (repository, day, project), number in sorted(days.items()):
        _count_day(project, repository, day, number)


def _count_day(project: int, repository: int, day: date, number: int) -> None:
    row = PullDay.objects.filter(repository=repository, day=day)
    if row.update(pulls=F("pulls") + number):
        return
    try:
        with transaction.atomic():
            PullDay.objects.create(project_id=project, repository_id=repository, day=day, pulls=number)
    except IntegrityError:  # another flush was first
        row.update(pulls=F("pulls") + number)


def forget_days(before: date) -> int:
    """Delete the days before `before`; how many rows."""
    return PullDay.objects.filter(day__lt=before).delete()[0]


def _remember_times(records: list[PullRecord], repositories: dict[int, int]) -> None:
    times: dict[int, datetime] = {}
    tags: dict[tuple[int, str], datetime] = {}
    for record in sorted(records, key=lambda record: record.time):
        times[record.artifact_id] = record.time
        if record.tag:
            tags[repositories[record.artifact_id], record.tag] = record.time
    for parent, time in _parents(times).items():
        times[parent] = max(time, times.get(parent, time))
    for artifact, time in sorted(times.items()):
        _forward(Artifact.objects.filter(pk=artifact), time)
    for (repository, name), time in sorted(tags.items()):
        _forward(Tag.objects.filter(repository=repository, name=name), time)


def _parents(times: dict[int, datetime]) -> dict[int, datetime]:
    """The indexes that name these artifacts, each with the latest of their times."""
    found: dict[int, datetime] = defaultdict(lambda: min(times.values()))
    for parent, child in Reference.objects.filter(child__in=times).values_list("parent_id", "child_id"):
        found[parent] = max(found[parent], times[child])
    return found


def _forward(rows: QuerySet[Any], time: datetime) -> None:
    """Set the pull time, never back."""
    rows.filter(Q(pull_time__isnull=True) | Q(pull_time__lt=time)).update(pull_time=time)
