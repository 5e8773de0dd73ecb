"""Where one arrives: what is mine, what is new, how Haven is."""

from __future__ import annotations

import shutil
from typing import Any

from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.actors import Actor, Permission, actor_of
from accounts.permissions import require_system, system_allowed
from artifacts.models import Repository, Tag
from audit.models import Entry
from portal import health
from portal.artifacts import artifact_url, in_order, kind_of
from portal.commands import login_command
from projects.models import Member, Project, ProjectQuerySet, Quota

SHOWN = 8
READ = 64
"""Tags among which the latest pushes are looked for: one push may bring several."""
EVERY_ENTRY = Permission("audit-log", "list")


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The reader's projects, the latest pushes and pulls; the public projects for who did not sign in."""
    actor = actor_of(request)
    visible = Project.objects.visible_to(actor)
    mine = _own(actor, visible)
    context = {
        "projects": mine.with_counts().with_roles_of(actor).order_by("-update_time", "name")[:SHOWN],
        "mine": mine is not visible,
        "pushes": _pushes(actor),
        "pulls": _pulls(actor),
        "project_total": visible.count(),
        "repository_total": Repository.objects.visible_to(actor).count(),
        "stored": _stored(actor, mine),
        "parts": health.parts() if actor.is_admin else [],
        "login": login_command(actor.name) if actor.is_authenticated else "",
    }
    return render(request, "portal/overview.html", context)


def _own(actor: Actor, visible: ProjectQuerySet) -> ProjectQuerySet:
    """Those of the projects that `actor` has a role in; all that are visible where there are none."""
    mine = visible.filter(pk__in=Member.objects.of(actor).values("project_id"))
    return mine if actor.is_authenticated and mine.exists() else visible


def _stored(actor: Actor, mine: ProjectQuerySet) -> int | None:
    """Bytes in the reader's projects, in all for an administrator; strangers are not told."""
    if not actor.is_authenticated:
        return None
    quotas = (
        Quota.objects.all()
        if actor.is_admin
        else Quota.objects.filter(project__in=Member.objects.of(actor).values("project_id"))
    )
    return quotas.aggregate(used=Sum("used"))["used"] or 0


def _pushes(actor: Actor) -> list[dict[str, object]]:
    """By the tags that were pushed last, those of one artifact together: an old one that is pushed again is new."""
    tags = Tag.objects.filter(repository__in=Repository.objects.visible_to(actor))
    tags = tags.select_related("artifact", "artifact__repository").order_by("-push_time", "-pk")
    pushed: dict[int, list[Tag]] = {}
    for tag in tags[:READ]:
        pushed.setdefault(tag.artifact_id, []).append(tag)
    return [_push(found) for found in list(pushed.values())[:SHOWN]]


def _push(tags: list[Tag]) -> dict[str, object]:
    """An artifact with those of its tags that were pushed last, the newest first."""
    artifact = tags[0].artifact
    return {
        "artifact": artifact,
        "kind": kind_of(artifact),
        "tags": in_order(tags)[:3],
        "time": tags[0].push_time,
        "url": artifact_url(artifact.repository, artifact.digest),
    }


def _pulls(actor: Actor) -> list[Any]:
    """The latest pulls: one's own; everybody's for who may read the whole log."""
    if not actor.is_authenticated:
        return []
    rows = Entry.objects.filter(operation="pull")
    if EVERY_ENTRY not in system_allowed(actor):
        rows = rows.filter(username=actor.name)
    return list(rows.newest_first()[:SHOWN])


@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    """Whether every part answers, and what this Haven is."""
    require_system(actor_of(request), "system-volumes", "read")
    context = {
        "parts": health.parts(),
        "external_url": settings.EXTERNAL_URL,
        "driver": settings.REGISTRY_STORAGE["driver"],
        "volume": _volume(),
        "stored": Quota.objects.aggregate(used=Sum("used"))["used"] or 0,
    }
    return render(request, "portal/health.html", context)


def _volume() -> Any:
    """The disk under the registry's files; None where they are elsewhere or cannot be seen from here."""
    if settings.REGISTRY_STORAGE["driver"] != "filesystem":
        return None
    try:
        return shutil.disk_usage(settings.REGISTRY_STORAGE["root"])
    except OSError:
        return None
