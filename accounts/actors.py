"""Who is asking. An `Actor` is plain data: what it may do is decided in `permissions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Permission(NamedTuple):
    """An action on a resource, in the words of Harbor's RBAC: `repository`, `push`."""

    resource: str
    action: str


NOTHING: frozenset[Permission] = frozenset()


class Kind(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    ROBOT = "robot"
    SYSTEM = "system"  # Haven itself: jobs, management commands


EVERY_PROJECT = 0
"""The key in `Actor.grants` that stands for all projects; no project has this id."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody, or something, that acts.

    `name` is what the audit log shows. People get their rights from memberships, by `user_id`;
    a robot carries its own: `system_grants`, and `grants` by project id.
    """

    kind: Kind
    name: str
    user_id: int | None = None
    robot_id: int | None = None
    is_admin: bool = False
    system_grants: frozenset[Permission] = NOTHING
    grants: Mapping[int, frozenset[Permission]] = field(default_factory=dict)
    auth_epoch: int = 0
    """Raised when a password, secret or permission changes; a token that carries another value is refused."""

    @property
    def is_authenticated(self) -> bool:
        return self.kind is not Kind.ANONYMOUS


ANONYMOUS = Actor(Kind.ANONYMOUS, "anonymous")
SYSTEM = Actor(Kind.SYSTEM, "system", is_admin=True)


def actor_of(request: Any) -> Actor:
    """The actor that authentication attached to `request`; anonymous where nobody signed in."""
    actor: Actor = getattr(request, "actor", ANONYMOUS)
    return actor
