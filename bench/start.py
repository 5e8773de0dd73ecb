"""From `bin/up` to the first pull, and what the whole stack holds in memory when it is idle.

`python -m bench.start [--database sqlite|postgresql] [--rounds N]`

Installation (Debian packages, virtualenv) has been done before; each round begins with an empty HAVEN_DATA. Memory is
the proportional set size (PSS) of every process that bin/up started, and of bin/up.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.databases import KINDS, shared_database
from tests.stack import content
from tests.stack.stack import Stack

MOST_SECONDS, MOST_MEGABYTES = 15.0, 700.0
IDLE = 30.0
"""Seconds of quiet before memory is read."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=KINDS, help="both, one after the other, by default")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    kinds = [asked.database] if asked.database else KINDS
    reached = [measure(kind, asked.rounds) for kind in kinds]
    return 0 if all(reached) else 1


def measure(database: str, rounds: int) -> bool:
    """Print the medians; whether they are within the budgets."""
    seconds, megabytes = [], []
    for _ in range(rounds):
        with contextlib.ExitStack() as kept:
            folder = Path(kept.enter_context(tempfile.TemporaryDirectory(prefix="haven-bench-")))
            url = kept.enter_context(shared_database(database, folder))
            stack = Stack(**({"DATABASE_URL": url} if database == "postgresql" else {}))
            try:
                began = time.perf_counter()
                stack.start()
                _push_and_pull(stack)
                seconds.append(time.perf_counter() - began)
                time.sleep(IDLE)
                megabytes.append(_memory(stack))
            finally:
                stack.remove()
    took, held = statistics.median(seconds), statistics.median(megabytes)
    print(f"{database}, medians of {rounds} rounds")
    spread = f"{min(seconds):.1f} to {max(seconds):.1f}"
    print(f"  bin/up to the first pull {took:6.1f} s   ({spread}; at most {MOST_SECONDS:.0f})")
    print(f"  idle, PSS of all of it   {held:6.0f} MB  (at most {MOST_MEGABYTES:.0f})", flush=True)
    return took <= MOST_SECONDS and held <= MOST_MEGABYTES


def _push_and_pull(stack: Stack) -> None:
    image = content.image(content.layer({"hello": b"hello"}))
    client = stack.admin
    client.push("library/hello", "1", image)
    answers = [client.pull("library/hello", "1")]
    answers += [client("GET", f"/v2/library/hello/blobs/{blob.digest()}") for blob in image.blobs]
    assert all(answer.status == 200 for answer in answers), answers


def _memory(stack: Stack) -> float:
    """MB of PSS."""
    kilobytes = 0
    for pid, _ in stack.processes():
        with contextlib.suppress(OSError):  # it has just ended
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kilobytes * 1024 / 1e6


if __name__ == "__main__":
    sys.exit(main())
