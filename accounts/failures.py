"""What is written down of logins that failed: enough to see an attack, never so much that a stranger fills the log.

Harbor records those of its pages alone. Here those by Basic (`docker login`, the API) are seen too: the first of a name
at an address and the one that locks it, until nothing was wrong there for `attempts.WINDOW`. Of all kinds together an
address may cause so many entries in a period, and all addresses so many; the last one says that more are left out.
"""

from __future__ import annotations

import time

from accounts import scratch
from accounts.actions.logins import record_login
from accounts.attempts import FREE
from accounts.digests import keyed

PERIOD = 15 * 60
"""Seconds."""
FROM_ADDRESS, FROM_ALL = 20, 200
"""Entries in a period."""
LAST = "failed logins {}: the last that is recorded before the next quarter of an hour"


def note_wrong_basic(name: str, address: str, wrong: int) -> None:
    """Write down that `name` failed at `address`, for the `wrong`th time, if that is worth an entry."""
    if wrong in (1, FREE):
        note(name, address)


def note(name: str, address: str) -> None:
    """Write down that somebody failed to sign in as `name`, unless that happened too often to be news."""
    period = int(time.time() // PERIOD)
    for whose, most in ((address, FROM_ADDRESS), ("", FROM_ALL)):
        seen = scratch.count(f"noted:{period}:{keyed('noted', whose)}", PERIOD)
        if seen > most:
            return
        if seen == most:
            record_login(name, False, address, LAST.format("from this address" if whose else "from everywhere"))
            return
    record_login(name, False, address)
