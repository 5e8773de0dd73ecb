"""Which command of the build made which layer: the manifest's layers beside the config's history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from artifacts.history import build_history
from artifacts.models import Artifact
from registry.errors import RegistryError
from registry.manifests import Descriptor, parse
from tokens.upstream import registry

LONGEST = 2000
"""Characters of a command that are shown."""


@dataclass(frozen=True)
class Step:
    """A step of a build. `layer` is what it added; None where it only changed the configuration."""

    command: str
    created: datetime | None
    layer: Descriptor | None


@dataclass(frozen=True)
class Build:
    """How an artifact came to be, as far as its config tells."""

    steps: list[Step]
    told: bool
    """Whether a history was found: else there are layers alone."""
    unreachable: bool = False
    """The registry did not give the config: the history may be there all the same."""


def build_of(artifact: Artifact) -> Build:
    """The layers of `artifact`, each with the command that made it; the commands are asked from the registry."""
    layers = parse(bytes(artifact.manifest.content), artifact.media_type).layers
    try:
        history = build_history(registry(), artifact)
    except RegistryError:
        return Build(list(join([], layers)), told=False, unreachable=True)
    return Build(list(join(history, layers)), told=bool(history))


def join(history: Iterable[dict[str, Any]], layers: Iterable[Descriptor]) -> Iterator[Step]:
    """Every step of `history` with its layer, then the layers that no step claims."""
    left = iter(layers)
    for entry in history:
        layer = None if entry.get("empty_layer") else next(left, None)
        yield Step(command_of(entry), _moment(entry.get("created")), layer)
    for layer in left:
        yield Step("", None, layer)


def command_of(entry: dict[str, Any]) -> str:
    """The command as its author wrote it, without what a builder puts around it."""
    command = str(entry.get("created_by") or entry.get("comment") or "")
    command = command.removeprefix("/bin/sh -c ").removeprefix("#(nop) ").strip()
    return command.removesuffix("# buildkit").strip()[:LONGEST]


def _moment(text: Any) -> datetime | None:
    try:
        moment = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment if moment and moment.tzinfo else None
