from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from jobs import actions, tasks
from jobs.models import Job, JobLog, Status
from tests.jobs import work
from tests.redis import Redis

pytestmark = pytest.mark.django_db

QUEUED = "LLEN haven-queue:default"


def a_job(kind: str, **spec: object) -> Job:
    job = Job.objects.get(execution=actions.start(kind, "TEST", spec))
    Job.objects.filter(pk=job.pk).update(due_at=Now() - timedelta(seconds=1))
    return job


def run(job: Job) -> Job:
    tasks.run(job.pk)
    return Job.objects.get(pk=job.pk)


def test_a_job_runs_its_function_and_writes_the_outcome() -> None:
    done = run(a_job("NOTE", number=1))

    assert work.done == [{"number": 1}]
    assert (done.status, done.status_message, done.progress) == (Status.SUCCESS, "noted", {"done": 1, "total": 1})
    assert JobLog.objects.get().line == "noted\\u000ait"


def test_a_message_that_comes_twice_does_the_work_once() -> None:
    job = a_job("NOTE", number=1)

    run(job)
    run(job)

    assert len(work.done) == 1
    assert Job.objects.get().attempts == 1


def test_a_message_about_a_job_that_is_gone_is_nothing() -> None:
    tasks.run(4711)

    assert work.done == []


def test_a_temporary_failure_is_tried_again() -> None:
    job = a_job("STUMBLE", until=2)

    assert run(job).status == Status.SCHEDULED
    Job.objects.update(due_at=Now() - timedelta(seconds=1))
    assert (run(job).status, run(job).status_message) == (Status.SUCCESS, "got through")


def test_a_crash_ends_the_job_and_tells_people_no_more_than_its_kind(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        done = run(a_job("CRASH", canary="canary-7f3a"))

    assert (done.status, done.status_message) == (Status.ERROR, "KeyError")
    assert not JobLog.objects.exists()
    assert "CRASH" in caplog.text  # the operator's log has the traceback


def test_a_kind_that_a_newer_version_lacks_ends_its_job() -> None:
    job = a_job("NOTE")
    Job.objects.update(kind="FORMER")

    assert run(job).status == Status.ERROR


def test_a_job_that_heeds_the_stop_ends_as_stopped() -> None:
    assert run(a_job("HEED")).status == Status.STOPPED


def test_the_nudge_sends_what_no_worker_heard_of(redis_server: Redis) -> None:
    a_job("NOTE")

    tasks.nudge()

    assert redis_server.call(QUEUED) == b":1\r\n"
    assert Job.objects.get().sent_at


def test_the_nudge_does_not_fill_a_queue_that_still_holds_messages(redis_server: Redis) -> None:
    for _ in range(3):
        a_job("NOTE")

    for _ in range(5):
        tasks.nudge()

    assert redis_server.call(QUEUED) == b":3\r\n"


def test_messages_that_redis_lost_are_sent_again(redis_server: Redis) -> None:
    a_job("NOTE")
    tasks.nudge()
    redis_server.call("FLUSHALL")

    tasks.nudge()

    assert redis_server.call(QUEUED) == b":1\r\n"


def test_a_message_lost_from_a_busy_queue_is_sent_again_after_a_while(redis_server: Redis) -> None:
    lost, other = a_job("NOTE"), a_job("NOTE")
    actions.send(other)
    Job.objects.filter(pk=lost.pk).update(sent_at=Now() - timedelta(minutes=11))

    tasks.nudge()

    assert redis_server.call(QUEUED) == b":2\r\n"
    assert Job.objects.get(pk=lost.pk).sent_at > timezone.now() - timedelta(minutes=1)  # type: ignore[operator]


def test_the_nudge_leaves_alone_what_runs_waits_or_is_done(redis_server: Redis) -> None:
    running, later, done = a_job("NOTE"), a_job("NOTE"), a_job("NOTE")
    actions.claim(running.pk)
    Job.objects.filter(pk=later.pk).update(due_at=Now() + timedelta(minutes=1))
    run(done)

    tasks.nudge()

    assert redis_server.call(QUEUED) == b":0\r\n"


def test_the_nudge_sends_what_a_dead_worker_left(redis_server: Redis) -> None:
    job = a_job("NOTE")
    actions.claim(job.pk)
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))

    tasks.nudge()

    assert redis_server.call(QUEUED) == b":1\r\n"
    assert run(job).status == Status.SUCCESS


def test_without_redis_the_nudge_waits_for_its_next_turn(no_redis: None) -> None:
    a_job("NOTE")

    tasks.nudge()

    assert Job.objects.get().sent_at is None
