"""Whether what Haven is made of answers, with what an administrator wants to know of each part."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.utils.translation import gettext_lazy as _

from jobs import pools
from tokens.upstream import registry

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """A part of Haven as it was just now."""

    name: Any
    purpose: Any
    is_well: bool
    milliseconds: int


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _workers() -> None:
    if not pools.alive().exists():
        raise RuntimeError("no worker has been heard of lately")


def _registry() -> None:
    registry().ping()


PARTS: tuple[tuple[Any, Any, Callable[[], Any]], ...] = (
    (_("Database"), _("Knows projects, people, tags and what happened."), _database),
    (_("Registry"), _("Keeps the layers. Without it nothing is pushed or pulled."), _registry),
    (_("Redis"), _("Queues work and counts pulls. Without it Haven is slower."), lambda: cache.get("health")),
    (_("Workers"), _("Do what takes long: replication, clean-up, schedules."), _workers),
)


def parts() -> list[Part]:
    """Every part, asked now. What is wrong with one stands in the log of the process."""
    return [_ask(name, purpose, check) for name, purpose, check in PARTS]


def _ask(name: Any, purpose: Any, check: Callable[[], Any]) -> Part:
    start = time.monotonic()
    try:
        check()
    except Exception as error:  # whatever it is, that part is not well
        log.warning("a part of Haven is not well: %s", error)
        return Part(name, purpose, False, _since(start))
    return Part(name, purpose, True, _since(start))


def _since(start: float) -> int:
    return round((time.monotonic() - start) * 1000)
