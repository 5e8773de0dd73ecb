from __future__ import annotations

from django.db import models
from django.db.models import Case, Count, Exists, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce


class Status(models.TextChoices):
    """Harbor's words for how far a job is."""

    PENDING = "Pending"
    SCHEDULED = "Scheduled"  # waits for its next attempt
    RUNNING = "Running"
    STOPPED = "Stopped"
    ERROR = "Error"
    SUCCESS = "Success"


WAITING = (Status.PENDING, Status.SCHEDULED)
UNFINISHED = (*WAITING, Status.RUNNING)
FINISHED = (Status.STOPPED, Status.ERROR, Status.SUCCESS)


class Trigger(models.TextChoices):
    """Who asked for it."""

    MANUAL = "MANUAL"
    SCHEDULE = "SCHEDULE"
    EVENT = "EVENT"


class ExecutionQuerySet(models.QuerySet["Execution"]):
    def with_status(self) -> ExecutionQuerySet:
        """Adds `status`, `status_message` and `end_time`, derived from the jobs.

        Running while some of its work is done and some is not; else the worst outcome: Error, Stopped, Success. An
        execution that found nothing to do succeeded when it started.
        """
        return self.annotate(
            status=Case(
                When(_has(Status.RUNNING), then=Value(Status.RUNNING)),
                When(_has(*WAITING) & _has(*FINISHED), then=Value(Status.RUNNING)),
                When(_has(*WAITING), then=Value(Status.PENDING)),
                When(_has(Status.ERROR), then=Value(Status.ERROR)),
                When(_has(Status.STOPPED), then=Value(Status.STOPPED)),
                default=Value(Status.SUCCESS),
                output_field=models.CharField(),
            ),
            status_message=Coalesce(_of_jobs("status_message", Status.ERROR), Value("")),
            end_time=Case(
                When(_has(*UNFINISHED), then=None),
                default=Coalesce(_of_jobs("end_time", *FINISHED), "start_time"),
                output_field=models.DateTimeField(null=True),
            ),
        )

    def of_status(self, *asked: str) -> ExecutionQuerySet:
        """Those whose derived status is one of these: as `with_status` says it, found from the jobs, which are indexed
        by every status but the one that nearly all of them end with.
        """
        running, waiting, finished = _with(Status.RUNNING), _with(*WAITING), Q(_has(*FINISHED))
        unfinished, error, stopped = running | waiting, _with(Status.ERROR), _with(Status.STOPPED)
        conditions = {
            Status.RUNNING: running | waiting & finished,
            Status.PENDING: waiting & ~running & ~finished,
            Status.ERROR: error & ~unfinished,
            Status.STOPPED: stopped & ~unfinished & ~error,
            Status.SUCCESS: ~unfinished & ~error & ~stopped,
        }
        if {Status.RUNNING, Status.PENDING} == {*asked}:
            return self.filter(unfinished)
        chosen = Q(pk__in=[])
        for status, condition in conditions.items():
            if status in asked:
                chosen |= condition
        return self.filter(chosen)

    def with_counts(self) -> ExecutionQuerySet:
        """Adds how many jobs there are: `total`, `succeeded`, `failed`, `stopped`, `in_progress`."""
        return self.annotate(
            total=_number(*Status),
            succeeded=_number(Status.SUCCESS),
            failed=_number(Status.ERROR),
            stopped=_number(Status.STOPPED),
            in_progress=_number(*UNFINISHED),
        )

    def unfinished(self) -> ExecutionQuerySet:
        """Executions that still have something to do."""
        return self.filter(_has(*UNFINISHED))


def _jobs(*statuses: Status) -> models.QuerySet[Job]:
    return Job.objects.filter(execution=OuterRef("pk"), status__in=statuses)


def _has(*statuses: Status) -> Exists:
    return Exists(_jobs(*statuses))


def _with(*statuses: Status) -> Q:
    """Executions with a job of these statuses, asked of the jobs."""
    return Q(pk__in=Job.objects.filter(status__in=statuses).values("execution"))


def _of_jobs(column: str, *statuses: Status) -> Subquery:
    """`column` of the job that ended last."""
    return Subquery(_jobs(*statuses).order_by("-end_time").values(column)[:1])


def _number(*statuses: Status) -> Coalesce:
    counted = _jobs(*statuses).order_by().values("execution").annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted), 0)


class Execution(models.Model):
    """One run of something long: a replication, a retention, a sweep. What it does are its jobs."""

    vendor_type = models.CharField(max_length=64)
    """Harbor's name for the kind of work: `REPLICATION`, `EXECUTION_SWEEP`."""
    vendor_id = models.BigIntegerField(default=0)
    """The row that asked for it, by value: a policy's id."""
    trigger = models.CharField(max_length=16, choices=Trigger.choices, default=Trigger.MANUAL)
    extra_attrs = models.JSONField(default=dict)
    start_time = models.DateTimeField()

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["vendor_type", "vendor_id", "-start_time", "-id"], name="execution_vendor_start"),
            models.Index(fields=["-start_time", "-id"], name="execution_start"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor_type} {self.vendor_id}, execution {self.pk}"


class Job(models.Model):
    """Work that one worker claims, does and writes the outcome of. The row is the truth, a message is a nudge."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=64)
    """The key in `settings.JOB_KINDS` that names the function."""
    key = models.CharField(max_length=255, blank=True, default="")
    """What the job is about, where one is enough: "once per event" is a unique constraint."""
    spec = models.JSONField(default=dict)
    """The function's argument. Ids, never secrets."""
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    status_message = models.CharField(max_length=1024, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    max_attempts = models.PositiveIntegerField(default=3)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    """When a message about it was last given to the broker."""
    lease = models.UUIDField(null=True)
    """Who runs it: only the holder may write an outcome."""
    pool = models.UUIDField(null=True)
    """The pool of workers in which it runs, or ran last, by value."""
    lease_until = models.DateTimeField(null=True)
    """A running job whose lease has ended was left by a dead worker."""
    stop_requested = models.BooleanField(default=False)
    progress = models.JSONField(default=dict)
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)
    start_time = models.DateTimeField(null=True)
    end_time = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], condition=~Q(key=""), name="job_key_unique"),
        ]
        indexes = [
            models.Index(fields=["execution", "status"], name="job_execution_status"),
            models.Index(fields=["due_at"], condition=Q(status__in=["Pending", "Scheduled"]), name="job_due"),
            models.Index(fields=["lease_until"], condition=Q(status="Running"), name="job_lease"),
            models.Index(fields=["kind", "status"], name="job_kind_status"),
            models.Index(fields=["status", "execution"], condition=~Q(status="Success"), name="job_not_success"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}, {self.status}"


class JobLog(models.Model):
    """A line that a job wrote about its progress, for those who may read the job."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines")
    time = models.DateTimeField()
    line = models.CharField(max_length=2048)

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="joblog_job")]

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%dT%H:%M:%SZ} {self.line}"


class Pool(models.Model):
    """A process of workers that says again and again that it is there."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveBigIntegerField()
    concurrency = models.PositiveIntegerField()
    """How many jobs it does at once."""
    start_time = models.DateTimeField()
    heartbeat = models.DateTimeField()
    """When it was last heard of."""

    def __str__(self) -> str:
        return f"{self.host} {self.pid}"


class Pause(models.Model):
    """A kind whose jobs nobody may take up, however long they wait."""

    kind = models.CharField(max_length=64, primary_key=True)
    time = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.kind


class Schedule(models.Model):
    """When to start work by itself: Harbor's cron of six fields, in UTC."""

    vendor_type = models.CharField(max_length=64)
    vendor_id = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=64)
    """The kind of the job that it starts."""
    spec = models.JSONField(default=dict)
    cron_type = models.CharField(max_length=16, default="Custom")
    """Hourly, Daily, Weekly or Custom: what the person chose; `cron` is what counts."""
    cron = models.CharField(max_length=128)
    enabled = models.BooleanField(default=True)
    next_run = models.DateTimeField()
    extra_attrs = models.JSONField(default=dict)
    creation_time = models.DateTimeField(auto_now_add=True)
    update_time = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["vendor_type", "vendor_id"], name="schedule_vendor_unique")]
        indexes = [models.Index(fields=["next_run"], condition=Q(enabled=True), name="schedule_next_run")]

    def __str__(self) -> str:
        return f"{self.vendor_type} {self.vendor_id} at {self.cron}"
