"""Starting, claiming and ending work. Who may do so is decided above; here every step is one conditional write."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from audit import broker
from audit.text import one_line
from jobs import pools
from jobs.models import UNFINISHED, WAITING, Execution, Job, JobLog, Pause, Status, Trigger

MAX_ATTEMPTS = 3
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)
_RESEND = timedelta(minutes=10)
WINDOW = 100
"""Messages about jobs that a queue holds at most, however many jobs wait."""


@transaction.atomic
def start(
    kind: str,
    vendor_type: str,
    spec: Mapping[str, Any],
    *,
    trigger: str = Trigger.MANUAL,
    vendor_id: int = 0,
    key: str = "",
    extra_attrs: Mapping[str, Any] | None = None,
    max_attempts: int = MAX_ATTEMPTS,
) -> Execution:
    """An execution of one job. With a `key` that a job of this kind had before: IntegrityError, nothing is started."""
    execution = start_execution(vendor_type, vendor_id=vendor_id, trigger=trigger, extra_attrs=extra_attrs)
    add_job(execution, kind, spec, key=key, max_attempts=max_attempts)
    return execution


def start_execution(
    vendor_type: str,
    *,
    vendor_id: int = 0,
    trigger: str = Trigger.MANUAL,
    extra_attrs: Mapping[str, Any] | None = None,
) -> Execution:
    """An execution without jobs: `add_job` gives it some, in the same transaction."""
    return Execution.objects.create(
        vendor_type=vendor_type,
        vendor_id=vendor_id,
        trigger=trigger,
        extra_attrs=dict(extra_attrs or {}),
        start_time=timezone.now(),
    )


def add_job(
    execution: Execution,
    kind: str,
    spec: Mapping[str, Any],
    *,
    key: str = "",
    max_attempts: int = MAX_ATTEMPTS,
) -> Job:
    """A job that a worker hears of once the transaction has committed. ValueError for a kind that settings lack."""
    if kind not in settings.JOB_KINDS:
        raise ValueError(f"no such kind of job: {kind}")
    job = Job.objects.create(
        execution=execution,
        kind=kind,
        key=key,
        spec=dict(spec),
        max_attempts=max_attempts,
        due_at=Now(),
    )
    transaction.on_commit(lambda: send(job), robust=True)
    return job


def send(job: Job) -> bool:
    """Nudge a worker about `job`; False where the broker is away, and beat will."""
    if not broker.send("jobs.tasks.run", job.pk, queue=queue_of(job.kind)):
        return False
    Job.objects.filter(pk=job.pk).update(sent_at=Now())
    return True


def queue_of(kind: str) -> str:
    """The queue whose workers do this kind of work."""
    queues: Mapping[str, str] = settings.JOB_QUEUES
    return queues.get(kind, "default")


def lease() -> timedelta:
    """How long a claim holds without being renewed; a worker renews it three times in that time."""
    return timedelta(seconds=settings.JOB_LEASE)


def claim(job_id: int) -> Job | None:
    """`job_id`, running under a lease of our own; None if it is not due or somebody else's.

    One conditional update: of two claims at once one finds the row changed. All times are the database's.
    """
    holder = uuid.uuid4()
    claimed = Job.objects.filter(_claimable(), pk=job_id, attempts__lt=F("max_attempts"), stop_requested=False).update(
        status=Status.RUNNING,
        lease=holder,
        pool=pools.own(),
        lease_until=Now() + lease(),
        attempts=F("attempts") + 1,
        start_time=Coalesce("start_time", Now()),
        update_time=Now(),
    )
    return Job.objects.select_related("execution").get(pk=job_id, lease=holder) if claimed else None


def renew(job: Job) -> bool:
    """Hold `job` for another lease; False if it is not ours any more."""
    return bool(_held(job).update(lease_until=Now() + lease(), update_time=Now()))


def succeed(job: Job, message: str = "", progress: Mapping[str, Any] | None = None) -> bool:
    """Write that `job` is done, and its last progress if given; False, and nothing written, if it is not ours any
    more."""
    return _finish(job, Status.SUCCESS, message, **({} if progress is None else {"progress": dict(progress)}))


def fail(job: Job, message: str, *, again: bool = False, after: float = 0) -> bool:
    """Write that this attempt failed: for good, or with `again` until the attempts are used up, each pause longer.

    `after`: seconds that the next attempt waits at least, because a server asked for it; at most an hour is heeded.
    """
    if not again or job.attempts >= job.max_attempts:
        return _finish(job, Status.ERROR, message)
    waits = (
        _held(job)
        .filter(stop_requested=False)
        .update(
            status=Status.SCHEDULED,
            status_message=one_line(message, 1024),
            due_at=Now() + max(_pause(job.attempts), min(timedelta(seconds=after), _LONGEST_PAUSE)),
            lease=None,
            lease_until=None,
            sent_at=None,
            update_time=Now(),
        )
    )
    return bool(waits) or stopped(job, message)


def stopped(job: Job, message: str = "stopped") -> bool:
    """Write that `job` ended early because somebody asked."""
    return _finish(job, Status.STOPPED, message)


@transaction.atomic
def stop(execution: Execution) -> int:
    """Ask every unfinished job of `execution` to stop; how many there are. Those not yet running stop at once."""
    jobs = Job.objects.filter(execution=execution)
    asked = jobs.filter(status__in=UNFINISHED).update(stop_requested=True, update_time=Now())
    jobs.filter(status__in=WAITING).update(
        status=Status.STOPPED, status_message="stopped before it ran", end_time=Now(), update_time=Now()
    )
    return asked


@transaction.atomic
def again(execution: Execution) -> int:
    """Let each job of `execution` that failed or was stopped be done once more, its attempts counted anew; how many."""
    ended = Job.objects.filter(execution=execution, status__in=(Status.ERROR, Status.STOPPED))
    kinds = set(ended.values_list("kind", flat=True))
    revived = ended.update(
        status=Status.PENDING,
        status_message="",
        attempts=0,
        stop_requested=False,
        due_at=Now(),
        sent_at=None,
        end_time=None,
        update_time=Now(),
    )
    transaction.on_commit(lambda: [send_more(kind) for kind in kinds], robust=True)
    return revived


def log(job: Job, line: str) -> None:
    """Add a line to the log that people read. No secrets, no bodies of foreign answers."""
    add_lines(job, [(timezone.now(), line)])


def add_lines(job: Job, lines: Sequence[tuple[datetime, str]]) -> None:
    """As `log`, for several at once, each with the moment that it is of."""
    JobLog.objects.bulk_create([JobLog(job=job, time=when, line=one_line(line, 2048)) for when, line in lines])


def report(job: Job, progress: Mapping[str, Any]) -> bool:
    """Show how far `job` is; False if it is not ours any more."""
    return bool(_held(job).update(progress=dict(progress), update_time=Now()))


def is_asked_to_stop(job: Job) -> bool:
    """Whether to end early: somebody asked, or the job is not ours any more."""
    return not _held(job).filter(stop_requested=False).exists()


def settle_abandoned() -> int:
    """End what dead workers left and nobody may take up: asked to stop, or out of attempts. How many."""
    abandoned = Job.objects.filter(status=Status.RUNNING, lease_until__lt=Now())
    end: dict[str, Any] = {"lease": None, "lease_until": None, "end_time": Now(), "update_time": Now()}
    ended = abandoned.filter(stop_requested=True).update(status=Status.STOPPED, status_message="stopped", **end)
    lost = "its worker died, in the last attempt too"
    used_up = abandoned.filter(attempts__gte=F("max_attempts"))
    return ended + used_up.update(status=Status.ERROR, status_message=lost, **end)


def resend(waiting: Mapping[str, int]) -> int:
    """Send again what is due or was left by a dead worker; how many.

    `waiting` says how many messages each queue holds. One that holds any most likely holds those of its jobs too, so
    it gets only what was sent long ago or never; and none ever holds more than WINDOW of ours.
    """
    kinds: dict[str, list[str]] = {}
    for kind in settings.JOB_KINDS:
        kinds.setdefault(queue_of(kind), []).append(kind)
    sent = 0
    for queue, served in kinds.items():
        held = waiting.get(queue, 0)
        due = Job.objects.filter(_claimable(), kind__in=served).order_by("due_at")
        if held:
            due = due.filter(Q(sent_at=None) | Q(sent_at__lt=Now() - _RESEND))
        for job in due[: max(WINDOW - held, 0)]:
            if not send(job):
                return sent
            sent += 1
    return sent


def send_more(kind: str, most: int = WINDOW) -> int:
    """Send the oldest jobs of `kind` that nobody was told of, at most so many; how many.

    Where there are more than the broker is to hold, each that ends lets another be sent.
    """
    unsent = Job.objects.filter(_claimable(), kind=kind, status__in=WAITING, sent_at=None)
    queue, sent = queue_of(kind), 0
    for pk in unsent.order_by("due_at", "pk").values_list("pk", flat=True)[: most + 8]:  # others may take some
        if sent == most:
            break
        if not Job.objects.filter(pk=pk, sent_at=None).update(sent_at=Now()):
            continue
        if not broker.send("jobs.tasks.run", pk, queue=queue):
            Job.objects.filter(pk=pk).update(sent_at=None)
            break
        sent += 1
    return sent


def _claimable() -> Q:
    """Due, or left by a dead worker, and of a kind that is not paused."""
    due = Q(status__in=WAITING, due_at__lte=Now()) | Q(status=Status.RUNNING, lease_until__lt=Now())
    return due & ~Q(Exists(Pause.objects.filter(kind=OuterRef("kind"))))


def _held(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, status=Status.RUNNING, lease=job.lease)


def _finish(job: Job, status: Status, message: str, **more: Any) -> bool:
    return bool(
        _held(job).update(
            status=status,
            status_message=one_line(message, 1024),
            lease=None,
            lease_until=None,
            end_time=Now(),
            update_time=Now(),
            **more,
        )
    )


def _pause(attempts: int) -> timedelta:
    """Twice as long each time, a little uneven so that many do not come back at once."""
    pause = min(_FIRST_PAUSE * (1 << min(attempts - 1, 16)), _LONGEST_PAUSE)
    return pause * random.uniform(0.8, 1.2)
