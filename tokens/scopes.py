"""What a token is asked for, and what it carries: `repository:library/nginx:pull,push`.

The grammar is narrower than that of Docker's token specification on purpose: no ports, no classes, no wildcards in
names. A scope that does not fit grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from registry.references import is_name

MAX_SCOPES = 50
ACTIONS = {
    "repository": frozenset({"pull", "push", "delete"}),
    "registry": frozenset({"*"}),
}


class TooManyScopes(ValueError):
    """More than MAX_SCOPES were asked for at once."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Actions on one resource: type `repository` with its name, or type `registry` with the name `catalog`."""

    type: str
    name: str
    actions: frozenset[str]

    def only(self, actions: Iterable[str]) -> Scope:
        """This scope cut down to `actions`; never widened."""
        return Scope(self.type, self.name, self.actions & frozenset(actions))

    @property
    def project(self) -> str:
        """The name of the repository's project; empty where the name has no project part."""
        project, slash, _ = self.name.partition("/")
        return project if slash and self.type == "repository" else ""

    @property
    def claim(self) -> dict[str, Any]:
        """The entry for the token's `access` claim."""
        return {"type": self.type, "name": self.name, "actions": sorted(self.actions)}

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(sorted(self.actions))}"


def parse_scope(text: str) -> Scope | None:
    """The scope in `text`; None where it is not one, or asks for no action that exists."""
    parts = text.split(":")
    if len(parts) != 3:
        return None
    kind, name, wanted = parts
    valid = is_name(name) if kind == "repository" else (kind, name) == ("registry", "catalog")
    actions = ACTIONS.get(kind, frozenset()) & frozenset(wanted.split(","))
    return Scope(kind, name, actions) if valid and actions else None


def parse_scopes(texts: Iterable[str]) -> list[Scope]:
    """The scopes of all `scope` parameters, each holding any number of them; one entry for each resource.

    What is not a scope is left out. Raises TooManyScopes.
    """
    asked = [word for text in texts for word in text.split(" ") if word]
    if len(asked) > MAX_SCOPES:
        raise TooManyScopes(f"more than {MAX_SCOPES} scopes")
    found: dict[tuple[str, str], Scope] = {}
    for scope in filter(None, map(parse_scope, asked)):
        known = found.get((scope.type, scope.name), scope)
        found[scope.type, scope.name] = Scope(scope.type, scope.name, scope.actions | known.actions)
    return list(found.values())
