"""What a token may carry: asked ∩ allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from accounts.actors import Actor, Permission
from accounts.permissions import system_allowed
from tokens.access import Standing, standing_of
from tokens.scopes import Scope

VERBS = {
    Permission("repository", "pull"): "pull",
    Permission("repository", "push"): "push",
    Permission("repository", "delete"): "delete",
}
"""What a permission in the project is called in a token for one of its repositories."""
CATALOG = Permission("catalog", "read")


def grant(actor: Actor, scopes: Sequence[Scope]) -> list[Scope] | None:
    """The scopes cut down to what `actor` may, without those of which nothing is left. One query for all of them.

    A project that does not exist grants what a forbidden one does: nothing. None for an actor that is no more.
    """
    standing = standing_of(actor, {scope.project for scope in scopes if scope.project})
    if standing is None:
        return None
    granted = (scope.only(_allowed(scope, standing)) for scope in scopes)
    return [scope for scope in granted if scope.actions]


def _allowed(scope: Scope, standing: Standing) -> Iterable[str]:
    if scope.type == "registry":
        return ("*",) if CATALOG in system_allowed(standing.actor) else ()
    access = standing.projects.get(scope.project)
    if access is None:
        return ()
    return [verb for permission, verb in VERBS.items() if permission in access.permissions]
