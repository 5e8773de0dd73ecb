"""A worker that copies images, as replication's jobs do: a process of its own that is told by lines of JSON.

For each list of jobs (`{"origin": [repository, tag], "goal": [repository, tag]}`) it prints what came of them. As a
replicator does, it works at several at once, each thread with connections of its own.
"""

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from registry import http
from registry.auth import Credentials
from registry.client import Registry
from registry.references import Reference
from replication.newness import lacking
from replication.transfer import Options, Unwatched, copy

Jobs = SimpleQueue[dict[str, Any]]
RULE = 1
"""Which rule's bucket the workers share."""


class Watch(Unwatched):
    """Knows, as planning does, whether the target's repository held nothing."""

    new = False

    def lacks(self, digest: str) -> bool:
        return self.new and lacking(RULE, "")(digest)


class Limited(Watch):
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
    lanes = [_Lane(about) for _ in range(about.get("threads", 1))]
    pool = ThreadPoolExecutor(len(lanes))
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        tags = frozenset(asked["tags"]) if "tags" in asked else None
        rate = about.get("rate", 0)
        options = Options(spool=spool, known_tags=tags, parallel=about.get("parallel", 4), bandwidth=rate)
        jobs: Jobs = SimpleQueue()
        for job in asked["jobs"]:
            jobs.put(job)
        working = [pool.submit(lane.run, jobs, options, asked.get("new", False)) for lane in lanes]
        results = [result for each in working for result in each.result()]
        print(json.dumps({"results": results, "peak": peak_memory()}), flush=True)


class _Lane:
    """What one thread needs."""

    def __init__(self, about: dict[str, Any]) -> None:
        self.source, self.target = (_registry(about[side]) for side in ("source", "target"))
        self.watch = Limited(about["rate"]) if about.get("rate") else Watch()

    def run(self, jobs: Jobs, options: Options, new: bool) -> list[str]:
        """What came of those of `jobs` that are left for this thread."""
        self.watch.new = new
        results: list[str] = []
        while True:
            try:
                job = jobs.get_nowait()
            except Empty:
                return results
            origin, goal = Reference(*job["origin"]), Reference(*job["goal"])
            outcome = copy(self.source, self.target, origin, goal, watch=self.watch, options=options)
            results.append(outcome.result.value)


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
