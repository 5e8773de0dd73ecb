"""Whom we ask may be slow, or say nothing: of web's threads some must stay free for everybody else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings


class Full(Exception):
    """There is no turn to be had soon."""


class Turns:
    """As many turns at once as half of this process's threads. Who comes then waits for `patience` seconds at most, and
    not at all behind those who have been at it for longer: whom they ask is slow."""

    def __init__(self, patience: float = 1.0) -> None:
        self._patience = patience
        self._free = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))
        self._latest = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """A turn, for as long as this lasts. Raises Full."""
        patience = max(self._patience - (time.monotonic() - self._latest), 0)
        if not self._free.acquire(timeout=patience):
            raise Full
        self._latest = time.monotonic()
        try:
            yield
        finally:
            self._free.release()
