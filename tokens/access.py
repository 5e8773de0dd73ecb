"""The realm's one query: who somebody is now, and what they may do in several projects.

Everybody but anonymous is looked at again by id, so an actor who was recognised a moment ago (`accounts.recent`) needs
no other query. Raw SQL, because a request may not pay for building models; `projects.permissions.decide` gives the
answer. The v2 gateway has a query of its own, which joins the artifact.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.actors import Actor, Kind, Permission
from projects.permissions import decide
from robots.credentials import parsed_grants
from tokens import prepared

PLANNED = 3
"""Projects that are asked for at once more often than not: a plan is kept for each number up to this."""


@dataclass(frozen=True, slots=True)
class Access:
    """A project that exists, and everything the actor may do in it."""

    project_id: int
    public: bool
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Standing:
    """An actor as the database knows it now, and by name the projects that exist."""

    actor: Actor
    projects: dict[str, Access]


ROLES = """
    LEFT JOIN projects_member member ON member.project_id = project.id AND (
        member.user_id = who.id
        OR member.group_id IN (SELECT mine.group_id FROM accounts_groupmembership mine WHERE mine.user_id = who.id)
    )
"""
ANYBODY = (
    "SELECT NULL, NULL, project.id, project.name, project.public, NULL FROM projects_project project WHERE {asked}"
)
USER = f"""
    SELECT who.is_admin OR who.admin_by_group, NULL, project.id, project.name, project.public, member.role
    FROM accounts_user who LEFT JOIN projects_project project ON {{asked}} {ROLES}
    WHERE who.id = %s AND who.auth_epoch = %s AND who.is_active AND NOT who.deleted
"""
ROBOT = """
    SELECT who.permissions, who.level, project.id, project.name, project.public, NULL
    FROM robots_robot who LEFT JOIN projects_project project ON {asked}
    WHERE who.id = %s AND who.auth_epoch = %s AND NOT who.disabled AND (who.expires_at IS NULL OR who.expires_at > %s)
"""


def standing_of(actor: Actor, names: Collection[str]) -> Standing | None:
    """What `actor` may do in the projects of these names; None for somebody who is no more what `actor` says.

    One query; none for anonymous without a name.
    """
    if actor.kind is Kind.ANONYMOUS and not names:
        return Standing(actor, {})
    rows = _rows(actor, names)
    if actor.kind is Kind.ANONYMOUS:
        return Standing(actor, _projects(actor, rows))
    if not rows:
        return None
    actor = _renewed(actor, *rows[0][:2])
    return Standing(actor, _projects(actor, rows))


def _rows(actor: Actor, names: Collection[str]) -> list[tuple[Any, ...]]:
    parameters: list[Any] = [*names]
    sql = ANYBODY
    if actor.kind is Kind.USER:
        sql = USER
        parameters += [actor.user_id, actor.auth_epoch]
    elif actor.kind is Kind.ROBOT:
        sql = ROBOT
        now = connection.ops.adapt_datetimefield_value(timezone.now())
        parameters += [actor.robot_id, actor.auth_epoch, now]
    asked = f"project.name IN ({', '.join(['%s'] * len(names))})" if names else "FALSE"
    name = f"haven_realm_{actor.kind.value}_{len(names)}" if len(names) <= PLANNED else ""
    return prepared.rows(sql.format(asked=asked), name, parameters)


def _renewed(actor: Actor, first: Any, second: Any) -> Actor:
    """The actor with the rights of its row: whether an administrator, or a robot's grants."""
    if actor.kind is Kind.USER:
        return replace(actor, is_admin=bool(first))
    system, grants = parsed_grants(first, second)
    return replace(actor, system_grants=system, grants=grants)


def _projects(actor: Actor, rows: list[tuple[Any, ...]]) -> dict[str, Access]:
    found: dict[str, tuple[int, bool, list[int]]] = {}
    for _, _, project_id, name, public, role in rows:
        if project_id is not None:
            found.setdefault(name, (project_id, bool(public), []))[2].append(role or 0)
    return {
        name: Access(project_id, public, decide(actor, project_id, public, filter(None, roles)))
        for name, (project_id, public, roles) in found.items()
    }
