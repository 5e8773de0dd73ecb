"""Purging the audit log: now, or by the clock."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actions import work
from accounts.actors import Actor, actor_of
from accounts.errors import BadRequest, NotFound
from accounts.permissions import require_system
from api import parameters, query
from api.jobservice import log_of
from api.operations import LISTED, operation
from api.paging import Listing
from api.paths import raw_path
from api.shapes import Flag, Map, Moment, Number, Shape, Text
from api.views import Endpoint, done
from audit.purge import KIND
from jobs.models import Execution
from jobs.models import Schedule as Row

RESOURCE = "purge-audit"
TYPES = ("Hourly", "Daily", "Weekly", "Custom", "Manual", "None", "Schedule")
BY_THE_CLOCK = TYPES[:4]
STARTED_BY = {"MANUAL": "Manual", "SCHEDULE": "Schedule"}
"""The type that a past run shows. Harbor writes it in capitals, which its declared enum, and clients, refuse."""


class ScheduleObj(Shape):
    type = Text(one_of=TYPES)
    cron = Text()
    next_scheduled_time = Moment()


class Schedule(Shape):
    id = Number(read_only=True)
    status = Text(read_only=True)
    creation_time = Moment(read_only=True)
    update_time = Moment(read_only=True)
    schedule = ScheduleObj()
    parameters = Map()


class ExecHistory(Shape):
    id = Number()
    job_name = Text()
    job_kind = Text()
    job_parameters = Text()
    schedule = ScheduleObj()
    job_status = Text()
    deleted = Flag()
    creation_time = Moment()
    update_time = Moment()


HISTORY = Listing(
    default=("-start_time", "-pk"),
    filters={
        "id": query.number("id"),
        "trigger": query.text("trigger"),
        "status": query.text("status"),
        "start_time": query.when("start_time"),
    },
    sorts={"id": "id", "trigger": "trigger", "start_time": "start_time", "creation_time": "start_time"},
)


def runs() -> Any:
    return Execution.objects.filter(vendor_type=KIND).with_status()


def show(run: Any) -> dict[str, Any]:
    """One purge, read `with_status`, in Harbor's words."""
    return ExecHistory.of(
        {
            "id": run.pk,
            "job_name": KIND,
            "job_kind": run.trigger,
            "job_parameters": json.dumps(run.extra_attrs, sort_keys=True),
            "schedule": {"type": STARTED_BY.get(run.trigger, "Manual")},
            "job_status": run.status,
            "creation_time": run.start_time,
            "update_time": run.end_time or run.start_time,
        }
    )


def run_of(purge_id: str) -> Any:
    pk = parameters.integer(purge_id, "purge_id")
    run = runs().filter(pk=pk).first()
    if run is None:
        raise NotFound(f"purge job with id {pk} not found")
    return run


def arrange(actor: Actor, asked: dict[str, Any]) -> int:
    """Do what a body asks: purge now, by the clock, or by the clock no longer; the id of a purge that began, or 0."""
    wanted = asked.get("schedule")
    if wanted is None:
        raise BadRequest("schedule can not be empty")
    given = asked.get("parameters", {})
    kind, cron = wanted.get("type", ""), wanted.get("cron", "")
    if kind == "Manual":
        return int(work.start_purge(actor, given).pk)
    if kind == "None":
        work.unschedule_purge(actor)
    elif kind not in BY_THE_CLOCK:
        raise BadRequest("the type of the schedule is not supported")
    elif not cron:
        raise BadRequest("empty cron string for schedule")
    else:
        work.schedule_purge(actor, given, cron, kind)
    return 0


class History(Endpoint):
    @operation("getPurgeHistory", [ExecHistory], query=LISTED)
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), RESOURCE, "list")
        return HISTORY.answer(
            request, runs(), lambda rows: [show(row) for row in rows], lambda rows: rows.with_status()
        )


class Run(Endpoint):
    @operation("getPurgeJob", ExecHistory)
    def get(self, request: Request, purge_id: str) -> Response:
        require_system(actor_of(request), RESOURCE, "read")
        return Response(show(run_of(purge_id)))

    @operation("stopPurge")
    def put(self, request: Request, purge_id: str) -> Response:
        actor = actor_of(request)
        require_system(actor, RESOURCE, "stop")
        work.stop_purge(actor, run_of(purge_id))
        return done()


class RunLog(Endpoint):
    answers_json = False

    @operation("getPurgeJobLog", Text(), media_type="text/plain")
    def get(self, request: Request, purge_id: str) -> HttpResponse:
        require_system(actor_of(request), RESOURCE, "read")
        job = run_of(purge_id).jobs.order_by("pk").first()
        if job is None:
            raise NotFound(f"log of the purge job with id {purge_id} not found")
        return log_of(job)


class Scheduled(Endpoint):
    @operation("getPurgeSchedule", ExecHistory)
    def get(self, request: Request) -> Response:
        """Nothing at all where nothing is scheduled: clients rely on the empty body."""
        require_system(actor_of(request), RESOURCE, "read")
        row = Row.objects.filter(vendor_type=KIND, vendor_id=0).first()
        return Response(scheduled(row)) if row else done()

    @operation("createPurgeSchedule", status=201, body=Schedule)
    def post(self, request: Request) -> Response:
        asked = Schedule.read(request, "schedule")
        actor = actor_of(request)
        require_system(actor, RESOURCE, "create")
        parent = raw_path(request._request).rstrip("/").rpartition("/")[0]
        return Response(status=201, headers={"Location": f"{parent}/{arrange(actor, asked)}"})

    @operation("updatePurgeSchedule", body=Schedule)
    def put(self, request: Request) -> Response:
        asked = Schedule.read(request, "schedule")
        actor = actor_of(request)
        require_system(actor, RESOURCE, "update")
        if asked.get("schedule") is not None:  # without a type, clients say that they want it no longer
            asked["schedule"]["type"] = asked["schedule"].get("type") or "None"
        arrange(actor, asked)
        return done()


def scheduled(row: Row) -> dict[str, Any]:
    """The schedule in Harbor's words: as if it were a run."""
    return ExecHistory.of(
        {
            "id": row.pk,
            "job_kind": row.cron,
            "job_parameters": json.dumps(row.spec, sort_keys=True),
            "schedule": {"type": row.cron_type, "cron": row.cron, "next_scheduled_time": row.next_run},
            "creation_time": row.creation_time,
            "update_time": row.update_time,
        }
    )


routes = [
    path("system/purgeaudit", History.as_view()),
    path("system/purgeaudit/schedule", Scheduled.as_view()),
    path("system/purgeaudit/<purge_id>", Run.as_view()),
    path("system/purgeaudit/<purge_id>/log", RunLog.as_view()),
]
