"""A rule's limit of bandwidth, kept by four workers together."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

from bench.layers import MEGABYTE, push_large
from bench.workers import Workers
from tests.redis import Redis
from tests.replication.plain import Plain, client

WORKERS = 4
RATE = 20 * MEGABYTE
EACH = 60
"""Megabytes of each worker's image: twelve seconds for all of them together."""
WITHIN = 0.10


def measure(source: Plain, binary: str) -> bool:
    """Print the speed reached; whether it is the rule's."""
    names = [f"library/limited{number}" for number in range(WORKERS)]
    for name in names:
        push_large(client(source.url), name, EACH)
    folder = Path(tempfile.mkdtemp(prefix="haven-bench-"))
    redis = Redis(folder / "redis.sock")
    redis.start()
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "harbor.settings",
        "HAVEN_DATA": str(folder),
        "REDIS_URL": f"unix://{folder}/redis.sock",
        "SECRET_KEY": "a secret of the benchmarks, long enough for every check: 0123456789abcdef",
    }
    target = Plain(binary).start()
    try:
        with Workers(WORKERS, source.url, target.url, rate=RATE) as workers:
            began = time.perf_counter()
            workers.copy([((name, "1"), (name, "1")) for name in names])
            speed = WORKERS * EACH * MEGABYTE / (time.perf_counter() - began)
    finally:
        target.remove()
        redis.remove()
        shutil.rmtree(folder, ignore_errors=True)
    good = abs(speed / RATE - 1) <= WITHIN
    print(
        f"{WORKERS} workers at a limit of {RATE / MEGABYTE:.0f} MB/s: {speed / MEGABYTE:.1f} MB/s "
        f"(within {WITHIN:.0%}){'' if good else '  FAILED'}",
        flush=True,
    )
    return good
