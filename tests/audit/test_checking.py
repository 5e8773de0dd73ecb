"""What the tallies say is what the log holds; where it is not, `fsck` names it and `recount` puts it right."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from artifacts import fsck
from audit import checking, tallies, totals
from audit.models import Entry, Ledger, Tally, UserTally
from tests.audit.test_pages import add, settle
from tests.audit.test_tallies import assert_tallies_are_right

pytestmark = pytest.mark.django_db


def recount() -> str:
    told = StringIO()
    call_command("recount", stdout=told)
    return told.getvalue()


def test_a_log_that_nobody_counted_yet_is_as_it_should_be() -> None:
    assert (checking.drifted(), list(fsck.tallies())) == (0, [])
    add(30, 1)
    assert checking.drifted() == checking.put_right() == 0
    settle()
    add(30, 2)  # these are not counted yet
    assert "everything is as it should be" in recount()
    settle()
    assert_tallies_are_right()


def test_tallies_that_drifted_are_named_and_put_right() -> None:
    add(300, 1)
    settle()
    add(20, 2)
    lists = (Entry.objects.all(), Entry.objects.of_projects([1]), Entry.objects.filter(username="user-1"))
    right = [rows.count() for rows in lists]
    first, *others = Tally.objects.filter(project_id=0).order_by("pk")
    Tally.objects.filter(pk=first.pk).update(number=F("number") + 7)  # too many
    others[0].delete()  # none
    Tally.objects.filter(project_id=1).delete()
    UserTally.objects.filter(username="user-1").update(number=0)
    UserTally.objects.create(username="ghost", operation="pull", resource_type="artifact", success=True, number=3)
    days = Entry.objects.filter(project_id=1, pk__lte=Ledger.objects.get().counted)
    kinds = len(set(days.values_list("op_time__date", "success")))
    wrong = 1 + 1 + kinds + 2 + 1
    assert [totals.total(rows) for rows in lists] != right  # and remembered so

    assert list(fsck.tallies()) == [f"I7 audit log: {wrong} of its tallies are wrong"]
    assert Tally.objects.get(pk=first.pk).number == first.number + 7, "who checks changes nothing"
    assert f"audit log: {wrong} of its tallies were wrong" in recount()

    assert list(fsck.tallies()) == []
    assert [totals.total(rows) for rows in lists] == right
    assert "everything is as it should be" in recount()
    settle()
    assert_tallies_are_right()


def test_entries_deleted_behind_everybodys_back_are_taken_off() -> None:
    add(100, 1)
    settle()
    everything = Entry.objects.filter(resource__icontains="one")
    totals.total(everything)  # no tally tells it, so it is remembered
    doomed = everything.values_list("pk", flat=True)[:5]
    Entry.objects.filter(pk__in=list(doomed)).delete()
    assert checking.drifted() > 0
    recount()
    assert totals.total(everything) == everything.count()
    assert_tallies_are_right()


def test_checking_reads_what_drifted_alone() -> None:
    """Twice as many entries and tallies are compared by as few queries, in the database."""
    add(100, 1)
    settle()
    add(300, 2, operation="push")
    settle()
    tallies.tidy()
    with CaptureQueriesContext(connection) as asked:
        assert checking.drifted() == 0
    assert len(asked) == 2
