from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit import purge
from audit.models import Entry

pytestmark = pytest.mark.django_db

NOW = timezone.now()


class Job:
    """A job as purging sees it; asked to stop after `steps`."""

    def __init__(self, steps: int = 1000) -> None:
        self.steps, self.lines, self.seen = steps, list[str](), list[dict[str, Any]]()

    def log(self, line: str) -> None:
        self.lines.append(line)

    def progress(self, **values: int | str) -> None:
        self.seen.append(values)

    def check(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise InterruptedError


def entries(number: int, event: str, hours: float) -> None:
    operation, _, resource_type = event.partition("_")
    made = {"username": "alice", "operation": operation, "resource_type": resource_type, "resource": "x"}
    Entry.objects.bulk_create(Entry(op_time=NOW - timedelta(hours=hours), **made) for _ in range(number))


def left() -> Counter[str]:
    ages = ((entry, (NOW - entry.op_time) / timedelta(hours=1)) for entry in Entry.objects.all())
    return Counter(f"{entry.event_type} {round(hours)}" for entry, hours in ages)


def run(hours: int, types: str, dry_run: bool = False, job: Job | None = None, size: int = 10) -> str:
    spec = {"audit_retention_hour": hours, "include_event_types": types, "dry_run": dry_run}
    return purge.purge(spec, job or Job(), size)


def test_what_is_old_and_of_these_types_is_deleted_and_nothing_else() -> None:
    for event in ("pull_artifact", "create_project", "create_tag"):
        entries(3, event, 1)
        entries(3, event, 30)

    assert run(24, "pull_artifact,nothing_known, CREATE_PROJECT") == "6 entries deleted"
    assert left() == {"pull_artifact 1": 3, "create_project 1": 3, "create_tag 1": 3, "create_tag 30": 3}
    assert run(24, "other") == "3 entries deleted"
    assert left() == {"pull_artifact 1": 3, "create_project 1": 3, "create_tag 1": 3}


@pytest.mark.parametrize(("hours", "types"), [(0, "pull_artifact"), (-1, "pull_artifact"), (1, ""), (1, "unknown")])
def test_what_asks_for_nothing_deletes_nothing(hours: int, types: str) -> None:
    entries(2, "pull_artifact", 30)
    assert run(hours, types) == "nothing to delete"
    assert Entry.objects.count() == 2


def test_a_dry_run_counts_and_deletes_nothing() -> None:
    entries(4, "pull_artifact", 30)
    job = Job()
    assert run(24, "pull_artifact", dry_run=True, job=job) == "4 entries would be deleted"
    assert Entry.objects.count() == 4
    assert job.seen[-1] == {"done": 4, "total": 4, "deleted": 4}


def test_a_step_is_bounded_whatever_it_finds(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    entries(25, "create_project", 40)  # of one moment, so that only their ids tell them apart
    entries(25, "pull_artifact", 40)
    entries(7, "create_project", 30)
    job = Job()
    with django_assert_max_num_queries(1 + 7 * 3 + 6 * 8 + 3):  # a step that deletes counts what, and says so
        assert run(24, "pull_artifact", job=job) == "25 entries deleted"
    assert left() == {"create_project 40": 25, "create_project 30": 7}
    assert [seen["done"] for seen in job.seen] == [10, 20, 30, 40, 50, 57]


def test_a_purge_that_is_stopped_keeps_what_it_did() -> None:
    entries(30, "pull_artifact", 40)
    with pytest.raises(InterruptedError):
        run(24, "pull_artifact", job=Job(steps=2))
    assert Entry.objects.count() == 10


def test_old_is_told_by_the_hour() -> None:
    entries(1, "pull_artifact", 1.1)
    entries(1, "pull_artifact", 0.5)
    assert run(1, "pull_artifact") == "1 entries deleted"
    assert isinstance(Entry.objects.get().op_time, datetime)
