"""How many projects and repositories there are, as far as the caller may know."""

from __future__ import annotations

from django.db.models import Count, Q, Sum
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from api.shapes import Number, Shape
from api.views import Endpoint, authenticated
from artifacts.models import Repository
from projects.models import Project, Quota

PUBLIC, PRIVATE = Q(public=True), Q(public=False)


class Statistic(Shape):
    private_project_count = Number(always=True)
    private_repo_count = Number(always=True)
    public_project_count = Number(always=True)
    public_repo_count = Number(always=True)
    total_project_count = Number(always=True)
    total_repo_count = Number(always=True)
    total_storage_consumption = Number(always=True)


class Statistics(Endpoint):
    def get(self, request: Request) -> Response:
        return Response(Statistic.of(counts(authenticated(request))))


def counts(actor: Actor) -> dict[str, int]:
    """Projects and repositories that `actor` may see; totals for administrators alone. Three queries."""
    seen = Project.objects.visible_to(actor)
    projects = seen.aggregate(public=Count("pk", filter=PUBLIC), private=Count("pk", filter=PRIVATE))
    repositories = Repository.objects.filter(project__in=seen).aggregate(
        public=Count("pk", filter=Q(project__public=True)), private=Count("pk", filter=Q(project__public=False))
    )
    found = {
        "private_project_count": projects["private"],
        "public_project_count": projects["public"],
        "private_repo_count": repositories["private"],
        "public_repo_count": repositories["public"],
    }
    if actor.is_admin:
        found["total_project_count"] = projects["public"] + projects["private"]
        found["total_repo_count"] = repositories["public"] + repositories["private"]
        found["total_storage_consumption"] = Quota.objects.aggregate(used=Sum("used"))["used"] or 0
    return found


routes = [path("statistics", Statistics.as_view())]
