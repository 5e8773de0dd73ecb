"""What robots may be given, and by whom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from accounts.actors import EVERY_PROJECT, NOTHING, Actor, Kind, Permission
from accounts.errors import BadRequest, Denied, NotFound
from accounts.permissions import refuse, require_system
from projects.models import Project
from projects.permissions import PULL, PUSH, ROBOT_PERMISSIONS, require
from robots.models import Robot

SYSTEM_NAMESPACE = "/"
ALL_PROJECTS = "*"


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions as they are asked for: of kind `system` on `/`, or of kind `project` on a project's name or `*`."""

    kind: str
    namespace: str
    access: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class Grants:
    """Permissions as a robot keeps them: projects by id."""

    system: frozenset[Permission]
    projects: dict[int, frozenset[Permission]]

    def as_json(self) -> dict[str, object]:
        """What the row keeps."""
        return {
            "system": _words(self.system),
            "projects": {str(pk): _words(held) for pk, held in sorted(self.projects.items())},
        }


def require_robots(actor: Actor, action: str, level: str, project: Project | None) -> None:
    """Return if `actor` may do this with robots of that level, in that project."""
    if level == Robot.Level.PROJECT:
        if project is None:
            raise BadRequest("a project's robot needs a project", "permissions")
        require(actor, "robot", action, project)
    else:
        require_system(actor, "robot", action)


def resolve(actor: Actor, level: str, asked: Sequence[Grant]) -> Grants:
    """What was asked for, checked against the dictionary, with projects found by name."""
    _check_shape(level, asked)
    system: frozenset[Permission] = NOTHING
    projects: dict[int, frozenset[Permission]] = {}
    names = {grant.namespace for grant in asked if grant.kind == "project"} - {ALL_PROJECTS}
    found = dict(Project.objects.filter(name__in=names).values_list("name", "pk"))
    for grant in asked:
        held = frozenset(grant.access)
        if grant.kind == "system":
            system |= held
            continue
        pk = EVERY_PROJECT if grant.namespace == ALL_PROJECTS else found.get(grant.namespace)
        if pk is None:
            # To others a project that does not exist looks like one that does.
            if not actor.is_admin:
                refuse(actor)
            raise NotFound(f"project {grant.namespace} not found")
        projects[pk] = projects.get(pk, NOTHING) | held
    return Grants(system, projects)


def require_holding(actor: Actor, grants: Grants, level: str) -> None:
    """A robot gives others only what it holds itself. People who may make robots give anything of the dictionary."""
    if actor.kind is not Kind.ROBOT:
        return
    everywhere = actor.grants.get(EVERY_PROJECT, NOTHING)
    fits = grants.system <= actor.system_grants
    for pk, held in grants.projects.items():
        effective = held | {PULL} if level == Robot.Level.PROJECT and PUSH in held else held
        fits = fits and effective <= everywhere | (actor.grants.get(pk, NOTHING) if pk else NOTHING)
    if not fits:
        raise Denied("a robot gives others only permissions that it has itself")


def require_another(actor: Actor, robot: Robot) -> None:
    """Nobody is its own maker: a robot does not change, renew or delete itself."""
    if actor.kind is Kind.ROBOT and actor.robot_id == robot.pk:
        raise Denied("a robot does not change itself")


def _check_shape(level: str, asked: Sequence[Grant]) -> None:
    if level not in Robot.Level.values:
        raise BadRequest("the level is neither system nor project", "level")
    if not asked:
        raise BadRequest("a robot needs permissions", "permissions")
    if level == Robot.Level.PROJECT and (len(asked) != 1 or asked[0].kind != "project"):
        raise BadRequest("a project's robot has permissions in its project and nowhere else", "permissions")
    if level == Robot.Level.PROJECT and asked[0].namespace == ALL_PROJECTS:
        raise BadRequest("a project's robot has permissions in its project and nowhere else", "permissions")
    for grant in asked:
        if grant.kind not in ROBOT_PERMISSIONS:
            raise BadRequest(f"bad request permission kind: {grant.kind}", "permissions")
        if grant.kind == "system" and grant.namespace != SYSTEM_NAMESPACE:
            raise BadRequest("the namespace of system permissions is /", "permissions")
        if not grant.access:
            raise BadRequest("bad request empty access", "permissions")
        for permission in grant.access:
            if permission not in ROBOT_PERMISSIONS[grant.kind]:
                raise BadRequest(f"bad request permission: {permission.resource}:{permission.action}", "permissions")


def _words(permissions: Iterable[Permission]) -> list[str]:
    return sorted(f"{permission.resource}:{permission.action}" for permission in permissions)
