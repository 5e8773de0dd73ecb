"""The hot path's one query: who asks, what they may do in the project, and what the reference means there.

Asked on every request of the v2 protocol, so that a removed member, a disabled robot or a project made private are
refused at once, whatever the token says. Raw SQL, because a request may not pay for building models; the decision
itself is `projects.permissions.decide`, as everywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.actors import ANONYMOUS, Actor, Kind, Permission
from gateway.errors import InvalidToken
from projects.models import Project
from projects.permissions import decide
from registry.references import Reference
from robots.models import Grants, grants_of
from tokens import prepared


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a token or a password speaks for, to be asked again from the database."""

    kind: Kind
    id: int | None
    name: str
    auth_epoch: int = 0
    issued_at: int | None = None
    """When the token was signed, in seconds since the epoch; None for a password just checked."""


@dataclass(slots=True)
class Found:
    """The answer. Ids are None for what does not exist; `permissions` is empty without a project."""

    actor: Actor
    permissions: frozenset[Permission]
    project_id: int | None = None
    project_name: str = ""
    repository_id: int | None = None
    tag_id: int | None = None
    artifact_id: int | None = None
    digest: str | None = None
    media_type: str | None = None
    content: bytes | None = field(default=None, repr=False)

    @property
    def project(self) -> Project | None:
        """The project's row, as far as it was read."""
        return Project(id=self.project_id, name=self.project_name) if self.project_id else None


ROLES = """(
    SELECT SUM(DISTINCT 1 << member.role) FROM projects_member member
    WHERE member.project_id = project.id AND (member.user_id = who.id OR member.group_id IN
        (SELECT membership.group_id FROM accounts_groupmembership membership WHERE membership.user_id = who.id))
)"""
"""A person's roles, their own and their groups', as one number: bit n for role n."""

WHO = {
    Kind.USER: (
        f"who.is_active AND NOT who.deleted, who.auth_epoch, who.is_admin OR who.admin_by_group, {ROLES}, NULL, NULL",
        "LEFT JOIN accounts_user who ON who.id = %s",
    ),
    Kind.ROBOT: (
        "NOT who.disabled AND (who.expires_at IS NULL OR who.expires_at > %s), who.auth_epoch, NULL, NULL,"
        " who.permissions, who.level",
        "LEFT JOIN robots_robot who ON who.id = %s",
    ),
    Kind.ANONYMOUS: ("TRUE, 0, NULL, NULL, NULL, NULL", ""),
}
BY_TAG = """
    LEFT JOIN artifacts_tag tag ON tag.repository_id = repository.id AND tag.name = %s
    LEFT JOIN artifacts_artifact artifact ON artifact.id = tag.artifact_id
"""
BY_DIGEST = """
    LEFT JOIN artifacts_artifact artifact ON artifact.repository_id = repository.id AND artifact.digest = %s
"""


@cache
def _statement(kind: Kind, what: str) -> str:
    """The query for an actor of this kind; `what` is `tag`, `digest`, or nothing for the repository alone."""
    columns, who = WHO[kind]
    shown = "artifact.id, artifact.digest, artifact.media_type, manifest.content" if what else "NULL, NULL, NULL, NULL"
    return f"""
        SELECT {columns}, project.id, project.name, project.public, project.creation_time > %s, repository.id,
            {"tag.id" if what == "tag" else "NULL"}, {shown}
        FROM (SELECT 1 AS one) AS one
        {who}
        LEFT JOIN projects_project project ON project.name = %s
        LEFT JOIN artifacts_repository repository ON repository.project_id = project.id AND repository.name = %s
        {BY_TAG if what == "tag" else BY_DIGEST if what else ""}
        {"LEFT JOIN artifacts_manifest manifest ON manifest.artifact_id = artifact.id" if what else ""}
    """


def look_up(who: Identity, repository: str, reference: Reference | None = None) -> Found:
    """What the database says now. One query. Raises InvalidToken for somebody who is no more what the token says."""
    what = "" if reference is None else "digest" if reference.is_digest else "tag"
    parameters: list[Any] = [_database_time(timezone.now())] if who.kind is Kind.ROBOT else []
    parameters.append(_database_time(_latest_creation(who)))
    if who.kind is not Kind.ANONYMOUS:
        parameters.append(who.id)
    parameters += [repository.partition("/")[0], repository]
    if reference is not None:
        parameters.append(reference.identifier)
    name = f"haven_pull_{who.kind.value}_{what}" if what else ""
    row = prepared.rows(_statement(who.kind, what), name, parameters)[0]
    alive, auth_epoch, is_admin, roles, grants, level, project_id, project_name, public, is_newer, *found = row
    if not alive or auth_epoch != who.auth_epoch:
        raise InvalidToken()
    actor = _actor(who, bool(is_admin), grants, level)
    if project_id is None:
        return Found(actor, frozenset())
    permissions = decide(actor, project_id, bool(public), _roles(roles))
    if is_newer and permissions:  # who may do nothing there must not learn that there is something new
        raise InvalidToken()
    return Found(actor, permissions, project_id, project_name, *found)


def _actor(who: Identity, is_admin: bool, grants: str, level: str) -> Actor:
    if who.kind is Kind.USER:
        return Actor(who.kind, who.name, user_id=who.id, is_admin=is_admin, auth_epoch=who.auth_epoch)
    if who.kind is Kind.ROBOT:
        system, by_project = _grants(grants, level)
        return Actor(
            who.kind,
            who.name,
            robot_id=who.id,
            system_grants=system,
            grants=by_project,
            auth_epoch=who.auth_epoch,
        )
    return ANONYMOUS


@lru_cache(maxsize=1024)
def _grants(text: str, level: str) -> Grants:
    """What a robot's row grants. The same text always means the same."""
    return grants_of(json.loads(text), level)


def _roles(bits: int | None) -> list[int]:
    return [role for role in range(1, int(bits).bit_length()) if int(bits) >> role & 1] if bits else []


def _latest_creation(who: Identity) -> datetime:
    """A project made later than this is not the one that the token was made for; its time counts whole seconds."""
    if who.issued_at is None:
        return datetime.max.replace(tzinfo=UTC)
    return datetime.fromtimestamp(who.issued_at, UTC) + timedelta(seconds=1)


def _database_time(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)
