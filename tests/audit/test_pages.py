"""A page found by marks holds what walking there would have found, in every order, whatever was added or purged."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import pages, purge, tallies, totals
from audit.models import Entry, EntryQuerySet, Ledger
from tests.audit.test_purge import Job

pytestmark = pytest.mark.django_db

NOW = timezone.now()
ORDERS = (
    ["-op_time", "-pk"],
    ["op_time", "pk"],
    ["-op_time", "pk"],
    ["-pk"],
    ["username", "-op_time", "-pk"],
    ["-resource", "op_time", "pk"],
    ["operation", "-op_time", "-pk"],
    ["-username", "op_time", "pk"],
    ["operation", "username", "pk"],
    ["project_id", "-op_time", "-pk"],
    ["-project_id", "op_time", "pk"],
)


def add(number: int, seed: int, *, operation: str = "pull") -> None:
    """Entries of a year, of which many share a moment; few are `rare`."""
    chance = random.Random(seed)
    Entry.objects.bulk_create(
        Entry(
            op_time=NOW - timedelta(days=chance.randrange(2, 300)),
            username=f"user-{chance.randrange(9)}",
            operation=operation,
            resource_type="artifact",
            resource=f"app/{chance.choice(['one', 'two', 'Two', 'three'])}:{chance.randrange(50)}",
            success=chance.random() > 0.1,
            project_id=chance.choice([None, 1, 2]),
        )
        for _ in range(number)
    )


def settle() -> None:
    """As if all transactions until now had ended long ago."""
    Ledger.objects.update_or_create(pk=1, defaults={"settled": Entry.objects.latest("pk").pk})
    tallies.count_on()


def lists() -> list[EntryQuerySet]:
    every = Entry.objects.all()
    return [
        every,
        every.filter(resource__icontains="TWO"),
        every.filter(username__in=["user-1", "user-3"]),
        every.filter(project_id__in=[1, 2], success=True),
        every.filter(op_time__gt=NOW - timedelta(days=200, hours=7), op_time__lte=NOW - timedelta(days=20)),
    ]


def assert_right(rows: EntryQuerySet, order: list[str]) -> None:
    walked = list(rows.order_by(*order).values_list("pk", flat=True))
    counted, size = totals.Counted(rows), len(walked)
    assert counted.total == size, (order, str(rows.query))
    for start in (0, size // 3, size // 2, max(size - 4, 0)):
        end = min(start + 10, size)
        found = pages.page(counted, order, start, end, walk=10, most=20)
        assert found == walked[start:end], (order, start, str(rows.query))


def test_every_page_is_right_after_more_entries_and_after_a_purge() -> None:
    add(700, 1)
    settle()
    for rows in lists():
        for order in ORDERS:
            assert_right(rows, order)
    add(60, 2, operation="create")  # after the marks, among them
    for rows in lists():
        for order in ORDERS:
            assert_right(rows, order)
    purge.purge({"audit_retention_hour": 24 * 250, "include_event_types": "pull_artifact"}, Job())
    for rows in lists():
        assert_right(rows, ORDERS[0])


def test_pages_neither_repeat_nor_skip_where_one_group_ends_and_the_next_begins() -> None:
    add(110, 5)
    settle()
    add(9, 6)
    for order in ORDERS:
        walked = list(Entry.objects.order_by(*order).values_list("pk", flat=True))
        paged: list[int] = []
        for start in range(0, 119, 20):
            found = pages.page(totals.Counted(Entry.objects.all()), order, start, min(start + 20, 119), walk=1)
            paged += found
        assert paged == walked, order


def test_a_purge_between_the_total_and_the_page_leaves_a_shorter_page() -> None:
    add(200, 1)
    settle()
    for order in ORDERS:
        counted = totals.Counted(Entry.objects.all())
        pages.page(counted, order, 0, 10)  # what can be remembered is
        size, last = counted.total, Entry.objects.order_by("op_time")[12].op_time
        tallies.delete(Entry.objects.filter(op_time__lt=last))
        for start in range(0, size, 10):
            assert len(pages.page(counted, order, start, min(start + 10, size))) <= 10, order
        settle()


def test_a_deep_page_of_few_among_many_is_not_walked_to() -> None:
    add(700, 1)
    settle()
    rows = Entry.objects.filter(resource__startswith="app/one:1")
    counted = totals.Counted(rows)
    pages.page(counted, ORDERS[0], 20, 24, walk=10)
    with CaptureQueriesContext(connection) as asked:
        assert len(pages.page(counted, ORDERS[0], 20, 24, walk=10)) == 4
    assert len(asked) == 0  # remembered whole


def test_pages_without_redis_are_right(no_redis: None) -> None:
    add(50, 1)
    for order in ORDERS:
        assert_right(Entry.objects.all(), order)


def test_what_nothing_can_match_has_no_page() -> None:
    assert pages.page(totals.Counted(Entry.objects.filter(pk__in=[])), ORDERS[0], 0, 0) == []
    assert_right(Entry.objects.none(), ORDERS[0])
