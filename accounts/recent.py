"""What this process saw to be right in the last seconds, so that a fleet that signs in all day asks nobody.

Keys are keyed digests of who, from where, with what secret: whoever brings the very same again is who was right before.
"""

from __future__ import annotations

import time

from accounts.actors import Actor

SECONDS = 5.0
MOST = 10_000

_known: dict[str, tuple[float, Actor | None]] = {}


def knows(key: str) -> bool:
    """Whether `key` was remembered in the last seconds."""
    until, _ = _known.get(key, (0.0, None))
    return until > time.monotonic()


def actor_of(key: str) -> Actor | None:
    """The actor that was remembered with `key` in the last seconds, as it was then."""
    until, actor = _known.get(key, (0.0, None))
    return actor if until > time.monotonic() else None


def remember(key: str, actor: Actor | None = None) -> None:
    """Know `key`, and whose it is, for some seconds."""
    if len(_known) >= MOST:
        _known.clear()
    _known[key] = time.monotonic() + SECONDS, actor


def forget() -> None:
    """Know nothing."""
    _known.clear()
