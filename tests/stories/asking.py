"""What a client sends, request by request, for a script of ours to send in its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Kept = dict[str, Any]


@dataclass(frozen=True)
class Ask:
    """One request. Its path and its body may name what earlier answers held, kept by their names."""

    request: str
    body: Any = None
    status: int = 200
    keep: str = ""
    """The name under which the last part of its `Location` is kept, or the answer where it has none."""
    by_name: bool | None = None
    """The header X-Is-Resource-Name."""
    text: bool = False
    """The answer is text."""

    def sent(self, kept: Kept) -> Any:
        return self.body(kept) if isinstance(self.body, Callable) else self.body  # type: ignore[arg-type]


@dataclass(frozen=True)
class Command:
    """A command with its group's flags, and how what becomes of it differs from Harbor's answer, if it does."""

    name: str
    asks: tuple[Ask, ...]
    differs: str = ""


def command(name: str, *asks: Ask, differs: str = "") -> Command:
    return Command(name, asks, differs)


def body_of(name: str, **changed: Any) -> Callable[[Kept], Any]:
    """What was kept as `name`, with this changed."""
    return lambda kept: {**kept[name], **changed}


def access(kind: str, namespace: str, resource: str, action: str) -> dict[str, Any]:
    return {"kind": kind, "namespace": namespace, "access": [{"resource": resource, "action": action}]}
