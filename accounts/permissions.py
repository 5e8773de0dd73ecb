"""Who may do what in the system: users, configuration, the audit log, jobs. Projects answer for themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from accounts.actors import Actor, Permission
from accounts.errors import Forbidden, Unauthenticated


def permissions(table: Mapping[str, str]) -> frozenset[Permission]:
    """The permissions that `table` lists: resource, then its actions, separated by spaces."""
    return frozenset(Permission(resource, action) for resource, actions in table.items() for action in actions.split())


SYSTEM_PERMISSIONS = permissions(
    {
        "audit-log": "list",
        "catalog": "read",
        "configuration": "read update",
        "distribution": "create read update delete list",
        "garbage-collection": "create read update delete list stop",
        "jobservice-monitor": "read list stop",
        "label": "create read update delete",
        "ldap-user": "create list",
        "preheat-instance": "create read update delete list",
        "project": "create read update delete list",
        "purge-audit": "create read update list stop",
        "quota": "read update list",
        "registry": "create read update delete list",
        "replication": "create read update delete list",
        "replication-adapter": "list",
        "replication-policy": "create read update delete list",
        "robot": "create read update delete list",
        "scan-all": "create read update delete list stop",
        "scanner": "create read update delete list",
        "security-hub": "read list",
        "system-volumes": "read",
        "tag-retention": "create read update delete list",
        "user": "create read update delete list",
        "user-group": "create read update delete list",
    }
)
"""Everything there is to do in the system: administrators may all of it, robots what they were given."""


def system_allowed(actor: Actor) -> frozenset[Permission]:
    """Everything `actor` may do in the system, projects apart."""
    return SYSTEM_PERMISSIONS if actor.is_admin else actor.system_grants


def require_system(actor: Actor, resource: str, action: str) -> None:
    """Return if `actor` may; raise `Unauthenticated` for nobody, `Forbidden` for anybody else."""
    if Permission(resource, action) not in system_allowed(actor):
        refuse(actor)


def require_authenticated(actor: Actor) -> None:
    """Return if somebody signed in."""
    if not actor.is_authenticated:
        raise Unauthenticated


def refuse(actor: Actor) -> NoReturn:
    """Say no: sign in first, or, to who did, that it is forbidden."""
    require_authenticated(actor)
    raise Forbidden
