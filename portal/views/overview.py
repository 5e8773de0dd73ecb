"""Where one arrives: what is mine, what is new; and the search."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actors import Actor, actor_of
from artifacts.models import Artifact, Repository
from portal.artifacts import artifact_url, in_order, kind_of
from portal.commands import login_command
from portal.listing import query_of
from projects.models import Project

SHOWN = 8
FOUND = 50


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The reader's projects and the latest pushes; the public ones for who did not sign in."""
    actor = actor_of(request)
    visible = Project.objects.visible_to(actor)
    repositories = Repository.objects.visible_to(actor)
    projects = visible.with_counts().with_roles_of(actor).order_by("-update_time", "name")[:SHOWN]
    context = {
        "projects": projects,
        "pushes": _pushes(actor),
        "project_total": visible.count(),
        "repository_total": repositories.count(),
        "login": login_command(actor.name) if actor.is_authenticated else "",
    }
    return render(request, "portal/overview.html", context)


def _pushes(actor: Actor) -> list[dict[str, object]]:
    rows = Artifact.objects.filter(repository__in=Repository.objects.visible_to(actor)).listed()
    rows = rows.select_related("repository").with_tags().order_by("-pk")[:SHOWN]
    return [
        {
            "artifact": row,
            "kind": kind_of(row),
            "tags": in_order(row.tags.all())[:3],
            "url": artifact_url(row.repository, row.digest),
        }
        for row in rows
    ]


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Projects and repositories by a part of their name."""
    actor = actor_of(request)
    query = query_of(request)
    context: dict[str, Any] = {"search_query": query, "projects": [], "repositories": []}
    if query:
        projects = Project.objects.visible_to(actor).search(query).with_counts().order_by("name")
        repositories = Repository.objects.visible_to(actor).search(query).with_counts().order_by("name")
        context |= {"projects": projects[:FOUND], "repositories": repositories[:FOUND], "limit": FOUND}
    return render(request, "portal/search.html", context)
