"""Whether anybody does the work: a worker leaves a sign of life whenever the clock calls it."""

from __future__ import annotations

import logging

from django.core.cache import cache

KEY = "jobs.heartbeat"
LASTS = 150
"""Seconds after which a worker that gave no sign is taken for dead; the clock calls every 30."""
_log = logging.getLogger(__name__)


def leave() -> None:
    """Say that a worker is there. Where Redis is away nobody hears it, and nothing fails."""
    try:
        cache.set(KEY, True, LASTS)
    except Exception as error:  # each client library has its own
        _log.warning("nobody hears that this worker is alive: %s", type(error).__name__)


def is_alive() -> bool:
    """Whether a worker said so lately. Raises what the cache raises where it is away."""
    return cache.get(KEY) is not None
