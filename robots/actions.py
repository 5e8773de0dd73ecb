"""What may be done with robots. Authorize, one transaction, one audit entry; a secret is given out only once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actors import Actor
from accounts.errors import BadRequest, Conflict, NotFound
from audit.actions import record
from configuration import values
from projects.models import Project
from robots import secrets
from robots.models import Robot, expiry
from robots.permissions import Grant, Grants, require_another, require_holding, require_robots, resolve

NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII)
LONGEST_DURATION = 2**31 - 2


def create_robot(
    actor: Actor,
    *,
    name: str,
    level: str,
    project: Project | None = None,
    description: str = "",
    duration: int,
    permissions: Sequence[Grant],
) -> tuple[Robot, str]:
    """A new robot and its secret. A project's robot belongs to the project that its one grant names."""
    if level == Robot.Level.SYSTEM:
        project = None
    elif project is None and permissions:
        project = Project.objects.filter(name=permissions[0].namespace).first()
    grants = _grants(actor, level, project, permissions)
    require_robots(actor, "create", level, project)
    secret = secrets.new_secret()
    now = timezone.now()
    robot = Robot(
        name=_name(name),
        level=level,
        project=project,
        description=_description(description),
        secret_digest=secrets.digest(secret),
        permissions=grants.as_json(),
        duration=_duration(duration),
        expires_at=expiry(now, duration),
        creator=actor.name,
        creation_time=now,
    )
    try:
        with transaction.atomic():
            robot.save(force_insert=True)
            record(actor, "create", "robot", robot.display_name(), project=project)
    except IntegrityError:
        raise Conflict(f"the robot {robot.display_name()} already exists") from None
    return robot, secret


def update_robot(
    actor: Actor,
    robot: Robot,
    *,
    description: str | None = None,
    duration: int | None = None,
    disabled: bool | None = None,
    permissions: Sequence[Grant] | None = None,
) -> Robot:
    """Change what is given; name, level and project never change. Tokens that the robot holds already are void."""
    _require_change(actor, "update", robot)
    grants = None if permissions is None else _grants(actor, robot.level, robot.project, permissions)
    with transaction.atomic():
        current = _locked(robot)
        if description is not None:
            current.description = _description(description)
        if duration is not None:
            current.duration = _duration(duration)
            current.expires_at = expiry(current.creation_time, duration)
        if disabled is not None:
            current.disabled = disabled
        if grants is not None:
            current.permissions = grants.as_json()
        current.auth_epoch += 1
        current.save()
        record(actor, "update", "robot", current.display_name(), project=current.project)
    return current


def refresh_secret(actor: Actor, robot: Robot, secret: str | None = None) -> str:
    """Give a robot a new secret, made up unless given, and return it. The old one and its tokens are void."""
    _require_change(actor, "update", robot)
    if secret:
        secrets.check_given(secret)
    new = secret or secrets.new_secret()
    with transaction.atomic():
        current = _locked(robot)
        current.secret_digest = secrets.digest(new)
        current.auth_epoch += 1
        current.save(update_fields=["secret_digest", "auth_epoch", "update_time"])
        name = current.display_name()
        record(actor, "update", "robot", name, project=current.project, description=f"refresh secret of robot: {name}")
    return new


def delete_robot(actor: Actor, robot: Robot) -> None:
    """Delete a robot; tokens that it holds already are void."""
    _require_change(actor, "delete", robot)
    with transaction.atomic():
        current = _locked(robot)
        record(actor, "delete", "robot", current.display_name(), project=current.project)
        current.delete()


def _grants(actor: Actor, level: str, project: Project | None, asked: Sequence[Grant]) -> Grants:
    """What was asked for, as the row keeps it, after every rule but who may make robots at all."""
    grants = resolve(actor, level, asked)
    if project is not None and set(grants.projects) != {project.pk}:
        raise BadRequest("a project's robot has permissions in its project and nowhere else", "permissions")
    require_holding(actor, grants, level)
    return grants


def _require_change(actor: Actor, action: str, robot: Robot) -> None:
    require_robots(actor, action, robot.level, robot.project)
    require_another(actor, robot)


def _locked(robot: Robot) -> Robot:
    current = Robot.objects.select_for_update(of=("self",)).select_related("project").filter(pk=robot.pk).first()
    if current is None:
        raise NotFound(f"robot {robot.pk} not found")
    return current


def _name(name: str) -> str:
    if len(name) > 255 or not NAME.fullmatch(name):
        raise BadRequest("a robot's name has lower case letters and digits, joined by . _ or -", "name")
    if name.startswith(f"{values.get('robot_scanner_name_prefix')}-"):
        raise BadRequest("this name is reserved for scanners", "name")
    return name


def _description(description: str) -> str:
    if len(description) > 1024 or "\x00" in description:
        raise BadRequest("the description must have at most 1024 characters", "description")
    return description


def _duration(duration: int) -> int:
    if duration != -1 and not 1 <= duration <= LONGEST_DURATION:
        raise BadRequest(f"the duration is a number of days, 1 to {LONGEST_DURATION}, or -1 for ever", "duration")
    return duration
