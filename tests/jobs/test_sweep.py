from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import RefreshToken
from jobs import actions, tasks
from jobs.models import Execution, Job, JobLog, Status
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def run(kind: str) -> Job:
    """One job of `kind`, done."""
    job = Job.objects.get(execution=actions.start(kind, kind, {}))
    Job.objects.filter(pk=job.pk).update(due_at=Now() - timedelta(seconds=1))
    tasks.run(job.pk)
    return Job.objects.get(pk=job.pk)


def executions(vendor_type: str, vendor_id: int, number: int) -> list[int]:
    """Ids of executions that are done, the newest first."""
    made = []
    for age in range(number):
        execution = actions.start("NOTE", vendor_type, {}, vendor_id=vendor_id)
        Execution.objects.filter(pk=execution.pk).update(start_time=timezone.now() - timedelta(hours=age))
        Job.objects.filter(execution=execution).update(status=Status.SUCCESS)
        made.append(execution.pk)
    return made


def left(vendor_type: str) -> set[int]:
    return set(Execution.objects.filter(vendor_type=vendor_type).values_list("pk", flat=True))


def test_as_many_executions_are_kept_as_harbor_keeps() -> None:
    one, other = executions("REPLICATION", 1, 53), executions("REPLICATION", 2, 50)
    scans, purges = executions("IMAGE_SCAN", 1, 3), executions("PURGE_AUDIT_LOG", 0, 12)

    assert run("EXECUTION_SWEEP").status_message == "7 executions deleted"

    assert left("REPLICATION") == {*one[:50], *other}
    assert left("IMAGE_SCAN") == set(scans[:1])
    assert left("PURGE_AUDIT_LOG") == set(purges[:10])


def test_what_is_not_finished_is_kept_however_old() -> None:
    scans = executions("IMAGE_SCAN", 1, 3)
    Job.objects.filter(execution=scans[-1]).update(status=Status.RUNNING, lease_until=Now() + timedelta(hours=1))

    run("EXECUTION_SWEEP")

    assert left("IMAGE_SCAN") == {scans[0], scans[-1]}


def test_jobs_and_logs_go_with_their_execution() -> None:
    scans = executions("IMAGE_SCAN", 1, 2)
    for job in Job.objects.filter(execution__in=scans):
        actions.log(job, "a line")

    run("EXECUTION_SWEEP")

    assert set(JobLog.objects.values_list("job__execution", flat=True)) == {scans[0]}


def test_what_has_expired_is_deleted_and_nothing_else(cast: Cast) -> None:
    for name, age in (("old", -1), ("young", 1)):
        session = SessionStore()
        session["name"] = name
        session.set_expiry(timezone.now() + timedelta(days=age))
        session.save()
        RefreshToken.objects.create(
            user=cast.developer, digest=name, auth_epoch=0, expires_at=timezone.now() + timedelta(days=age)
        )

    done = run("HOUSEKEEPING")

    assert done.status == Status.SUCCESS
    assert "1 refresh tokens" in done.status_message
    assert Session.objects.get().get_decoded()["name"] == "young"
    assert RefreshToken.objects.get().digest == "young"
