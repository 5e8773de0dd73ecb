"""A worker that copies images, as replication's jobs do: a process of its own that is told by lines of JSON.

For each list of jobs (`{"origin": [repository, tag], "goal": [repository, tag]}`) it prints what came of them.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from registry import http
from registry.auth import Credentials
from registry.client import Registry
from registry.references import Reference
from replication.transfer import Options, Unwatched, copy

RULE = 1
"""Which rule's bucket the workers share."""


class Limited(Unwatched):
    """Keeps to the speed of a rule, in Redis, together with the other workers."""

    def __init__(self, rate: int) -> None:
        super().__init__()
        import django

        django.setup()
        from replication.bandwidth import Bucket

        self.throttle = Bucket(RULE, rate).take  # type: ignore[method-assign]


def main() -> None:
    about = json.loads(sys.argv[1])
    spool = Path(about["spool"]) if about.get("spool") else None
    source, target = (_registry(about[side]) for side in ("source", "target"))
    rate = about.get("rate", 0)
    watch = Limited(rate) if rate else Unwatched()
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        tags = frozenset(asked["tags"]) if "tags" in asked else None
        options = Options(spool=spool, known_tags=tags, parallel=about.get("parallel", 4), bandwidth=rate)
        print(json.dumps(_run(source, target, asked["jobs"], watch, options)), flush=True)


def _run(
    source: Registry, target: Registry, jobs: list[dict[str, Any]], watch: Unwatched, options: Options
) -> dict[str, Any]:
    began, results, sent = time.perf_counter(), [], 0
    for job in jobs:
        outcome = copy(
            source,
            target,
            Reference(*job["origin"]),
            Reference(*job["goal"]),
            watch=watch,
            options=options,
        )
        results.append(outcome.result.value)
        sent += outcome.bytes_sent
    return {"seconds": time.perf_counter() - began, "results": results, "sent": sent, "peak": peak_memory()}


def _registry(side: dict[str, str]) -> Registry:
    session = http.session(allow=["127.0.0.1", "localhost"])
    auth = Credentials(side["url"], session, side.get("username", ""), side.get("password", ""))
    return Registry(side["url"], session, auth)


def peak_memory() -> int:
    """The most bytes of memory that this process has had."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()
