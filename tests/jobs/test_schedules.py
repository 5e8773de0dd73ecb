from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from jobs import queues, schedules, tasks
from jobs.cron import CronInvalid, next_after
from jobs.models import Execution, Job, Schedule
from tests.races import at_once

MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 0 * * * *", "2026-11-23 15:00"),
        ("0 */5 * * * *", "2026-11-23 14:05"),
        ("0 5/20 * * * *", "2026-11-23 14:05"),
        ("0 0 0 * * *", "2026-11-24 00:00"),
        ("0 30 2 1 * *", "2026-12-01 02:30"),
        ("0 0 0 * * 0", "2026-11-29 00:00"),
        ("0 0 0 * * MON-WED", "2026-11-24 00:00"),
        ("0 0 0 ? * 1", "2026-11-30 00:00"),
        ("0 0 0 13 * 5", "2026-11-27 00:00"),  # the 13th or a Friday
        ("0 0 0 25 * 5", "2026-11-25 00:00"),
        ("0 0 0 */2 * MON", "2026-11-25 00:00"),  # an odd day or a Monday
        ("0 0 0 */1 * MON", "2026-11-30 00:00"),  # every day is no restriction
        ("0 0 0 13 * */1", "2026-12-13 00:00"),
        ("0 0 0 1 JUL *", "2027-07-01 00:00"),
        ("0 0 0 29 2 *", "2028-02-29 00:00"),
    ],
)
def test_the_next_time(cron: str, expected: str) -> None:
    assert next_after(cron, MONDAY) == datetime.fromisoformat(f"{expected}Z")


@pytest.mark.parametrize(
    "cron",
    [
        *("", "0", "@daily", "0 * * * *", "0 * * * * * 2026", "1 * * * * *", "* * * * * *", "*/5 * * * * *"),
        *("00 0 0 * * *", "0 60 * * * *", "0 -1 * * * *", "0 0 24 * * *", "0 0 0 32 * *", "0 0 0 30 2 *"),
        *("0 x * * * *", "0 0 0 L * *", "0 0 0 * * 5#2", "0 0 0 * * 5L", "0 \u0663 * * * *", "0 */0 * * * *"),
    ],
)
def test_what_harbor_does_not_take_is_refused(cron: str) -> None:
    with pytest.raises(CronInvalid):
        next_after(cron, MONDAY)


@pytest.fixture
def _none_of_our_own(settings: Settings) -> None:
    settings.OWN_SCHEDULES = {}


def due(cron: str = "0 0 * * * *") -> Schedule:
    schedule = schedules.set_schedule("TEST", "NOTE", cron, vendor_id=7, spec={"a": 1})
    Schedule.objects.filter(pk=schedule.pk).update(next_run=timezone.now() - timedelta(days=3))
    return schedule


@pytest.mark.django_db
@pytest.mark.usefixtures("_none_of_our_own")
class TestTick:
    def test_starts_what_is_due_once_however_long_nobody_looked(self) -> None:
        due()

        tasks.tick()
        tasks.tick()

        execution = Execution.objects.get()
        assert (execution.vendor_type, execution.vendor_id, execution.trigger) == ("TEST", 7, "SCHEDULE")
        assert Job.objects.get(execution=execution).spec == {"a": 1}
        assert Schedule.objects.get().next_run > timezone.now()

    def test_leaves_alone_what_is_not_due_or_switched_off(self) -> None:
        schedules.set_schedule("TEST", "NOTE", "0 0 0 1 1 *", vendor_id=1)
        due()
        Schedule.objects.filter(vendor_id=7).update(enabled=False)

        tasks.tick()

        assert not Execution.objects.exists()

    def test_a_broken_row_is_switched_off_and_does_not_stop_the_others(self) -> None:
        due()
        Schedule.objects.create(
            vendor_type="TEST", vendor_id=8, kind="NOTE", cron="nonsense", next_run=timezone.now() - timedelta(days=9)
        )

        tasks.tick()

        assert not Schedule.objects.get(vendor_id=8).enabled
        assert Execution.objects.get().vendor_id == 7

    def test_a_kind_that_nobody_does_does_not_stop_the_others(self) -> None:
        due()
        Schedule.objects.create(
            vendor_type="TEST", vendor_id=8, kind="FORMER", cron="0 0 * * * *", next_run=timezone.now() - timedelta(9)
        )

        tasks.tick()

        assert Execution.objects.get().vendor_id == 7


@pytest.mark.django_db
def test_there_is_one_schedule_for_each_vendor_and_id() -> None:
    schedules.set_schedule("TEST", "NOTE", "0 0 * * * *")
    schedules.set_schedule("TEST", "NOTE", "0 0 0 * * *", cron_type="Daily")

    schedule = Schedule.objects.get(vendor_type="TEST")
    assert (schedule.cron, schedule.cron_type) == ("0 0 0 * * *", "Daily")
    assert schedules.remove_schedule("TEST")
    assert not schedules.remove_schedule("TEST")


@pytest.mark.django_db
def test_a_wrong_cron_changes_nothing() -> None:
    schedules.set_schedule("TEST", "NOTE", "0 0 * * * *")
    with pytest.raises(CronInvalid):
        schedules.set_schedule("TEST", "NOTE", "* * * * * *")

    assert Schedule.objects.get().cron == "0 0 * * * *"


@pytest.mark.django_db
def test_havens_own_schedules_are_there_and_an_operators_change_of_one_stays() -> None:
    tasks.tick()
    assert set(Schedule.objects.values_list("vendor_type", flat=True)) == set(settings.OWN_SCHEDULES)

    Schedule.objects.filter(vendor_type="HOUSEKEEPING").update(cron="0 0 0 * * *")
    tasks.tick()

    assert Schedule.objects.get(vendor_type="HOUSEKEEPING").cron == "0 0 0 * * *"
    assert Schedule.objects.count() == len(settings.OWN_SCHEDULES)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_none_of_our_own")
def test_ticks_at_once_start_it_once() -> None:
    """On SQLite, whose test database has one connection, they take turns."""
    due()
    number = 1 if connection.vendor == "sqlite" else 6
    barrier = threading.Barrier(number)

    def one() -> None:
        barrier.wait()
        tasks.tick()
        connection.close()

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Execution.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_set_and_removed_at_once() -> None:
    """Whoever sets what another one just removes has set it; pausing and resuming alike. Nobody fails."""
    calls: list[Callable[[], object]] = [
        lambda: schedules.set_schedule("PURGE_AUDIT_LOG", "PURGE_AUDIT_LOG", "0 0 0 * * *"),
        lambda: schedules.remove_schedule("PURGE_AUDIT_LOG"),
        lambda: queues.pause("HOUSEKEEPING"),
        lambda: queues.resume("HOUSEKEEPING"),
    ]
    for _ in range(1 if connection.vendor == "sqlite" else 20):
        outcomes = at_once(calls * (1 if connection.vendor == "sqlite" else 4))
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert Schedule.objects.count() <= 1
