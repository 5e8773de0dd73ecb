"""Robots, of the system and of projects. A secret is in the answer that makes it, and in no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import EVERY_PROJECT, Permission
from accounts.errors import BadRequest, NotFound
from accounts.permissions import require_system
from api import parameters, query
from api.operations import LISTED, operation
from api.paging import Listing
from api.shapes import Flag, ListOf, Moment, Number, Shape, Text
from api.views import Endpoint, authenticated, created, done
from projects.models import Project
from projects.permissions import find
from robots import actions, models
from robots.permissions import ALL_PROJECTS, SYSTEM_NAMESPACE, Grant, require_robots


class Access(Shape):
    resource = Text()
    action = Text()
    effect = Text()


ALLOW = "allow"
"""The only effect there is: shown with each access, since clients that send it compare."""


class RobotPermission(Shape):
    kind = Text()
    namespace = Text()
    access = ListOf(Access())


class Robot(Shape):
    id = Number()
    name = Text()
    description = Text()
    secret = Text()
    level = Text()
    duration = Number(nullable=True)
    editable = Flag(always=True)
    disable = Flag(always=True)
    expires_at = Number()
    permissions = ListOf(RobotPermission())
    creator_type = Text()
    creator_ref = Number()
    creation_time = Moment()
    update_time = Moment()


class RobotCreate(Shape):
    name = Text()
    description = Text()
    secret = Text()
    level = Text()
    disable = Flag()
    duration = Number()
    permissions = ListOf(RobotPermission())


class RobotCreated(Shape):
    id = Number()
    name = Text()
    secret = Text()
    creation_time = Moment()
    expires_at = Number()


class RobotSec(Shape):
    secret = Text()


ROBOTS = Listing(
    default=("name",),
    filters={
        "id": query.number("id"),
        "name": query.text("full_name"),
        "description": query.text("description"),
        "duration": query.number("duration"),
        "disabled": query.flag("disabled"),
        "creation_time": query.when("creation_time"),
        "update_time": query.when("update_time"),
    },
    sorts={name: name for name in ("id", "name", "duration", "expires_at", "creation_time", "update_time")},
)


def expires_at(robot: models.Robot) -> int:
    """Seconds of the epoch; -1 for never."""
    return int(robot.expires_at.timestamp()) if robot.expires_at else -1


def show_all(robots: Iterable[models.Robot]) -> list[dict[str, Any]]:
    """`robots` in Harbor's words. The names of the projects they work in are read at once."""
    robots = list(robots)
    keys = {int(key) for robot in robots for key in robot.permissions.get("projects", {})}
    names = dict(Project.objects.filter(pk__in=keys).values_list("pk", "name"))
    names[EVERY_PROJECT] = ALL_PROJECTS
    return [show(robot, names) for robot in robots]


def show(robot: models.Robot, names: Mapping[int, str]) -> dict[str, Any]:
    """`robot`, with the names of projects by id."""
    return Robot.of(
        {
            "id": robot.pk,
            "name": robot.display_name(),
            "description": robot.description,
            "level": robot.level,
            "duration": robot.duration,
            "editable": True,
            "disable": robot.disabled,
            "expires_at": expires_at(robot),
            "permissions": permissions_of(robot, names),
            "creation_time": robot.creation_time,
            "update_time": robot.update_time,
        }
    )


def permissions_of(robot: models.Robot, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """What `robot` was given, by namespace; a project that is gone is left out."""
    found = [("system", SYSTEM_NAMESPACE, robot.permissions.get("system") or ())]
    for key, words in (robot.permissions.get("projects") or {}).items():
        found.append(("project", names.get(int(key), ""), words))
    return [
        {"kind": kind, "namespace": namespace, "access": [accessible(word) for word in words]}
        for kind, namespace, words in found
        if namespace and words
    ]


def accessible(word: str) -> dict[str, str]:
    resource, _, action = word.partition(":")
    return {"resource": resource, "action": action, "effect": ALLOW}


def require_allow(entry: Mapping[str, Any]) -> None:
    """Return unless an access is to be denied: a robot holds what it is given, and nothing is taken from that."""
    if entry.get("effect") not in (None, "", ALLOW):
        raise BadRequest(f"bad request effect: only {ALLOW} is supported")


def grants(asked: Iterable[Mapping[str, Any]]) -> list[Grant]:
    """A body's permissions. Several of one namespace are one."""
    found: dict[tuple[str, str], list[Permission]] = defaultdict(list)
    for given in asked:
        access = given.get("access") or ()
        if not access:
            raise BadRequest("bad request empty access")
        for entry in access:
            require_allow(entry)
            permission = Permission(entry.get("resource", ""), entry.get("action", ""))
            found[given.get("kind", ""), given.get("namespace", "")].append(permission)
    return [Grant(kind, namespace, tuple(access)) for (kind, namespace), access in found.items()]


def listed(request: Request) -> models.RobotQuerySet:
    """The system's robots, or those of the project that `q=Level=project,ProjectID=7` names."""
    actor = authenticated(request)
    terms = {query.snake(key): term for key, term in query.parse(request.GET.get("q", "")).items()}
    match terms.get("level", query.Exactly("system")):
        case query.Exactly("system"):
            require_system(actor, "robot", "list")
            return models.Robot.objects.filter(level="system")
        case query.Exactly("project"):
            project = find(actor, "robot", "list", pk=project_id_in(terms))
            return models.Robot.objects.filter(project=project)
    raise BadRequest("bad request error level input")


def project_id_in(terms: Mapping[str, query.Term]) -> int:
    """The `ProjectID` of a `q`."""
    match terms.get("project_id"):
        case query.Exactly(value):
            try:
                return query.whole(value)
            except ValueError:
                raise BadRequest("Project ID must be int type.") from None
    raise BadRequest("must with project ID when to query project robots")


def robot_of(request: Request, robot_id: str, action: str) -> models.Robot:
    """The robot that a path names, for who may do this to it. Others cannot tell whether there is one."""
    pk = parameters.integer(robot_id, "robot_id")
    actor = authenticated(request)
    robot = models.Robot.objects.select_related("project").filter(pk=pk).first()
    if robot is None:
        require_system(actor, "robot", action)
        raise NotFound(f"robot {pk} not found")
    require_robots(actor, action, robot.level, robot.project)
    return robot


def made(request: Request, robot: models.Robot, secret: str) -> Response:
    """201 with the one showing of the secret."""
    shown = {
        "id": robot.pk,
        "name": robot.display_name(),
        "secret": secret,
        "creation_time": robot.creation_time,
        "expires_at": expires_at(robot),
    }
    return created(request, robot.pk, RobotCreated.of(shown))


class Robots(Endpoint):
    @operation("ListRobot", [Robot], query=LISTED, errors=(404,))
    def get(self, request: Request) -> Response:
        rows = listed(request).with_full_names()
        return ROBOTS.answer(request, rows, show_all, lambda rows: rows.select_related("project"))

    @operation("CreateRobot", RobotCreated, status=201, body=RobotCreate, errors=(404, 409))
    def post(self, request: Request) -> Response:
        asked = RobotCreate.read(request, "robot")
        robot, secret = actions.create_robot(
            authenticated(request),
            name=asked.get("name", ""),
            level=asked.get("level", ""),
            description=asked.get("description", ""),
            duration=asked.get("duration", 0),
            permissions=grants(asked.get("permissions", ())),
        )
        return made(request, robot, secret)


class OneRobot(Endpoint):
    @operation("GetRobotByID", Robot)
    def get(self, request: Request, robot_id: str) -> Response:
        return Response(show_all([robot_of(request, robot_id, "read")])[0])

    @operation("UpdateRobot", body=Robot, errors=(409,))
    def put(self, request: Request, robot_id: str) -> Response:
        asked = Robot.read(request, "robot")
        robot = robot_of(request, robot_id, "update")
        if asked.get("level") != robot.level or asked.get("name") != robot.display_name():
            raise BadRequest("cannot update the level or name of robot")
        actions.update_robot(
            authenticated(request),
            robot,
            description=asked.get("description", ""),
            duration=asked.get("duration", 0),
            disabled=asked.get("disable", False),
            permissions=grants(asked.get("permissions", ())),
        )
        return done()

    @operation("RefreshSec", RobotSec, body=RobotSec)
    def patch(self, request: Request, robot_id: str) -> Response:
        given = RobotSec.read(request, "robotSec").get("secret", "")
        robot = robot_of(request, robot_id, "update")
        secret = actions.refresh_secret(authenticated(request), robot, given or None)
        return Response(RobotSec.of({"secret": "" if given else secret}))

    @operation("DeleteRobot")
    def delete(self, request: Request, robot_id: str) -> Response:
        actions.delete_robot(authenticated(request), robot_of(request, robot_id, "delete"))
        return done()


routes = [
    path("robots", Robots.as_view()),
    path("robots/<robot_id>", OneRobot.as_view()),
]
