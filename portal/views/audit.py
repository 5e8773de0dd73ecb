"""What happened: in a project, and in all of Haven. To read, and as a file."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.actors import actor_of
from accounts.permissions import require_system, system_allowed
from audit.models import Entry, EntryQuerySet
from portal.auditing import LogPages, asked_for, choices_of, day_of, lines
from portal.finding import Place, place
from portal.listing import listing, word_of
from portal.rights import rights

ORDERS = {"time": ["op_time", "pk"]}


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Everything that happened."""
    actor = actor_of(request)
    require_system(actor, "audit-log", "list")
    context = {"file": reverse("portal:audit-csv"), "may": rights(system_allowed(actor))}
    return render(request, "portal/audit/index.html", {**_shown(request, Entry.objects.all()), **context})


@require_safe
def export(request: HttpRequest) -> HttpResponseBase:
    """The same as a file, with the same filters."""
    require_system(actor_of(request), "audit-log", "list")
    return _file(asked_for(request, Entry.objects.all()), "haven-audit.csv")


@require_safe
def of_project(request: HttpRequest, project: str) -> HttpResponse:
    """What happened in the project."""
    found = _place(request, project)
    context = _shown(request, Entry.objects.of_projects([found.project.pk]))
    context |= {"tab": "log", "file": reverse("portal:log-csv", args=[project]), **found.context}
    return render(request, "portal/projects/log.html", context)


@require_safe
def export_of_project(request: HttpRequest, project: str) -> HttpResponseBase:
    """The same as a file, with the same filters."""
    found = _place(request, project)
    return _file(asked_for(request, Entry.objects.of_projects([found.project.pk])), f"{project}-log.csv")


def _place(request: HttpRequest, project: str) -> Place:
    found = place(request, project)
    found.require("log", "list")
    return found


def _shown(request: HttpRequest, rows: EntryQuerySet) -> dict[str, Any]:
    chosen = asked_for(request, rows)
    shown = listing(request, chosen, ORDERS, default="-time", choices=choices_of(request), pages=LogPages)
    days = {name: day_of(request, name) for name in ("from", "to")}
    resource = word_of(request, "resource")
    is_filtered = shown.is_filtered or bool(resource) or any(days.values())
    asked = request.GET.copy()
    asked.pop("page", None)
    return {
        "listing": shown,
        "resource": resource,
        "first": days["from"],
        "last": days["to"],
        "is_filtered": is_filtered,
        "asked": asked.urlencode(),
    }


def _file(rows: EntryQuerySet, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines(rows), content_type="text/csv; charset=utf-8", headers=headers)
