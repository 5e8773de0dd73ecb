"""What this process saw to be right in the last seconds, so that a fleet that signs in all day asks nobody.

Keys are keyed digests of who, from where, with what secret: whoever brings the very same again is who was right before.
"""

from __future__ import annotations

import time

SECONDS = 5.0
MOST = 10_000

_until: dict[str, float] = {}


def knows(key: str) -> bool:
    """Whether `key` was remembered in the last seconds."""
    return _until.get(key, 0.0) > time.monotonic()


def remember(key: str) -> None:
    """Know `key` for some seconds."""
    if len(_until) >= MOST:
        _until.clear()
    _until[key] = time.monotonic() + SECONDS


def forget() -> None:
    """Know nothing."""
    _until.clear()
