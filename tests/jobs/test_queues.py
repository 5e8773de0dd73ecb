"""Pausing a kind of job, stopping what waits of it, and the workers that are there."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from jobs import actions, pools, queues, schedules, tasks
from jobs.models import Execution, Job, Pool, Schedule, Status
from tests.jobs import work

pytestmark = pytest.mark.django_db


def a_job(kind: str = "NOTE", **spec: object) -> Job:
    job = Job.objects.get(execution=actions.start(kind, "TEST", spec))
    Job.objects.filter(pk=job.pk).update(due_at=Now() - timedelta(seconds=90))
    return job


def queue(kind: str) -> queues.Queue:
    return next(found for found in queues.queues() if found.kind == kind)


def test_nobody_takes_up_a_job_of_a_kind_that_is_paused() -> None:
    job, other = a_job(number=1), a_job("STUMBLE", until=1)
    queues.pause("NOTE")

    tasks.run(job.pk)
    tasks.run(other.pk)

    assert work.done == []
    assert Job.objects.get(pk=job.pk).attempts == 0
    assert Job.objects.get(pk=other.pk).status == Status.SUCCESS
    assert (queue("NOTE").count, queue("NOTE").paused, queue("STUMBLE").paused) == (1, True, False)
    assert queue("NOTE").latency >= timedelta(seconds=90)


def test_what_a_dead_worker_left_waits_too_and_is_not_sent() -> None:
    job = a_job(number=1)
    Job.objects.filter(pk=job.pk).update(
        status=Status.RUNNING, lease=uuid.uuid4(), lease_until=Now() - timedelta(seconds=1), sent_at=None
    )
    queues.pause("NOTE")

    assert actions.resend({}) == 0
    assert actions.claim(job.pk) is None


def test_resumed_jobs_run(django_capture_on_commit_callbacks: object) -> None:
    job = a_job(number=1)
    queues.pause("NOTE")
    tasks.run(job.pk)
    queues.resume("NOTE")

    assert Job.objects.get(pk=job.pk).sent_at is None  # so that a worker is told again
    tasks.run(job.pk)
    assert work.done == [{"number": 1}]


def test_pausing_twice_and_resuming_what_runs_change_nothing() -> None:
    queues.pause("NOTE")
    queues.pause("NOTE")
    queues.resume("NOTE")
    queues.resume("NOTE")
    assert not queue("NOTE").paused


def test_what_waits_is_stopped_and_what_runs_is_not() -> None:
    waiting, running, other = a_job(number=1), a_job(number=2), a_job("STUMBLE", until=1)
    assert actions.claim(running.pk)

    assert queues.stop_waiting("NOTE") == 1

    found = dict(Job.objects.values_list("pk", "status"))
    assert found == {waiting.pk: Status.STOPPED, running.pk: Status.RUNNING, other.pk: Status.PENDING}
    tasks.run(waiting.pk)
    assert work.done == []


def test_nothing_starts_by_itself_while_the_schedules_are_paused(settings: object) -> None:
    schedules.set_schedule("TEST", "NOTE", "0 0 0 1 1 *")
    Schedule.objects.update(next_run=timezone.now() - timedelta(hours=3))
    queues.pause(schedules.SCHEDULER)

    assert schedules.start_due() == 0
    assert not Execution.objects.filter(vendor_type="TEST").exists()
    queues.resume(schedules.SCHEDULER)
    schedules.start_due()
    assert Execution.objects.filter(vendor_type="TEST").count() == 1  # once, however often it was due


@pytest.fixture
def pool() -> Iterator[Pool]:
    pools.begin(3)
    yield Pool.objects.get()
    pools.end()


def test_a_pool_is_listed_with_its_workers_and_what_they_do(pool: Pool) -> None:
    job = a_job(number=1)
    assert actions.claim(job.pk)

    busy, *idle = pools.workers("all")

    assert [found.pk for found in pools.alive()] == [pool.pk]
    assert (busy.job, busy.pool_id, len(idle)) == (job, str(pool.pk), 2)
    assert pools.workers(str(pool.pk)) == [busy, *idle]
    assert pools.workers("nothing") == []
    assert actions.succeed(Job.objects.get(pk=job.pk))
    assert [worker.job for worker in pools.workers("all")] == [None] * 3


def test_a_pool_that_says_nothing_is_dead(pool: Pool) -> None:
    Pool.objects.update(heartbeat=Now() - pools.ALIVE - timedelta(seconds=1))
    assert not pools.alive().exists() and pools.workers("all") == []


def test_a_pool_that_ends_is_gone() -> None:
    pools.begin(1)
    pools.end()
    assert not Pool.objects.exists() and pools.own() is None
