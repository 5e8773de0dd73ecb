"""What starts by itself, and whether anything does at the moment."""

from __future__ import annotations

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import BadRequest
from accounts.permissions import require_system
from api.operations import PAGED, operation
from api.paging import Listing
from api.shapes import Flag, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated
from jobs import models, schedules

OF_THE_SYSTEM = -1
"""Harbor's vendor id of what belongs to no row."""


class ScheduleTask(Shape):
    id = Number()
    vendor_type = Text()
    vendor_id = Number()
    cron = Text()
    update_time = Moment()


class SchedulerStatus(Shape):
    paused = Flag(always=True)


SCHEDULES = Listing(default=("pk",))


def show(schedule: models.Schedule) -> dict[str, object]:
    shown = {name: getattr(schedule, name) for name in ("id", "vendor_type", "cron", "update_time")}
    return ScheduleTask.of({**shown, "vendor_id": schedule.vendor_id or OF_THE_SYSTEM})


class Schedules(Endpoint):
    @operation("listSchedules", [ScheduleTask], query=PAGED)
    def get(self, request: Request) -> Response:
        require_system(actor_of(request), "jobservice-monitor", "list")
        return SCHEDULES.answer(
            request, models.Schedule.objects.filter(enabled=True), lambda rows: [show(row) for row in rows]
        )


class Paused(Endpoint):
    @operation("getSchedulePaused", SchedulerStatus)
    def get(self, request: Request, job_type: str) -> Response:
        authenticated(request)
        if job_type.lower() != "all":
            raise BadRequest("job_type can only be 'all'")
        return Response(SchedulerStatus.of({"paused": schedules.is_paused()}))


routes = [
    path("schedules", Schedules.as_view()),
    path("schedules/<job_type>/paused", Paused.as_view()),
]
