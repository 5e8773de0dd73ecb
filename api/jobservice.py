"""The workers, the queues and the jobs, for who watches over them."""

from __future__ import annotations

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import work
from accounts.actors import actor_of
from accounts.errors import NotFound
from accounts.permissions import require_system
from api import parameters
from api.errors import Invalid
from api.operations import operation
from api.shapes import Flag, Moment, Number, Shape, Text
from api.views import Endpoint, done
from jobs import pools, queues
from jobs.models import Job

MONITOR = "jobservice-monitor"


class WorkerPool(Shape):
    pid = Number()
    worker_pool_id = Text(source="pk")
    start_at = Moment(source="start_time")
    heartbeat_at = Moment(source="heartbeat")
    concurrency = Number()
    host = Text()


class Worker(Shape):
    id = Text()
    pool_id = Text()
    job_name = Text(source="job.kind")
    job_id = Text()
    start_at = Moment(source="job.start_time", nullable=True)
    check_in = Text(source="job.status_message")
    checkin_at = Moment(nullable=True)


class JobQueue(Shape):
    job_type = Text(source="kind")
    count = Number()
    latency = Number(source="latency.seconds")
    paused = Flag(always=True)


class ActionRequest(Shape):
    action = Text(one_of=("stop", "pause", "resume"))


class Pools(Endpoint):
    @operation("getWorkerPools", [WorkerPool])
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), MONITOR, "list")
        return Response(WorkerPool.each(pools.alive()))


class Workers(Endpoint):
    @operation("getWorkers", [Worker])
    def get(self, request: Request, pool_id: str) -> Response:
        require_system(actor_of(request), MONITOR, "list")
        return Response(Worker.each(pools.workers(pool_id)))


class Queues(Endpoint):
    @operation("listJobQueues", [JobQueue])
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), MONITOR, "list")
        return Response(JobQueue.each(queues.queues()))


class OneQueue(Endpoint):
    @operation("actionPendingJobs", body=ActionRequest)
    def put(self, request: Request, job_type: str) -> Response:
        asked = ActionRequest.read(request, "action_request")
        work.act_on_queue(actor_of(request), parameters.clean(job_type, "job_type", "path"), asked.get("action", ""))
        return done()


class RunningJob(Endpoint):
    @operation("stopRunningJob")
    def put(self, request: Request, job_id: str) -> Response:
        actor = actor_of(request)
        require_system(actor, MONITOR, "stop")
        work.stop_job(actor, None if job_id.lower() == work.ALL else job_of(job_id))
        return done()


class JobLog(Endpoint):
    answers_json = False

    @operation("actionGetJobLog", Text(), media_type="text/plain")
    def get(self, request: Request, job_id: str) -> HttpResponse:
        require_system(actor_of(request), MONITOR, "list")
        return log_of(job_of(job_id))


def job_of(job_id: str) -> Job:
    """The job that a path names. Harbor's ids are text, ours are numbers: what is none names no job."""
    try:
        pk = parameters.integer(job_id, "job_id")
    except Invalid:
        pk = 0
    job = Job.objects.filter(pk=pk).first()
    if job is None:
        raise NotFound(f"job {parameters.clean(job_id, 'job_id', 'path')} not found")
    return job


def log_of(job: Job) -> HttpResponse:
    """What `job` wrote about its progress, as text."""
    lines = [str(line) for line in job.log_lines.order_by("pk")]
    ended = [f"{job.end_time:%Y-%m-%dT%H:%M:%SZ} {job.status}: {job.status_message}"] if job.end_time else []
    text = "".join(f"{line}\n" for line in [*lines, *ended])
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


routes = [
    path("jobservice/pools", Pools.as_view()),
    path("jobservice/pools/<pool_id>/workers", Workers.as_view()),
    path("jobservice/queues", Queues.as_view()),
    path("jobservice/queues/<job_type>", OneQueue.as_view()),
    path("jobservice/jobs/<job_id>", RunningJob.as_view()),
    path("jobservice/jobs/<job_id>/log", JobLog.as_view()),
]
