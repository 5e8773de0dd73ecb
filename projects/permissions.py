"""Who may do what in a project: Harbor's whole table, and the one function that reads it.

The project itself is the resource `project` here; Harbor calls it `self` in its roles, `project` in robots' grants.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from accounts.actors import EVERY_PROJECT, NOTHING, Actor, Kind, Permission
from accounts.errors import NotFound
from accounts.permissions import permissions, refuse
from projects.models import Member, Project, ProjectQuerySet, Role

PUBLIC = permissions(
    {
        "project": "read",
        "label": "read list",
        "repository": "list pull",  # and not `read`: Harbor lets anybody list repositories, but not look at one
        "artifact": "read list",
        "artifact-addition": "read",
        "accessory": "list",
        "tag": "list",
        "scan": "read",
        "scanner": "read",
    }
)
"""What everybody may do in a public project."""

LIMITED_GUEST = permissions(
    {
        "project": "read",
        "quota": "read",
        "configuration": "read",
        "repository": "list read pull",
        "artifact": "read list",
        "artifact-addition": "read",
        "accessory": "list",
        "tag": "list",
        "scan": "read",
        "sbom": "read",
        "scanner": "read",
    }
)

GUEST = LIMITED_GUEST | permissions(
    {
        "label": "read list",
        "member": "read list",
        "robot": "read list",
    }
)

DEVELOPER = GUEST | permissions(
    {
        "repository": "create update push",
        "artifact": "create",
        "artifact-label": "create delete",
        "tag": "create",
        "tag-retention": "create read update delete list operate",
        "export-cve": "create read list",
    }
)

MAINTAINER = DEVELOPER | permissions(
    {
        "metadata": "read",
        "label": "create update delete",
        "repository": "delete",
        "artifact": "delete",
        "tag": "delete",
        "immutable-tag": "create update delete list",
        "notification-policy": "read list",
        "scan": "create stop",
        "sbom": "create stop",
    }
)

PROJECT_ADMIN = MAINTAINER | permissions(
    {
        "project": "update delete",
        "configuration": "update",
        "member": "create update delete",
        "metadata": "create update delete",
        "log": "list",
        "robot": "create update delete",
        "notification-policy": "create update delete",
        "preheat-policy": "create read update delete list",
        "scanner": "create",
    }
)

ROLE_PERMISSIONS = {
    Role.PROJECT_ADMIN: PROJECT_ADMIN,
    Role.MAINTAINER: MAINTAINER,
    Role.DEVELOPER: DEVELOPER,
    Role.GUEST: GUEST,
    Role.LIMITED_GUEST: LIMITED_GUEST,
}

ROBOT_PERMISSIONS = {
    "system": permissions(
        {
            "audit-log": "list",
            "preheat-instance": "read create delete list update",
            "project": "list create",
            "replication-policy": "read create delete list update",
            "replication": "read create list",
            "replication-adapter": "list",
            "registry": "read create delete list update",
            "scan-all": "read update stop create",
            "system-volumes": "read",
            "garbage-collection": "read create list update stop",
            "purge-audit": "read create list update stop",
            "jobservice-monitor": "list stop",
            "scanner": "read create delete list update",
            "label": "read create delete update",
            "security-hub": "read list",
            "catalog": "read",
            "quota": "read list update",
            "robot": "create read list delete",
            "user": "create read update list delete",
            "ldap-user": "create list",
            "user-group": "create read update list delete",
        }
    ),
    "project": permissions(
        {
            "log": "list",
            "project": "read delete update",
            "metadata": "read create delete list update",
            "repository": "read update delete list pull push",
            "artifact": "read create list delete",
            "scan": "create read stop",
            "sbom": "create stop read",
            "tag": "create list delete",
            "accessory": "list",
            "artifact-addition": "read",
            "artifact-label": "create delete",
            "scanner": "create read",
            "preheat-policy": "read create delete list update",
            "immutable-tag": "create delete list update",
            "notification-policy": "read create delete list update",
            "tag-retention": "read create delete list update",
            "label": "read create delete list update",
            "quota": "read",
            "robot": "create read list delete",
            "export-cve": "create read",
            "member": "create read update list delete",
        }
    ),
}
"""What a robot can be given, by the kind of the grant: Harbor's permission dictionary."""

EVERYTHING = PROJECT_ADMIN | ROBOT_PERMISSIONS["project"]
"""What a system administrator may do in any project."""

PULL = Permission("repository", "pull")
PUSH = Permission("repository", "push")


def decide(actor: Actor, project_id: int, public: bool, roles: Iterable[int]) -> frozenset[Permission]:
    """Everything `actor` may do in a project where it has `roles`. Pure: the hot paths bring a row of their own."""
    if actor.is_admin:
        return EVERYTHING
    granted = PUBLIC if public else NOTHING
    if actor.kind is Kind.ROBOT:
        return granted | actor.grants.get(project_id, NOTHING) | actor.grants.get(EVERY_PROJECT, NOTHING)
    for role in roles:
        granted |= ROLE_PERMISSIONS[Role(role)]
    return granted


def allowed(actor: Actor, project: Project) -> frozenset[Permission]:
    """Everything `actor` may do in `project`; one query for a person's roles."""
    roles = [] if actor.is_admin else project.roles_of(actor)
    return decide(actor, project.pk, project.public, roles)


def require(actor: Actor, resource: str, action: str, project: Project) -> None:
    """Return if `actor` may; raise `Unauthenticated` for nobody, `Forbidden` for anybody else."""
    if Permission(resource, action) not in allowed(actor, project):
        refuse(actor)


def find(actor: Actor, resource: str, action: str, *, name: str | None = None, pk: int | None = None) -> Project:
    """The project of that name or id, for an actor who may do this in it.

    To others a project that does not exist looks like one that does: 401 or 403. Who may do this in every project gets
    `NotFound`.
    """
    project = Project.objects.filter(**({"pk": pk} if name is None else {"name": name})).first()
    if project is not None:
        require(actor, resource, action, project)
        return project
    if Permission(resource, action) not in decide(actor, EVERY_PROJECT, public=False, roles=()):
        refuse(actor)
    raise NotFound(f"project {name or pk} not found")


def projects_allowing(actor: Actor, resource: str, action: str) -> ProjectQuerySet:
    """The projects in which `actor` may do this: the same answer as `allowed`, in SQL."""
    asked = Permission(resource, action)
    if asked in decide(actor, EVERY_PROJECT, public=False, roles=()):
        return Project.objects.all()
    where = Q(pk__in=[pk for pk, granted in actor.grants.items() if asked in granted])
    if asked in PUBLIC:
        where |= Q(public=True)
    roles = [role for role, granted in ROLE_PERMISSIONS.items() if asked in granted]
    where |= Q(pk__in=Member.objects.of(actor).filter(role__in=roles).values("project_id"))
    return Project.objects.filter(where)
