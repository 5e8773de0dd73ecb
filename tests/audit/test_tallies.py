"""The tallies and what came since them are the whole log, at any moment."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit import purge, tallies, totals
from audit.models import Entry, Ledger, Tally, UserTally
from tests import processes
from tests.audit.test_pages import NOW, add, settle
from tests.audit.test_purge import Job
from tests.races import at_once

pytestmark = pytest.mark.django_db


def assert_tallies_are_right() -> None:
    """Each number is that of the entries; nothing else is told."""
    days, users = Counter[tuple[object, ...]](), Counter[tuple[object, ...]]()
    for entry in Entry.objects.all():
        kind = (entry.operation, entry.resource_type, entry.success)
        for project in {0, entry.project_id or 0}:
            days[(project, entry.op_time.date(), *kind)] += 1
        users[(entry.username, *kind)] += 1
    kind_of = ("operation", "resource_type", "success", "number")
    found = {tuple(row[:-1]): row[-1] for row in Tally.objects.values_list("project_id", "day", *kind_of)}
    assert {key: number for key, number in found.items() if number} == days
    found = {tuple(row[:-1]): row[-1] for row in UserTally.objects.values_list("username", *kind_of)}
    assert {key: number for key, number in found.items() if number} == users


def test_what_was_there_is_counted_in_steps_and_what_comes_is_added() -> None:
    add(120, 1)
    settle()
    assert tallies.count_on(step=50) == Entry.objects.latest("pk").pk
    assert_tallies_are_right()
    add(30, 2, operation="create")
    settle()
    assert_tallies_are_right()
    settle()  # nothing is counted twice
    assert_tallies_are_right()


def test_counting_stops_in_time_and_goes_on_later() -> None:
    add(120, 1)
    first = Entry.objects.earliest("pk").pk
    Ledger.objects.update_or_create(pk=1, defaults={"settled": Entry.objects.latest("pk").pk})
    assert tallies.count_on(seconds=-1, step=first + 40) == first + 40
    assert sum(Tally.objects.filter(project_id=0).values_list("number", flat=True)) == 41
    assert totals.total(Entry.objects.all()) == 120
    tallies.count_on()
    assert_tallies_are_right()


def test_a_purge_takes_off_what_it_deletes_whether_it_was_counted_or_not() -> None:
    add(120, 1)
    settle()
    add(40, 2)  # not counted yet
    purge.purge({"audit_retention_hour": 24 * 100, "include_event_types": "pull_artifact"}, Job(), size=25)
    left = Entry.objects.count()
    assert 0 < left < 160
    assert totals.total(Entry.objects.all()) == left
    settle()
    assert_tallies_are_right()
    assert not Tally.objects.filter(number=0).exists()


@pytest.mark.parametrize("hours", [0, 7])
def test_parts_of_days_are_told_from_whole_ones(hours: int) -> None:
    add(200, 3)
    settle()
    add(20, 4)
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for first, last in ((200, 20), (30, 30), (30, 29), (5, 40)):
        since, until = today - timedelta(days=first, hours=hours), today - timedelta(days=last)
        ranges = ({"op_time__gte": since}, {"op_time__lt": until}, {"op_time__gt": since, "op_time__lte": until})
        for asked in ranges:
            for rows in (Entry.objects.filter(**asked), Entry.objects.filter(**asked, operation="pull", project_id=1)):
                assert totals.total(rows) == rows.count(), (asked, first, last)


def test_filters_that_tallies_answer_count_no_entry() -> None:
    add(200, 3)
    settle()
    every = Entry.objects.all()
    asked = (
        every.of_projects([1, 2]).filter(operation__in=["pull", "push"], success=True),
        every.of_events(["pull_artifact", "create_tag"]),
        every.filter(username__icontains="SER-1"),
        every.filter(project_id__lt=2),
    )
    for rows in asked:
        right = rows.count()
        with CaptureQueriesContext(connection) as queries:
            assert totals.total(rows) == right, str(rows.query)
        of_entries = [query["sql"] for query in queries if '"audit_entry"' in query["sql"]]
        assert len(of_entries) == 1 and '"audit_entry"."id" >' in of_entries[0], of_entries


@pytest.mark.django_db(transaction=True)
def test_an_id_is_settled_only_when_all_that_began_before_have_ended() -> None:
    """Somebody took an id and has not committed: what is newer is not counted past it. SQLite has one writer."""
    add(5, 1)
    if connection.vendor == "sqlite":
        assert tallies.count_on() == Entry.objects.latest("pk").pk
        return
    taken, go_on = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            add(1, 2)
            taken.set()
            go_on.wait(20)
        connection.close()

    writer = threading.Thread(target=late)
    writer.start()
    assert taken.wait(20)
    add(5, 3)
    tallies.count_on()  # looks
    elapse()
    assert tallies.count_on() == 0
    go_on.set()
    writer.join()
    wait_until_all_is_counted()
    assert_tallies_are_right()


@pytest.mark.django_db(transaction=True)
def test_counting_goes_on_where_transactions_are_numbered_anew() -> None:
    """As in a cluster that a dump was restored to: the numbers of the old one are far ahead."""
    add(5, 1)
    Ledger.objects.update_or_create(
        pk=1, defaults={"newest": 2, "next_transaction": 2**40, "looked_at": timezone.now() - timedelta(days=1)}
    )
    tallies.count_on()  # looks
    wait_until_all_is_counted()
    assert_tallies_are_right()


def wait_until_all_is_counted() -> None:
    """Other tests may be at work in other databases of this cluster: their transactions are waited for, too."""

    def counted() -> bool:
        elapse()
        return tallies.count_on() == Entry.objects.latest("pk").pk

    processes.wait_until(counted, "the end of what is open in the cluster")


@pytest.mark.django_db(transaction=True)
def test_tidying_and_purging_do_not_wait_for_each_other_in_a_circle() -> None:
    """Somebody changes the later of two tallies, then the earlier; tidying takes them as they lie."""
    for name in ("first", "second"):
        Entry.objects.create(op_time=NOW, username=name, operation=name, resource_type="artifact", resource="x")
    settle()
    for tally in (Tally, UserTally):
        tally._default_manager.update(number=0)
    begun = threading.Event()

    def purge_both() -> None:
        with transaction.atomic():
            tallies.delete(Entry.objects.filter(username="second"))
            begun.set()
            time.sleep(0.5)
            tallies.delete(Entry.objects.filter(username="first"))

    def tidy() -> None:
        assert begun.wait(20)
        tallies.tidy()

    assert at_once([purge_both, tidy]) == [None, None]
    assert not Entry.objects.exists()


def elapse() -> None:
    """As if the last look had been a while ago."""
    Ledger.objects.update(looked_at=timezone.now() - timedelta(minutes=1))
