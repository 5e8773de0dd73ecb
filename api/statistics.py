"""How many projects and repositories there are, as far as the caller may know."""

from __future__ import annotations

from django.db.models import Count, Q, Sum
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor
from api.operations import operation
from api.shapes import Number, Shape
from api.views import Endpoint, authenticated
from artifacts.models import Repository
from projects.models import Project, Quota


class Statistic(Shape):
    private_project_count = Number(always=True)
    private_repo_count = Number(always=True)
    public_project_count = Number(always=True)
    public_repo_count = Number(always=True)
    total_project_count = Number(always=True)
    total_repo_count = Number(always=True)
    total_storage_consumption = Number(always=True)


class Statistics(Endpoint):
    @operation("getStatistic", Statistic)
    def get(self, request: Request) -> Response:
        return Response(Statistic.of(counts(authenticated(request))))


def counts(actor: Actor) -> dict[str, int]:
    """Projects and repositories that `actor` may see; totals for administrators alone. Three queries."""
    seen = Project.objects.visible_to(actor)
    found = seen.aggregate(
        public_project_count=Count("pk", filter=Q(public=True)),
        private_project_count=Count("pk", filter=Q(public=False)),
    )
    found |= Repository.objects.visible_to(actor).aggregate(
        public_repo_count=Count("pk", filter=Q(project__public=True)),
        private_repo_count=Count("pk", filter=Q(project__public=False)),
    )
    if actor.is_admin:
        found["total_project_count"] = found["public_project_count"] + found["private_project_count"]
        found["total_repo_count"] = found["public_repo_count"] + found["private_repo_count"]
        found["total_storage_consumption"] = Quota.objects.aggregate(used=Sum("used"))["used"] or 0
    return found


routes = [path("statistics", Statistics.as_view())]
