"""The queues as Harbor shows them: one for each kind of job. Whoever calls has decided who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.utils import timezone

from jobs import actions
from jobs.models import UNFINISHED, WAITING, Job, Pause, Status
from jobs.schedules import SCHEDULER


@dataclass(frozen=True, slots=True)
class Queue:
    """The jobs of one kind that wait: how many, and since when the oldest could have run."""

    kind: str
    count: int = 0
    latency: timedelta = timedelta()
    paused: bool = False


def kinds() -> list[str]:
    """Every kind of job there is, and the schedules."""
    return sorted([*settings.JOB_KINDS, SCHEDULER])


def queues() -> list[Queue]:
    """One for each of `kinds`. Two queries."""
    now = timezone.now()
    paused = set(Pause.objects.values_list("kind", flat=True))
    jobs = Job.objects.filter(status__in=WAITING).values("kind").annotate(count=Count("pk"), oldest=Min("due_at"))
    waiting = {row["kind"]: (row["count"], max(now - row["oldest"], timedelta())) for row in jobs}
    return [Queue(kind, *waiting.get(kind, (0, timedelta())), paused=kind in paused) for kind in kinds()]


def pause(kind: str) -> None:
    """Let nobody take up a job of `kind` from now on; what runs goes on."""
    Pause.objects.bulk_create([Pause(kind=kind)], ignore_conflicts=True)


@transaction.atomic
def resume(kind: str) -> None:
    """Let the jobs of `kind` run again; workers hear of them at once."""
    if Pause.objects.filter(kind=kind).delete()[0]:
        Job.objects.filter(kind=kind, status__in=WAITING).update(sent_at=None)
        transaction.on_commit(lambda: actions.send_more(kind), robust=True)


@transaction.atomic
def stop_waiting(kind: str) -> int:
    """Stop every job of `kind` that waits, however many; how many there were."""
    stopped = {"status": Status.STOPPED, "status_message": "stopped before it ran", "stop_requested": True}
    waiting = Job.objects.filter(kind=kind, status__in=WAITING)
    return waiting.update(**stopped, end_time=Now(), update_time=Now())


@transaction.atomic
def stop_job(job: Job) -> None:
    """Ask `job` to stop; one that waits stops at once, one that ended stays as it is."""
    jobs = Job.objects.filter(pk=job.pk)
    jobs.filter(status__in=UNFINISHED).update(stop_requested=True, update_time=Now())
    stopped = {"status": Status.STOPPED, "status_message": "stopped before it ran"}
    jobs.filter(status__in=WAITING).update(**stopped, end_time=Now(), update_time=Now())


def stop_running() -> int:
    """Ask every job that runs to stop; how many there are."""
    return Job.objects.filter(status=Status.RUNNING).update(stop_requested=True, update_time=Now())
