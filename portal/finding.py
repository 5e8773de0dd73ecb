"""The one way from a name in an address to a row: what the reader may not see is not there."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from accounts.actors import Permission, actor_of
from accounts.errors import NotFound
from accounts.permissions import refuse
from artifacts.models import Artifact, ArtifactQuerySet, Repository
from portal.rights import rights
from projects.models import Project
from projects.permissions import allowed


class Place:
    """A project as the reader stands before it: the row, and what they may do there, asked once for the page."""

    def __init__(self, request: HttpRequest, project: Project) -> None:
        self.actor = actor_of(request)
        self.project = project
        self.permissions = allowed(self.actor, project)

    def require(self, resource: str, action: str) -> None:
        """Return if the reader may; raise `Unauthenticated` or `Forbidden` otherwise."""
        if Permission(resource, action) not in self.permissions:
            refuse(self.actor)

    @property
    def context(self) -> dict[str, Any]:
        """What the project's templates start from."""
        return {"project": self.project, "may": rights(self.permissions)}


def place(request: HttpRequest, project: str) -> Place:
    """The project of that name, if it exists for the reader; `NotFound` alike for a hidden one and for none."""
    row = Project.objects.visible_to(actor_of(request)).select_related("quota").filter(name=project).first()
    if row is None:
        raise NotFound
    return Place(request, row)


def repository_in(found: Place, name: str) -> Repository:
    """The repository of the project `found` by its name without the project's; `NotFound` where it may not be seen."""
    if Permission("artifact", "list") not in found.permissions:
        raise NotFound
    row = Repository.objects.filter(project=found.project, name=f"{found.project.name}/{name}").first()
    if row is None:
        raise NotFound
    return row


def artifact_in(repository: Repository, digest: str, rows: ArtifactQuerySet | None = None) -> Artifact:
    """The artifact of that digest in `repository`, read as `rows` reads what belongs to it."""
    row = (Artifact.objects.all() if rows is None else rows).filter(repository=repository, digest=digest).first()
    if row is None:
        raise NotFound
    return row
