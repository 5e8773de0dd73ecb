"""A project at a glance: how much it holds, how much it is used, who belongs to it."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from artifacts.models import Artifact, PullDay, Tag
from artifacts.totals import total
from portal.charts import pulls_by_day, storage_by_repository
from portal.commands import push_commands
from portal.finding import Place, place
from portal.names import role_name
from projects.models import Quota, Role, by_strength


@require_safe
def summary(request: HttpRequest, project: str) -> HttpResponse:
    """Numbers and charts, as far as the reader may know them."""
    found = place(request, project)
    found.require("repository", "list")
    told = "read" in found.context["may"].get("quota", {})
    bars = storage_by_repository(found.project) if told else []
    state = Quota.objects.filter(project=found.project).values_list("update_time", flat=True).first()
    context = {
        "repository_total": found.project.repositories.count(),
        "artifact_total": total(Artifact.objects.filter(project=found.project), state),
        "tag_total": total(Tag.objects.filter(repository__project=found.project), state),
        "pulls": pulls_by_day(PullDay.objects.filter(project=found.project)),
        "bars": bars,
        "largest": max((bar.value for bar in bars), default=0),
        "members": _members(found),
        "push_commands": push_commands(project),
        "tab": "summary",
        **found.context,
    }
    return render(request, "portal/projects/summary.html", context)


def _members(found: Place) -> list[tuple[object, int]]:
    """How many members have which role, the strongest first."""
    if "list" not in found.context["may"].get("member", {}):
        return []
    rows = found.project.members.exclude(user__deleted=True).order_by().values("role").annotate(n=Count("pk"))
    numbers = {Role(row["role"]): row["n"] for row in rows}
    return [(role_name(role), numbers[role]) for role in by_strength(numbers)]
