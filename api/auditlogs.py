"""What happened, to whoever may know: everything for administrators, for others what happened in their projects."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, Permission
from accounts.permissions import require_system, system_allowed
from api import query
from api.operations import LISTED, operation
from api.paging import Page, counted
from api.shapes import Flag, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, project_of
from audit.events import EVENT_TYPES
from audit.models import Entry, EntryQuerySet
from audit.pages import page
from audit.totals import Counted
from projects.permissions import projects_allowing

EVERYTHING = Permission("audit-log", "list")


class AuditLog(Shape):
    id = Number()
    username = Text()
    resource = Text()
    resource_type = Text()
    operation = Text()
    op_time = Moment()


class AuditLogExt(AuditLog):
    operation_description = Text()
    operation_result = Flag(source="success", always=True)


class AuditLogEventType(Shape):
    event_type = Text()


# Where Harbor's answers, its columns and its fields have a name each, a client may know any of them.
FILTERS: dict[str, query.Filter] = {
    "id": query.number("id"),
    "username": query.text("username"),
    "resource": query.text("resource"),
    "resource_type": query.text("resource_type"),
    "operation": query.text("operation"),
    **dict.fromkeys(("operation_description", "op_desc"), query.text("operation_description")),
    **dict.fromkeys(("operation_result", "op_result", "is_successful"), query.flag("success")),
    "op_time": query.when("op_time"),
    "project_id": query.number("project_id"),
}
SORTS = {name: name for name in ("username", "resource", "resource_type", "operation", "op_time", "project_id")}
SORTS["id"] = "pk"
NEWEST = ("-op_time", "-pk")


def visible_to(actor: Actor) -> EntryQuerySet:
    """The entries that `actor` may read. Projects by their ids: then the database knows how many entries that is."""
    if EVERYTHING in system_allowed(actor):
        return Entry.objects.all()
    projects = projects_allowing(actor, "log", "list").order_by("pk").values_list("pk", flat=True)
    return Entry.objects.of_projects(list(projects))


def answer(request: Request, rows: EntryQuerySet, shape: type[Shape]) -> Response:
    """The page of `rows` that `request` asks for."""
    asked = Page.of(request)
    order = in_order(query.ordering(request.GET.get("sort", ""), SORTS, NEWEST))
    found = Counted(rows.filter(query.condition(query.parse(request.GET.get("q", "")), FILTERS)))
    keys = page(found, order, *asked.bounds(found.total))
    entries = found.rows.in_bulk(keys) if keys else {}  # of what may be seen, wherever the keys come from
    return counted(request, shape.each([entries[key] for key in keys if key in entries]), found.total, asked)


def in_order(columns: list[str]) -> list[str]:
    """As the indexes have it: by one column, and there the newest first; all of it backwards for a `-` before it."""
    first, *rest = columns
    if len(rest) != 1 or first.lstrip("-") == "op_time":
        return columns
    return [first, *(["op_time", "pk"] if first.startswith("-") else NEWEST)]


class Logs(Endpoint):
    """The log; `shape` tells the two generations of its entries apart."""

    shape: type[Shape] = AuditLogExt

    @operation("listAuditLogExts", [AuditLogExt], query=LISTED)
    def get(self, request: Request) -> Response:
        return answer(request, visible_to(authenticated(request)), self.shape)


class OldLogs(Logs):
    shape = AuditLog

    @operation("listAuditLogs", [AuditLog], query=LISTED)
    def get(self, request: Request) -> Response:
        return super().get(request)


class ProjectLogs(Endpoint):
    shape: type[Shape] = AuditLogExt

    @operation("getLogExts", [AuditLogExt], query=LISTED)
    def get(self, request: Request, project_name: str) -> Response:
        project = project_of(request, project_name, "log", "list", by_name=True)
        return answer(request, Entry.objects.of_projects([project.pk]), self.shape)


class OldProjectLogs(ProjectLogs):
    shape = AuditLog

    @operation("getLogs", [AuditLog], query=LISTED)
    def get(self, request: Request, project_name: str) -> Response:
        return super().get(request, project_name)


class EventTypes(Endpoint):
    @operation("listAuditLogEventTypes", [AuditLogEventType])
    def get(self, request: Request) -> Response:
        require_system(authenticated(request), *EVERYTHING)
        events: list[dict[str, Any]] = [{"event_type": name} for name in EVENT_TYPES]
        return Response(AuditLogEventType.each(events))


routes = [
    path("auditlog-exts", Logs.as_view()),
    path("auditlog-exts/events", EventTypes.as_view()),
    path("audit-logs", OldLogs.as_view()),
    path("projects/<project_name>/auditlog-exts", ProjectLogs.as_view()),
    path("projects/<project_name>/logs", OldProjectLogs.as_view()),
]
