"""Runs of replication rules and their jobs: Harbor's operations; and trying again and live progress, which are ours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import NotFound
from accounts.permissions import require_system
from api import parameters
from api.operations import PAGED, operation
from api.paging import Listing
from api.shapes import ListOf, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, created, done
from jobs.models import UNFINISHED, Execution, Job, JobLog, Status, Trigger
from replication import models, runs
from replication.permissions import require_run


class StartReplicationExecution(Shape):
    policy_id = Number()


class ReplicationExecution(Shape):
    id = Number()
    policy_id = Number()
    status = Text()
    trigger = Text()
    start_time = Moment()
    end_time = Moment()
    status_text = Text(always=True)
    total = Number(always=True)
    failed = Number(always=True)
    succeed = Number(always=True)
    in_progress = Number(always=True)
    stopped = Number(always=True)


class ReplicationTask(Shape):
    id = Number()
    execution_id = Number()
    status = Text()
    job_id = Text()
    operation = Text()
    resource_type = Text()
    src_resource = Text()
    dst_resource = Text()
    start_time = Moment()
    end_time = Moment()


class JobProgress(Shape):
    """Ours: how far one job is. Bytes; `rate` is bytes a second; `done` of `blobs` blobs have arrived."""

    id = Number()
    src_resource = Text()
    bytes = Number(always=True)
    size = Number(always=True)
    rate = Number(always=True)
    done = Number(always=True)
    blobs = Number(always=True)


class RunProgress(Shape):
    """Ours: how far a run is. `matched` artifacts were found, `there` of them were at the target already; `bytes` were
    moved so far, at `rate` a second now; `jobs` are those that run."""

    id = Number()
    matched = Number(always=True)
    there = Number(always=True)
    total = Number(always=True)
    finished = Number(always=True)
    bytes = Number(always=True)
    rate = Number(always=True)
    jobs = ListOf(JobProgress())


IN_PROGRESS, SUCCEEDED, FAILED, STOPPED, PENDING = "InProgress", "Succeed", "Failed", "Stopped", "Pending"
OF_RUN = {
    IN_PROGRESS: (Status.RUNNING, Status.PENDING),
    SUCCEEDED: (Status.SUCCESS,),
    FAILED: (Status.ERROR,),
    STOPPED: (Status.STOPPED,),
}
"""Harbor's words for how a run is, and ours that they stand for."""
OF_JOB = {
    PENDING: (Status.PENDING,),
    IN_PROGRESS: (Status.RUNNING, Status.SCHEDULED),
    SUCCEEDED: (Status.SUCCESS,),
    FAILED: (Status.ERROR,),
    STOPPED: (Status.STOPPED,),
}
TRIGGERS = {"manual": Trigger.MANUAL, "scheduled": Trigger.SCHEDULE, "event_based": Trigger.EVENT}
SORTED = {key: value for key, value in PAGED.items()} | {"sort": Text()}
RUNS = Listing(
    default=("-start_time", "-pk"),
    sorts={name: name for name in ("id", "start_time")} | {"policy_id": "vendor_id", "trigger": "trigger"},
)
TASKS = Listing(
    default=("-pk",), sorts={name: name for name in ("id", "status", "start_time", "end_time", "creation_time")}
)
MOST_RUNNING = 64


def word(status: str, words: dict[str, tuple[Status, ...]]) -> str:
    """Harbor's word for `status`."""
    return next((name for name, ours in words.items() if status in ours), status)


def show_runs(executions: Iterable[Any]) -> list[dict[str, Any]]:
    """`executions`, which know their status, with the numbers of their jobs in one query."""
    executions = list(executions)
    numbers: defaultdict[int, dict[str, int]] = defaultdict(dict)
    jobs = Job.objects.filter(execution__in=[one.pk for one in executions], kind=models.COPY).order_by()
    for key, status, number in jobs.values_list("execution", "status").annotate(number=Count("pk")):
        numbers[key][status] = number
    return [show_run(one, numbers[one.pk]) for one in executions]


def show_run(execution: Any, numbers: dict[str, int]) -> dict[str, Any]:
    return ReplicationExecution.of(
        {
            "id": execution.pk,
            "policy_id": execution.vendor_id,
            "status": word(execution.status, OF_RUN),
            "trigger": next(name for name, ours in TRIGGERS.items() if ours == execution.trigger),
            "start_time": execution.start_time,
            "end_time": execution.end_time,
            "status_text": execution.status_message,
            "total": sum(numbers.values()),
            "failed": numbers.get(Status.ERROR, 0),
            "succeed": numbers.get(Status.SUCCESS, 0),
            "in_progress": sum(numbers.get(status, 0) for status in UNFINISHED),
            "stopped": numbers.get(Status.STOPPED, 0),
        }
    )


def show_task(job: Job) -> dict[str, Any]:
    return ReplicationTask.of(
        {
            "id": job.pk,
            "execution_id": job.execution_id,
            "status": word(job.status, OF_JOB),
            "job_id": str(job.pk),
            "operation": job.spec["operation"],
            "resource_type": job.spec["resource_type"],
            "src_resource": resource(job, "source"),
            "dst_resource": resource(job, "target"),
            "start_time": job.start_time,
            "end_time": job.end_time,
        }
    )


def resource(job: Job, side: str) -> str:
    """What a job is about, as its source or its target calls it."""
    tags = ",".join(job.spec["tags"])
    return f"{job.spec[side]}:{tags}" if tags else f"{job.spec[side]}@{job.spec['digest']}"


def run_of(request: Request, id: str, action: str) -> tuple[models.Policy, Execution]:
    """The run of that id and its rule, for who may do this. Others cannot tell whether there is one."""
    pk, actor = parameters.integer(id, "id"), authenticated(request)
    execution = Execution.objects.filter(vendor_type=models.VENDOR, pk=pk).first()
    policy = models.Policy.objects.listed().filter(pk=execution.vendor_id).first() if execution else None
    if execution is None or policy is None:
        require_system(actor, "replication", action)
        raise NotFound(f"replication execution {pk} not found")
    require_run(actor, action, policy)
    return policy, execution


def task_of(execution: Execution, task_id: str) -> Job:
    """A job of this run and of no other."""
    pk = parameters.integer(task_id, "task_id")
    job = runs.jobs_of(execution).filter(pk=pk).first()
    if job is None:
        raise NotFound(f"execution {execution.pk} contains no task with ID {pk}")
    return job


def log_of(job: Job) -> HttpResponse:
    """The job's log as text, its outcome last."""
    lines = [str(line) for line in JobLog.objects.filter(job=job).order_by("pk")]
    if job.status_message:
        lines.append(f"{job.update_time:%Y-%m-%dT%H:%M:%SZ} {job.status}: {job.status_message}")
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")


def chosen_policies(request: Request) -> QuerySet[models.Policy]:
    """The rules whose runs a list shows: all, or the one that `policy_id` names."""
    actor = authenticated(request)
    if not request.GET.get("policy_id"):
        require_system(actor, "replication", "list")
        return models.Policy.objects.all()
    pk = parameters.number(request, "policy_id", 0)
    policy = models.Policy.objects.listed().filter(pk=pk).first()
    if policy is None:
        require_system(actor, "replication", "list")
    else:
        require_run(actor, "list", policy)
    return models.Policy.objects.filter(pk=pk)


class Executions(Endpoint):
    @operation(
        "listReplicationExecutions",
        [ReplicationExecution],
        query={**SORTED, "policy_id": Number(), "status": Text(), "trigger": Text()},
    )
    def get(self, request: Request) -> Response:
        rows: Any = runs.runs_of(chosen_policies(request))
        if status := parameters.text(request, "status"):
            rows = rows.of_status(*OF_RUN.get(status, (status,)))
        if trigger := parameters.text(request, "trigger"):
            rows = rows.filter(trigger=TRIGGERS.get(trigger, trigger))
        return RUNS.answer(request, rows, show_runs, lambda rows: rows.with_status())

    @operation("startReplication", status=201, body=StartReplicationExecution, errors=(404, 412))
    def post(self, request: Request) -> Response:
        asked = StartReplicationExecution.read(request, "execution")
        actor, pk = authenticated(request), asked.get("policy_id", 0)
        policy = models.Policy.objects.listed().filter(pk=pk).first()
        if policy is None:
            require_system(actor, "replication", "create")
            raise NotFound(f"replication policy {pk} not found")
        return created(request, runs.start(actor, policy).pk)


class OneExecution(Endpoint):
    @operation("getReplicationExecution", ReplicationExecution)
    def get(self, request: Request, id: str) -> Response:
        _, execution = run_of(request, id, "read")
        return Response(show_runs(Execution.objects.with_status().filter(pk=execution.pk))[0])

    @operation("stopReplication")
    def put(self, request: Request, id: str) -> Response:
        policy, execution = run_of(request, id, "create")
        runs.stop(authenticated(request), policy, execution)
        return done()


class Retry(Endpoint):
    """Ours: do again what failed."""

    @operation("retryReplication", errors=(412,))
    def post(self, request: Request, id: str) -> Response:
        policy, execution = run_of(request, id, "create")
        runs.retry(authenticated(request), policy, execution)
        return done()


class Progress(Endpoint):
    """Ours: how far a run is."""

    @operation("getReplicationProgress", RunProgress)
    def get(self, request: Request, id: str) -> Response:
        _, execution = run_of(request, id, "read")
        seen = runs.progress(execution)
        running = runs.jobs_of(execution).filter(status=Status.RUNNING).order_by("pk")[:MOST_RUNNING]
        shown = [{**job.progress, "id": job.pk, "src_resource": resource(job, "source")} for job in running]
        return Response(RunProgress.of({**seen, "id": execution.pk, "jobs": shown}))


class Tasks(Endpoint):
    @operation("listReplicationTasks", [ReplicationTask], query={**SORTED, "status": Text(), "resource_type": Text()})
    def get(self, request: Request, id: str) -> Response:
        _, execution = run_of(request, id, "list")
        rows = runs.jobs_of(execution)
        if status := parameters.text(request, "status"):
            rows = rows.filter(status__in=OF_JOB.get(status, (status,)))
        if kind := parameters.text(request, "resource_type"):
            rows = rows.filter(spec__resource_type=kind)
        return TASKS.answer(request, rows, lambda found: [show_task(job) for job in found])


class TaskLog(Endpoint):
    answers_json = False

    @operation("getReplicationLog", Text(), media_type="text/plain")
    def get(self, request: Request, id: str, task_id: str) -> HttpResponse:
        _, execution = run_of(request, id, "read")
        return log_of(task_of(execution, task_id))


routes = [
    path("replication/executions", Executions.as_view()),
    path("replication/executions/<id>", OneExecution.as_view()),
    path("replication/executions/<id>/retry", Retry.as_view()),
    path("replication/executions/<id>/progress", Progress.as_view()),
    path("replication/executions/<id>/tasks", Tasks.as_view()),
    path("replication/executions/<id>/tasks/<task_id>/log", TaskLog.as_view()),
]
