"""What a token may carry: asked ∩ allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from accounts.actors import Actor, Permission
from accounts.permissions import system_allowed
from projects.access import Access, access_to
from tokens.scopes import Scope

VERBS = {
    Permission("repository", "pull"): "pull",
    Permission("repository", "push"): "push",
    Permission("repository", "delete"): "delete",
}
"""What a permission in the project is called in a token for one of its repositories."""
CATALOG = Permission("catalog", "read")


def grant(actor: Actor, scopes: Sequence[Scope]) -> list[Scope]:
    """The scopes cut down to what `actor` may, without those of which nothing is left. One query for all of them.

    A project that does not exist grants what a forbidden one does: nothing.
    """
    projects = access_to(actor, {scope.project for scope in scopes if scope.project})
    granted = (scope.only(_allowed(actor, scope, projects)) for scope in scopes)
    return [scope for scope in granted if scope.actions]


def _allowed(actor: Actor, scope: Scope, projects: Mapping[str, Access]) -> Iterable[str]:
    if scope.type == "registry":
        return ("*",) if CATALOG in system_allowed(actor) else ()
    access = projects.get(scope.project)
    if access is None:
        return ()
    return [verb for permission, verb in VERBS.items() if permission in access.permissions]
