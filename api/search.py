"""`GET /search`: projects and repositories whose names contain a word."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from api import parameters
from api.operations import operation
from api.projects import Project, dressed, show
from api.shapes import Flag, ListOf, Number, Shape, Text
from api.views import Endpoint
from artifacts.models import Repository
from artifacts.totals import with_counts
from projects import models

MOST = 1000
"""Of each kind: more than anybody reads, less than hurts."""


class SearchRepository(Shape):
    project_id = Number()
    project_name = Text()
    project_public = Flag()
    repository_name = Text()
    pull_count = Number()
    artifact_count = Number()


class SearchResult(Shape):
    project = ListOf(Project())
    repository = ListOf(SearchRepository())


class Search(Endpoint):
    @operation("search", SearchResult, query={"q": Text(required=True)}, anybody=True)
    def get(self, request: Request) -> Response:
        word = parameters.required(request, "q")
        actor = actor_of(request)
        seen = models.Project.objects.visible_to(actor)
        found = dressed(actor)(seen.filter(name__contains=word).order_by("name")[:MOST])
        repositories = Repository.objects.visible_to(actor).search(word).order_by("name")
        listed = with_counts(list(repositories.select_related("project")[:MOST]))
        return Response(
            {"project": [show(project) for project in found], "repository": [describe(entry) for entry in listed]}
        )


def describe(repository: Repository) -> dict[str, Any]:
    """`repository`, read `with_counts`, in Harbor's words."""
    return SearchRepository.of(
        {
            "project_id": repository.project_id,
            "project_name": repository.project.name,
            "project_public": repository.project.public,
            "repository_name": repository.name,
            "pull_count": repository.pull_count,
            "artifact_count": getattr(repository, "artifact_count", 0),
        }
    )


routes = [path("search", Search.as_view())]
