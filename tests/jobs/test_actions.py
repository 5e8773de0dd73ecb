from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import actions
from jobs.models import Execution, Job, JobLog, Status
from tests.redis import Redis

pytestmark = pytest.mark.django_db

QUEUED = "LLEN haven-queue:default"


def a_job(kind: str = "NOTE", **fields: object) -> Job:
    """A job that is due, and was so a moment ago."""
    execution = actions.start(kind, "TEST", {"a": 1})
    Job.objects.filter(execution=execution).update(due_at=Now() - timedelta(seconds=1), **fields)
    return Job.objects.get(execution=execution)


def a_running_job(**fields: object) -> Job:
    job = actions.claim(a_job().pk)
    assert job
    Job.objects.filter(pk=job.pk).update(**fields)
    return job


def die(job: Job) -> None:
    """The worker that holds `job` is gone, and its lease has ended."""
    Job.objects.filter(pk=job.pk).update(lease_until=Now() - timedelta(seconds=1))


def seen(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


def test_a_worker_hears_of_a_job_after_the_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, redis_server: Redis
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        execution = actions.start("NOTE", "TEST", {"a": 1}, vendor_id=7)
        assert redis_server.call(QUEUED) == b":0\r\n"

    job = Job.objects.get(execution=execution)
    assert redis_server.call(QUEUED) == b":1\r\n"
    assert (job.status, job.spec, job.attempts) == (Status.PENDING, {"a": 1}, 0)
    assert job.sent_at
    assert (execution.vendor_type, execution.vendor_id, execution.trigger) == ("TEST", 7, "MANUAL")


def test_a_job_that_is_rolled_back_never_was(redis_server: Redis) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.start("NOTE", "TEST", {})
        raise RuntimeError

    assert not Execution.objects.exists()
    assert redis_server.call(QUEUED) == b":0\r\n"


def test_without_a_broker_the_job_waits(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, no_redis: None
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        actions.start("NOTE", "TEST", {})

    assert Job.objects.get().sent_at is None


def test_a_kind_that_nobody_does_is_refused() -> None:
    with pytest.raises(ValueError, match="no such kind of job: NONSENSE"):
        actions.start("NONSENSE", "TEST", {})

    assert not Execution.objects.exists()


def test_one_job_for_one_key() -> None:
    actions.start("NOTE", "TEST", {}, key="event 1")
    with pytest.raises(IntegrityError), transaction.atomic():
        actions.start("NOTE", "TEST", {}, key="event 1")
    actions.start("NOTE", "TEST", {}, key="event 2")
    actions.start("STUMBLE", "TEST", {}, key="event 1")

    assert Execution.objects.count() == 3


def test_a_job_is_claimed_once() -> None:
    job = a_job()

    claimed = actions.claim(job.pk)

    assert claimed
    assert (claimed.status, claimed.attempts) == (Status.RUNNING, 1)
    assert claimed.lease_until and claimed.lease_until > timezone.now()
    assert claimed.start_time
    assert actions.claim(job.pk) is None


def test_a_job_that_is_not_due_is_not_claimed() -> None:
    job = a_job()
    Job.objects.update(due_at=Now() + timedelta(minutes=1))

    assert actions.claim(job.pk) is None


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.ERROR, Status.STOPPED])
def test_a_finished_job_is_not_claimed(status: Status) -> None:
    assert actions.claim(a_job(status=status).pk) is None


def test_a_dead_workers_job_is_anothers_when_the_lease_ends() -> None:
    first = a_running_job()
    assert actions.claim(first.pk) is None

    die(first)
    second = actions.claim(first.pk)

    assert second
    assert second.attempts == 2
    assert second.lease != first.lease
    assert second.start_time == first.start_time


def test_a_worker_that_was_thought_dead_writes_nothing_more() -> None:
    first = a_running_job()
    die(first)
    assert actions.claim(first.pk)

    assert not actions.renew(first)
    assert not actions.succeed(first)
    assert not actions.fail(first, "no", again=True)
    assert not actions.report(first, {"done": 9})
    assert actions.is_asked_to_stop(first)
    assert (seen(first).status, seen(first).progress) == (Status.RUNNING, {})


def test_a_lease_is_renewed() -> None:
    job = a_running_job()
    Job.objects.update(lease_until=Now() + timedelta(seconds=1))

    assert actions.renew(job)
    assert seen(job).lease_until > timezone.now() + timedelta(seconds=30)  # type: ignore[operator]


def test_success_is_written() -> None:
    job = a_running_job()

    assert actions.succeed(job, "copied\n3")
    assert (seen(job).status, seen(job).status_message) == (Status.SUCCESS, "copied\\u000a3")
    assert seen(job).end_time
    assert seen(job).lease is None


def test_a_failure_for_good_is_final() -> None:
    job = a_running_job()

    assert actions.fail(job, "no such artifact")
    assert (seen(job).status, seen(job).status_message) == (Status.ERROR, "no such artifact")
    assert actions.claim(job.pk) is None


def test_retries_show_on_the_row_and_come_later_each_time() -> None:
    job = a_job(max_attempts=4)
    pauses = []
    for attempt in range(1, 4):
        claimed = actions.claim(job.pk)
        assert claimed
        assert actions.fail(claimed, "away", again=True)
        row = seen(job)
        assert (row.status, row.attempts, row.status_message) == (Status.SCHEDULED, attempt, "away")
        assert actions.claim(job.pk) is None
        pauses.append((row.due_at - timezone.now()).total_seconds())
        Job.objects.update(due_at=Now() - timedelta(seconds=1))
    last = actions.claim(job.pk)
    assert last
    actions.fail(last, "away", again=True)

    assert seen(job).status == Status.ERROR
    assert 20 < pauses[0] < 40 < pauses[1] < 75 < pauses[2] < 150


def test_a_waiting_job_stops_at_once() -> None:
    job = a_job()

    assert actions.stop(job.execution) == 1
    assert seen(job).status == Status.STOPPED
    assert actions.claim(job.pk) is None


def test_a_running_job_is_asked_to_stop() -> None:
    job = a_running_job()
    assert not actions.is_asked_to_stop(job)

    assert actions.stop(job.execution) == 1

    assert actions.is_asked_to_stop(job)
    assert seen(job).status == Status.RUNNING
    assert actions.stopped(job)
    assert seen(job).status == Status.STOPPED


def test_a_job_that_fails_after_it_was_asked_to_stop_is_not_tried_again() -> None:
    job = a_running_job()
    actions.stop(job.execution)

    assert actions.fail(job, "away", again=True)
    assert seen(job).status == Status.STOPPED


def test_stopping_leaves_what_is_finished_and_other_executions_alone() -> None:
    done, other = a_running_job(), a_job()
    actions.succeed(done)

    assert actions.stop(done.execution) == 0
    assert seen(done).status == Status.SUCCESS
    assert seen(other).status == Status.PENDING


@pytest.mark.parametrize(
    ("fields", "expected"),
    [({"attempts": 3}, Status.ERROR), ({"stop_requested": True}, Status.STOPPED), ({}, Status.RUNNING)],
)
def test_what_a_dead_worker_left_is_ended_where_nobody_may_take_it_up(
    fields: dict[str, object], expected: Status
) -> None:
    job = a_running_job(**fields)
    assert actions.settle_abandoned() == 0

    die(job)
    actions.settle_abandoned()

    assert seen(job).status == expected


def test_a_job_writes_a_log_of_lines() -> None:
    job = a_running_job()
    actions.log(job, "one\ntwo")
    actions.log(job, "x" * 9999)

    first, second = JobLog.objects.order_by("id")
    assert str(first).endswith("Z one\\u000atwo")
    assert len(second.line) == 2048


@pytest.mark.parametrize(
    ("statuses", "expected", "ended"),
    [
        ([], "Success", True),
        (["Pending", "Scheduled"], "Pending", False),
        (["Pending", "Success"], "Running", False),
        (["Running"], "Running", False),
        (["Running", "Error"], "Running", False),
        (["Success", "Success"], "Success", True),
        (["Success", "Stopped"], "Stopped", True),
        (["Success", "Stopped", "Error"], "Error", True),
    ],
)
def test_an_execution_is_as_far_as_its_jobs(statuses: list[str], expected: str, ended: bool) -> None:
    execution = actions.start_execution("TEST")
    for status in statuses:
        job = actions.add_job(execution, "NOTE", {})
        end = None if status in {"Pending", "Scheduled", "Running"} else Now()
        Job.objects.filter(pk=job.pk).update(status=status, end_time=end, status_message=status)

    shown: Any = Execution.objects.with_status().with_counts().get()

    assert (shown.status, shown.end_time is not None) == (expected, ended)
    assert shown.status_message == ("Error" if "Error" in statuses else "")
    assert (shown.total, shown.succeeded) == (len(statuses), statuses.count("Success"))
    assert (shown.failed, shown.stopped) == (statuses.count("Error"), statuses.count("Stopped"))
    assert Execution.objects.unfinished().exists() == (not ended)
    asked = {status for status in Status if Execution.objects.of_status(status).exists()}
    assert asked == {expected}  # the list and what it shows agree
    assert Execution.objects.of_status("Running", "Pending").exists() == (not ended)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_job() -> None:
    """Each worker has a connection of its own; on SQLite, whose test database has one, they take turns."""
    if connection.vendor == "sqlite":
        job = a_job()
        assert [actions.claim(job.pk) is not None for _ in range(8)].count(True) == 1
        return
    for _ in range(30):
        job = a_job()
        claims: list[Job | None] = []
        barrier = threading.Barrier(8)

        def work(job_id: int, claims: list[Job | None], barrier: threading.Barrier) -> None:
            barrier.wait()
            claims.append(actions.claim(job_id))
            connection.close()

        workers = [threading.Thread(target=work, args=(job.pk, claims, barrier)) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert len([claim for claim in claims if claim]) == 1
        assert seen(job).attempts == 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_waits_for_a_claim_that_has_not_committed() -> None:
    """Two connections, one transaction open: the second claim must find nothing, not a copy."""
    if connection.vendor == "sqlite":
        job = a_job()
        with transaction.atomic():
            assert actions.claim(job.pk)
            assert actions.claim(job.pk) is None
        return
    job, claims = a_job(), []

    def second() -> None:
        claims.append(actions.claim(job.pk))
        connection.close()

    with transaction.atomic():
        assert actions.claim(job.pk)
        other = threading.Thread(target=second)
        other.start()
        other.join(0.3)
        assert other.is_alive()  # it waits for our row
    other.join()

    assert claims == [None]
