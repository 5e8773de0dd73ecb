"""Projects."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Actor, Permission, actor_of
from accounts.errors import BadRequest, NotFound
from api import allowlists, parameters, query
from api.allowlists import CVEAllowlist
from api.operations import LISTED, NAME_IN_LOCATION, operation
from api.paging import Listing
from api.registries import Registry
from api.shapes import Flag, ListOf, Map, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, created, done, project_of
from projects import actions, models
from projects.allowlists import set_allowlist
from projects.models import ProjectQuerySet, Role
from projects.permissions import allowed


class ProjectMetadata(Shape):
    """Harbor's booleans here are the strings `true` and `false`."""

    public = Text()
    enable_content_trust = Text(nullable=True)
    enable_content_trust_cosign = Text(nullable=True)
    prevent_vul = Text(nullable=True)
    severity = Text(nullable=True)
    auto_scan = Text(nullable=True)
    auto_sbom_generation = Text(nullable=True)
    reuse_sys_cve_allowlist = Text(nullable=True)
    retention_id = Text(nullable=True)
    proxy_speed_kb = Text(nullable=True)
    max_upstream_conn = Text(nullable=True)
    proxy_cache_local_on_not_found = Text(nullable=True)
    proxy_referrer_api = Text(nullable=True)
    proxy_cache_filter_pattern = Text(nullable=True)
    proxy_cache_filter_kind = Text(nullable=True)


class Project(Shape):
    project_id = Number()
    owner_id = Number()
    name = Text()
    registry_id = Number()
    creation_time = Moment()
    update_time = Moment()
    deleted = Flag()
    owner_name = Text()
    togglable = Flag()
    current_user_role_id = Number()
    current_user_role_ids = ListOf(Number())
    repo_count = Number(always=True)
    metadata = ProjectMetadata()
    cve_allowlist = CVEAllowlist()


class ProjectReq(Shape):
    project_name = Text(max_length=255)
    public = Flag(nullable=True)
    metadata = ProjectMetadata()
    cve_allowlist = CVEAllowlist()
    storage_limit = Number(nullable=True)
    registry_id = Number(nullable=True)


class ProjectDeletable(Shape):
    deletable = Flag()
    message = Text()


class ProjectSummaryQuota(Shape):
    hard = Map(Number())
    used = Map(Number())


class ProjectSummary(Shape):
    repo_count = Number(always=True)
    project_admin_count = Number()
    maintainer_count = Number()
    developer_count = Number()
    guest_count = Number()
    limited_guest_count = Number()
    quota = ProjectSummaryQuota()
    registry = Registry()  # of a proxy cache, and there is none yet


NARROWED = {"name": Text(), "public": Flag(), "owner": Text(), "with_detail": Flag(default=True)}
"""What clients from before `q` narrow the list by."""
PROJECTS = Listing(
    default=("name",),
    filters={
        "project_id": query.number("pk"),
        "name": query.text("name"),
        "owner_id": query.number("owner_id"),
        "owner": query.text("owner__username"),
        "public": query.flag("public"),
        "creation_time": query.when("creation_time"),
        "update_time": query.when("update_time"),
    },
    sorts={
        "project_id": "pk",
        "name": "name",
        "owner_id": "owner_id",
        "creation_time": "creation_time",
        "update_time": "update_time",
    },
)


def show(project: models.Project) -> dict[str, Any]:
    """`project`, read `with_counts` and `with_roles_of`, in Harbor's words."""
    roles = project.roles
    return Project.of(
        {
            "project_id": project.pk,
            "owner_id": project.owner_id,
            "name": project.name,
            "creation_time": project.creation_time,
            "update_time": project.update_time,
            "owner_name": project.owner.username if project.owner else "",
            "current_user_role_id": roles[0] if roles else 0,
            "current_user_role_ids": roles or None,
            "repo_count": getattr(project, "repo_count", 0),
            "metadata": metadata_of(project),
            "cve_allowlist": allowlists.show(own_allowlist(project)),
        }
    )


def own_allowlist(project: models.Project) -> models.Allowlist:
    """The list of `project`, read `with_counts`; an empty one where it has none."""
    found: models.Allowlist | None = getattr(project, "allowlist", None)
    return found or models.Allowlist(project=project)


def set_own_allowlist(request: Request, project: models.Project, asked: dict[str, Any] | None) -> None:
    """What a body says of the vulnerabilities that `project` puts up with, if it says anything."""
    if asked is None:
        return
    if asked.get("project_id") not in (None, 0, project.pk):
        raise BadRequest("the project_id of the allow-list is another project's")
    listed, until = allowlists.names(asked), asked.get("expires_at")
    set_allowlist(actor_of(request), project, listed, expires_at=until)


def metadata_of(project: models.Project) -> dict[str, str]:
    """All metadata of `project`, in Harbor's strings."""
    return {**project.metadata, "public": "true" if project.public else "false"}


def dressed(actor: Actor) -> Any:
    """What adds to projects all that `show` shows."""

    def dress(rows: ProjectQuerySet) -> ProjectQuerySet:
        return rows.with_counts().with_roles_of(actor)

    return dress


def listed(request: Request) -> ProjectQuerySet:
    """The projects that the older parameters, beside `q`, ask for."""
    rows = models.Project.objects.visible_to(actor_of(request))
    if name := parameters.text(request, "name"):
        rows = rows.search(name)
    if owner := parameters.text(request, "owner"):
        rows = rows.filter(owner__username=owner)
    if request.GET.get("public"):
        rows = rows.filter(public=parameters.flag(request, "public"))
    return rows


class Projects(Endpoint):
    @operation("listProjects", [Project], query=LISTED | NARROWED, anybody=True)
    def get(self, request: Request) -> Response:
        return PROJECTS.answer(
            request,
            listed(request),
            lambda rows: [show(project) for project in rows],
            dressed(actor_of(request)),
        )

    @operation("headProject", query={"project_name": Text(required=True)}, errors=(404,))
    def head(self, request: Request) -> Response:
        name = parameters.required(request, "project_name")
        authenticated(request)
        if not models.Project.objects.filter(name=name).exists():
            raise NotFound(f"project {name} not found")
        return done()

    @operation("createProject", status=201, body=ProjectReq, headers=NAME_IN_LOCATION, errors=(404, 409))
    def post(self, request: Request) -> Response:
        asked = ProjectReq.read(request, "project")
        actor = authenticated(request)
        if asked.get("registry_id"):  # a plain project in its place would hold nothing of what is pulled from it
            raise BadRequest("a project that caches another registry is not supported")
        metadata = asked.get("metadata", {})
        public = metadata.pop("public", "") or str(asked.get("public", False)).lower()
        if public not in ("true", "false"):
            raise BadRequest(f"metadata.public should only be 'true' or 'false', but got: '{public}'")
        allowed_anyway = asked.get("cve_allowlist")
        with transaction.atomic():
            project = actions.create_project(
                actor,
                name=asked.get("project_name", ""),
                public=public == "true",
                metadata=metadata,
                storage_limit=asked.get("storage_limit"),
            )
            if allowed_anyway and allowed_anyway.get("items"):
                set_own_allowlist(request, project, allowed_anyway)
        by_name = parameters.header_flag(request, "X-Resource-Name-In-Location")
        return created(request, project.name if by_name else project.pk)


class OneProject(Endpoint):
    @operation("getProject", Project)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        project = project_of(request, project_name_or_id, "project", "read")
        return Response(show(dressed(actor_of(request))(models.Project.objects.filter(pk=project.pk)).get()))

    @operation("updateProject", body=ProjectReq)
    def put(self, request: Request, project_name_or_id: str) -> Response:
        asked = ProjectReq.read(request, "project")
        project = project_of(request, project_name_or_id, "project", "update")
        with transaction.atomic():
            actions.update_project(actor_of(request), project, metadata=asked.get("metadata", {}))
            set_own_allowlist(request, project, asked.get("cve_allowlist"))
        return done()

    @operation("deleteProject", errors=(412,))
    def delete(self, request: Request, project_name_or_id: str) -> Response:
        project = project_of(request, project_name_or_id, "project", "delete")
        actions.delete_project(actor_of(request), project)
        return done()


class Deletable(Endpoint):
    @operation("getProjectDeletable", ProjectDeletable)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        deletable = project_of(request, project_name_or_id, "project", "delete").deletable()
        message = "" if deletable else "the project contains repositories, can not be deleted"
        return Response(ProjectDeletable.of({"deletable": deletable, "message": message}))


class Summary(Endpoint):
    @operation("getProjectSummary", ProjectSummary)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        project = project_of(request, project_name_or_id, "project", "read")
        may = allowed(actor_of(request), project)
        shown: dict[str, Any] = {"repo_count": project.repositories.count()}
        if Permission("quota", "read") in may:
            quota = project.quota
            shown["quota"] = {"hard": {"storage": quota.hard}, "used": {"storage": quota.used}}
        if Permission("member", "list") in may:
            shown |= members_by_role(project)
        return Response(ProjectSummary.of(shown))


ROLE_COUNTS = {
    "project_admin_count": Role.PROJECT_ADMIN,
    "maintainer_count": Role.MAINTAINER,
    "developer_count": Role.DEVELOPER,
    "guest_count": Role.GUEST,
    "limited_guest_count": Role.LIMITED_GUEST,
}


def members_by_role(project: models.Project) -> dict[str, int]:
    """How many members `project` has of each role; one query."""
    counts = {name: Count("pk", filter=Q(role=role)) for name, role in ROLE_COUNTS.items()}
    return project.members.listed().order_by().aggregate(**counts)


routes = [
    path("projects", Projects.as_view()),
    path("projects/<project_name_or_id>", OneProject.as_view()),
    path("projects/<project_name_or_id>/_deletable", Deletable.as_view()),
    path("projects/<project_name_or_id>/summary", Summary.as_view()),
]
