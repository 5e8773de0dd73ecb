"""What the repositories of a target lack for sure, or nearly: those that held nothing when a run was planned lack what
the run has not sent, so that small blobs need not be asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable

MOST = 20_000
"""Blobs that are remembered to be on their way; of one that was forgotten the bytes may go twice."""

_lock = threading.Lock()
_sent: dict[tuple[int, str, str], None] = {}


def lacking(execution_id: int, repository: str) -> Callable[[str], bool]:
    """Whether `repository`, new in this run, lacks a blob: true for the first here who asks, and sends it."""

    def lacks(digest: str) -> bool:
        key = (execution_id, repository, digest)
        with _lock:
            if key in _sent:
                return False
            if len(_sent) >= MOST:
                del _sent[next(iter(_sent))]
            _sent[key] = None
        return True

    return lacks


def never(digest: str) -> bool:
    """For repositories of which nothing is known."""
    return False
