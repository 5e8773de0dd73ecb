"""Repositories, of a project and of everywhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import actor_of
from accounts.errors import NotFound
from api import query
from api.operations import LISTED, operation
from api.paging import Listing
from api.shapes import Moment, Number, Shape, Text
from api.views import Endpoint, done, project_of
from artifacts import actions, models, totals


class Escaped(Text):
    """A text that Harbor keeps escaped for HTML; we keep it as it was written, and show it as Harbor does."""

    table = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;"})

    def to_representation(self, value: str) -> str:
        return value.translate(self.table)


class Repository(Shape):
    id = Number()
    project_id = Number()
    name = Text()
    description = Escaped()
    artifact_count = Number(always=True)
    pull_count = Number(always=True)
    creation_time = Moment(nullable=True)
    update_time = Moment()


REPOSITORIES = Listing(
    default=("-creation_time", "-pk"),
    filters={
        "id": query.number("id"),
        "repository_id": query.number("id"),
        "name": query.text("name"),
        "project_id": query.number("project_id"),
        "description": query.text("description"),
        "pull_count": query.number("pull_count"),
        "creation_time": query.when("creation_time"),
        "update_time": query.when("update_time"),
    },
    sorts={
        "id": "id",
        "repository_id": "id",
        "name": "name",
        "project_id": "project_id",
        "pull_count": "pull_count",
        "creation_time": "creation_time",
        "update_time": "update_time",
    },
)


def show_all(rows: list[models.Repository]) -> list[Any]:
    """`rows` with their counts, in Harbor's words."""
    return Repository.each(totals.with_counts(rows))


def repository_of(
    request: Request, project_name: str, repository_name: str, resource: str, action: str
) -> models.Repository:
    """The repository that a path names, for an actor who may do this in its project, with its count of artifacts."""
    project = project_of(request, project_name, resource, action, by_name=True)
    name = f"{project.name}/{unquote(repository_name)}"
    repository = models.Repository.objects.with_counts().filter(project=project, name=name).first()
    if repository is None:
        raise NotFound(f"repository {name} not found")
    return repository


class AllRepositories(Endpoint):
    @operation("listAllRepositories", [Repository], query=LISTED, anybody=True)
    def get(self, request: Request) -> Response:
        visible = models.Repository.objects.visible_to(actor_of(request))
        return REPOSITORIES.answer(request, visible, show_all)


class Repositories(Endpoint):
    @operation("listRepositories", [Repository], query=LISTED)
    def get(self, request: Request, project_name: str) -> Response:
        project = project_of(request, project_name, "repository", "list", by_name=True)
        return REPOSITORIES.answer(request, models.Repository.objects.filter(project=project), show_all)


class OneRepository(Endpoint):
    @operation("getRepository", Repository)
    def get(self, request: Request, project_name: str, repository_name: str) -> Response:
        return Response(Repository.of(repository_of(request, project_name, repository_name, "repository", "read")))

    @operation("updateRepository", body=Repository)
    def put(self, request: Request, project_name: str, repository_name: str) -> Response:
        asked = Repository.read(request, "repository")
        repository = repository_of(request, project_name, repository_name, "repository", "update")
        actions.update_repository(actor_of(request), repository, asked.get("description", ""))
        return done()

    @operation("deleteRepository", errors=(412,))
    def delete(self, request: Request, project_name: str, repository_name: str) -> Response:
        repository = repository_of(request, project_name, repository_name, "repository", "delete")
        actions.delete_repository(actor_of(request), repository)
        return done()


routes = [
    path("repositories", AllRepositories.as_view()),
    path("projects/<project_name>/repositories", Repositories.as_view()),
    path("projects/<project_name>/repositories/<repository_name>", OneRepository.as_view()),
]
