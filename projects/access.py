"""What one actor may do in several projects, by one query.

The token realm asks this on every request; `permissions.decide` gives the answer, here is only the row it needs. Raw
SQL, because a request may not pay for building models. The v2 gateway has a query of its own, which joins the artifact.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection

from accounts.actors import Actor, Kind, Permission
from projects.permissions import decide


@dataclass(frozen=True, slots=True)
class Access:
    """A project that exists, and everything the actor may do in it."""

    project_id: int
    name: str
    public: bool
    permissions: frozenset[Permission]


PROJECTS = (
    "SELECT project.id, project.name, project.public, 0 FROM projects_project project WHERE project.name IN ({names})"
)
ROLES = """
    SELECT project.id, project.name, project.public, member.role
    FROM projects_project project
    LEFT JOIN projects_member member ON member.project_id = project.id AND (
        member.user_id = %s
        OR member.group_id IN (SELECT groups.group_id FROM accounts_groupmembership groups WHERE groups.user_id = %s)
    )
    WHERE project.name IN ({names})
"""


def access_to(actor: Actor, names: Collection[str]) -> dict[str, Access]:
    """The projects of these names that exist, by name. One query; none for no name."""
    if not names:
        return {}
    sql: str = PROJECTS
    parameters: list[str | int | None] = [*names]
    if actor.kind is Kind.USER and not actor.is_admin:
        sql, parameters = ROLES, [actor.user_id, actor.user_id, *names]
    with connection.cursor() as cursor:
        cursor.execute(sql.format(names=", ".join(["%s"] * len(names))), parameters)
        rows = cursor.fetchall()
    found: dict[str, tuple[int, bool, list[int]]] = {}
    for project_id, name, public, role in rows:
        _, _, roles = found.setdefault(name, (project_id, bool(public), []))
        if role:
            roles.append(role)
    return {
        name: Access(project_id, name, public, decide(actor, project_id, public, roles))
        for name, (project_id, public, roles) in found.items()
    }
