"""A project's robots below its own path, where clients from before Harbor 2.2 look for them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors import Permission, actor_of
from accounts.errors import BadRequest, NotFound
from api import parameters
from api.operations import LISTED, operation
from api.robots import ROBOTS, Access, Robot, RobotCreated, grants, made, permissions_of, require_allow, show_all
from api.shapes import ListOf, Number, Shape, Text
from api.views import Endpoint, done, project_of
from configuration import values
from robots import actions, models
from robots.permissions import Grant

DAY = 24 * 3600
RESOURCE = re.compile(r"/project/[0-9]+/([a-z-]+)", re.ASCII)


class RobotCreateV1(Shape):
    name = Text()
    description = Text()
    expires_at = Number()
    access = ListOf(Access())


def permissions(access: Iterable[Mapping[str, Any]]) -> tuple[Permission, ...]:
    """What was asked for: a resource is named by its whole path, `/project/7/repository`."""
    found = []
    for entry in access:
        require_allow(entry)
        named = RESOURCE.fullmatch(entry.get("resource", ""))
        if named is None:
            raise BadRequest(f"bad resource {entry.get('resource', '')}")
        found.append(Permission(named[1], entry.get("action", "")))
    return tuple(found)


def days_until(moment: int) -> int:
    """How many days a robot lives that ends then: for ever for -1, as configured for 0. BadRequest for the past."""
    if moment == 0:
        return int(values.get("robot_token_duration"))
    if moment == -1:
        return -1
    if moment <= time.time():
        raise BadRequest("the robot would have expired already", "expires_at")
    return math.ceil((moment - time.time()) / DAY)


class ProjectRobots(Endpoint):
    @operation("ListProjectRobots", [Robot], query=LISTED)
    def get(self, request: Request, project_name_or_id: str) -> Response:
        project = project_of(request, project_name_or_id, "robot", "list")
        rows = models.Robot.objects.filter(project=project).with_full_names()
        return ROBOTS.answer(request, rows, show_all, lambda found: found.select_related("project"))

    @operation("CreateProjectRobot", RobotCreated, status=201, body=RobotCreateV1, errors=(409,))
    def post(self, request: Request, project_name_or_id: str) -> Response:
        asked = RobotCreateV1.read(request, "robot")
        project = project_of(request, project_name_or_id, "robot", "create")
        robot, secret = actions.create_robot(
            actor_of(request),
            name=asked.get("name", ""),
            level=models.Robot.Level.PROJECT,
            project=project,
            description=asked.get("description", ""),
            duration=days_until(asked.get("expires_at", 0)),
            permissions=[Grant("project", project.name, permissions(asked.get("access", ())))],
        )
        return made(request, robot, secret)


class OneProjectRobot(Endpoint):
    @operation("GetProjectRobot", Robot)
    def get(self, request: Request, project_name_or_id: str, robot_id: str) -> Response:
        return Response(show_all([self.find(request, project_name_or_id, robot_id, "read")])[0])

    @operation("UpdateProjectRobot", body=Robot)
    def put(self, request: Request, project_name_or_id: str, robot_id: str) -> Response:
        """Only whether it is disabled, and what is said of it."""
        asked = Robot.read(request, "robot")
        robot = self.find(request, project_name_or_id, robot_id, "update")
        assert robot.project
        actions.update_robot(
            actor_of(request),
            robot,
            description=asked.get("description", ""),
            duration=robot.duration,
            disabled=asked.get("disable", False),
            permissions=grants(permissions_of(robot, {robot.project.pk: robot.project.name})),
        )
        return done()

    @operation("DeleteProjectRobot")
    def delete(self, request: Request, project_name_or_id: str, robot_id: str) -> Response:
        actions.delete_robot(actor_of(request), self.find(request, project_name_or_id, robot_id, "delete"))
        return done()

    def find(self, request: Request, project_name_or_id: str, robot_id: str, action: str) -> models.Robot:
        """The robot of this project, and of no other, that the path names."""
        pk = parameters.integer(robot_id, "robot_id")
        project = project_of(request, project_name_or_id, "robot", action)
        robot = models.Robot.objects.select_related("project").filter(project=project, pk=pk).first()
        if robot is None:
            raise NotFound(f"robot {pk} not found")
        return robot


routes = [
    path("projects/<project_name_or_id>/robots", ProjectRobots.as_view()),
    path("projects/<project_name_or_id>/robots/<robot_id>", OneProjectRobot.as_view()),
]
