"""The row that a robot's login reads: one raw query, since every pull of a fleet begins with it."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.actors import Actor, Kind
from robots.models import Grants, grants_of

_SELECT = """
    SELECT robot.id, robot.level, robot.permissions, robot.auth_epoch, robot.secret_digest, project.name
    FROM robots_robot robot
    LEFT JOIN projects_project project ON project.id = robot.project_id
    WHERE NOT robot.disabled AND (robot.expires_at IS NULL OR robot.expires_at > %s) AND robot.name = %s AND {condition}
"""
_OF_A_PROJECT = _SELECT.format(condition="project.name = %s")
_OF_THE_SYSTEM = _SELECT.format(condition="robot.project_id IS NULL")


class Credentials(NamedTuple):
    """A robot that may sign in, and what is kept of its secret."""

    actor: Actor
    secret_digest: str


def find_credentials(displayed: str, prefix: str) -> Credentials | None:
    """The robot that is displayed like this, if it is neither disabled nor expired."""
    project, plus, name = displayed.removeprefix(prefix).rpartition("+")
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    parameters = [now, name, project] if plus else [now, name]
    with connection.cursor() as cursor:
        cursor.execute(_OF_A_PROJECT if plus else _OF_THE_SYSTEM, parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    pk, level, permissions, epoch, secret_digest, project = row
    system, grants = parsed_grants(permissions, level)
    shown = f"{prefix}{project}+{name}" if project else f"{prefix}{name}"
    actor = Actor(Kind.ROBOT, shown, robot_id=pk, system_grants=system, grants=grants, auth_epoch=epoch)
    return Credentials(actor, secret_digest)


@lru_cache(maxsize=256)
def parsed_grants(permissions: str, level: str) -> Grants:
    """The grants that a row's JSON stands for; a fleet of robots brings the same texts again and again."""
    return grants_of(json.loads(permissions), level)
