"""The number of entries is exact, whatever was remembered of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import purge, totals
from audit.models import Entry
from tests.audit.test_pages import settle
from tests.audit.test_purge import Job, entries

pytestmark = pytest.mark.django_db


def test_a_total_is_exact_after_more_entries_and_after_a_purge() -> None:
    entries(20, "pull_artifact", 40)
    entries(5, "create_project", 40)
    everything, pulls = Entry.objects.all(), Entry.objects.filter(operation="pull")
    named = Entry.objects.filter(resource="x", operation="pull")
    for _ in range(3):  # the first remembers, the others use it
        assert [totals.total(rows) for rows in (everything, pulls, named)] == [25, 20, 20]
    settle()
    for _ in range(2):
        assert [totals.total(rows) for rows in (everything, pulls, named)] == [25, 20, 20]

    entries(3, "pull_artifact", 1)
    assert [totals.total(rows) for rows in (everything, pulls, named)] == [28, 23, 23]

    spec = {"audit_retention_hour": 24, "include_event_types": "pull_artifact"}
    purge.purge(spec, Job())
    assert [totals.total(rows) for rows in (everything, pulls, named)] == [8, 3, 3]
    assert totals.total(pulls.filter(op_time__lt=timezone.now() - timedelta(hours=24))) == 0


def test_what_is_remembered_is_not_counted_again() -> None:
    entries(20, "pull_artifact", 40)
    settle()
    rows = Entry.objects.filter(resource="x")
    assert totals.total(rows) == 20
    entries(2, "pull_artifact", 1)
    Entry.objects.filter(pk=Entry.objects.earliest("pk").pk).delete()  # behind its back: by purging alone it is told

    with CaptureQueriesContext(connection) as asked:
        assert totals.total(rows) == 22
    assert len(asked) == 2


def test_the_ends_of_time_can_be_asked_for() -> None:
    entries(3, "pull_artifact", 40)
    settle()
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for moment in (first, first + timedelta(hours=3), last, last.replace(microsecond=0), last - timedelta(days=1)):
        for side in ("lt", "lte", "gt", "gte"):
            rows = Entry.objects.filter(**{f"op_time__{side}": moment})
            assert totals.total(rows) == rows.count(), (side, moment)
