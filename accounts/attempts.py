"""Slowing down who guesses. Wrong attempts lock the name for their own address, longer each time.

Elsewhere the name is only slowed, and not at all where its owner signed in during the last days: a stranger cannot keep
anybody out from another address. A name that nobody has behaves the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from accounts import recent, scratch
from accounts.digests import keyed
from accounts.errors import Locked

FREE = 5
"""Wrong attempts from one address before the first lock."""
FIRST, LONGEST = 5, 60
"""Seconds: the first lock, and the longest; each is twice the one before."""
FREE_EVERYWHERE = 25
"""Wrong attempts from all addresses before a name is slowed for addresses it never signed in from."""
PACE = 2
"""Seconds between two such attempts."""
WINDOW = 15 * 60
"""Seconds without a wrong attempt after which all is forgotten."""
KNOWN = 7 * 24 * 3600
"""Seconds for which an address stays known."""


@dataclass(slots=True)
class Attempt:
    """Somebody at `address` who says to be `principal`. Making one raises `Locked` while the name is locked there."""

    principal: str
    address: str
    trusted: bool = False
    """The very same was right a moment ago: then nothing is asked."""
    known: bool = False
    failed_before: bool = False

    def __post_init__(self) -> None:
        if not self.trusted:
            self.check()

    def check(self) -> None:
        """Raise `Locked` if it is; asked again before costly work, since many may try at once."""
        here, everywhere = self.here, self.everywhere
        found = scratch.read([f"lock:{here}", f"pace:{everywhere}", f"known:{here}", f"wrong:{here}"])
        self.known, self.failed_before = f"known:{here}" in found, f"wrong:{here}" in found
        names = [f"lock:{here}"] if self.known else [f"lock:{here}", f"pace:{everywhere}"]
        wait = max(_seconds_until(found.get(name)) for name in names)
        if wait > 0:
            raise Locked(wait)

    def failed(self) -> int:
        """It was wrong, for how many times here: the lock begins with FREE of them.

        What was right a moment ago has to be asked for again, so it is no way round a lock.
        """
        recent.forget()
        here, everywhere = self.here, self.everywhere
        wrong = scratch.count(f"wrong:{here}", WINDOW)
        if wrong >= FREE:
            seconds = min(FIRST * 2 ** min(wrong - FREE, 10), LONGEST)
            scratch.write(f"lock:{here}", time.time() + seconds, seconds)
        if scratch.count(f"wrong:{everywhere}", WINDOW) >= FREE_EVERYWHERE:
            scratch.write(f"pace:{everywhere}", time.time() + PACE, PACE)
        return wrong

    def succeeded(self) -> None:
        """It was right. Writes only what is not known yet, so that a fleet that signs in all day writes nothing."""
        if self.failed_before:
            scratch.forget([f"wrong:{self.here}", f"lock:{self.here}"])
        if not self.known:
            scratch.write(f"known:{self.here}", 1, KNOWN)

    @property
    def here(self) -> str:
        """This name at this address, in a form that tells neither."""
        return keyed("attempt", self.principal, self.address)

    @property
    def everywhere(self) -> str:
        """This name, wherever."""
        return keyed("attempt", self.principal)


def _seconds_until(moment: object) -> float:
    """How long until `moment`, at most the longest lock; 0 for what is no time at all."""
    return min(moment - time.time(), LONGEST) if isinstance(moment, int | float) else 0.0
