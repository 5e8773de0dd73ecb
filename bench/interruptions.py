"""What it costs that the way to the target is cut, or the worker killed: bytes sent again, and read again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.layers import MEGABYTE, push_large
from registry.client import Registry
from registry.references import Reference
from replication.transfer import Options, Unwatched, copy
from tests.processes import wait_until
from tests.replication.plain import Plain, client
from tests.replication.proxy import Proxy, proxy_to
from tests.replication.worker import FileWatch
from tests.stack.stack import ADMIN_PASSWORD, Stack

CHUNK = Options().chunk
CUT = "library/cut"
FINAL_PUT = r"PUT /v2/.*/blobs/uploads/.*digest=sha256%3A"
SLACK = MEGABYTE
"""Bytes of requests, and what is on its way at the source when it is cut."""
ON_ITS_WAY = 40 * MEGABYTE
"""Bytes that the network may hold when a worker is killed, sent by the source and read by nobody: as much as Linux
lets a connection that is read fast receive ahead (`net.ipv4.tcp_rmem`), and what the proxy holds."""


def measure(source: Plain, binary: str, haven: bool, size: int, what: str) -> bool:
    """Print a table of what cuts, or kills of the worker, cost in a layer of `size` megabytes; whether none cost more
    than it may."""
    digest = push_large(client(source.url), CUT, size)
    table = _cuts if what == "cuts" else _kills
    target = Plain(binary).start()
    try:
        name = f"distribution {target.generation}"
        allowed = CHUNK if target.generation >= 3 else size * MEGABYTE
        with proxy_to(target.port) as proxy:
            well = table(Way(name, source, proxy, proxy.url, (), allowed), digest, size)
    finally:
        target.remove()
    if haven:
        with _haven() as stack, proxy_to(stack.port) as proxy:
            url = f"http://localhost:{proxy.port}"
            well &= table(Way("Haven", source, proxy, url, ("admin", ADMIN_PASSWORD), CHUNK), digest, size)
    return well


@dataclass(frozen=True)
class Way:
    """From `source` to a target behind `proxy`; `allowed` bytes may be sent again."""

    name: str
    source: Plain
    proxy: Proxy
    url: str
    credentials: tuple[str, ...]
    allowed: int

    def target(self) -> Registry:
        return client(self.url, *self.credentials)

    def tell(self, what: str, size: int, again: int, read_again: int, done: bool, spare: int = SLACK) -> bool:
        """Print a line of the table; whether it is as it should be."""
        good = done and again <= self.allowed + SLACK and read_again <= spare
        print(
            f"{self.name}, {what:18} of {size} MB: sent again {again / MEGABYTE:6.1f} MB "
            f"(at most {self.allowed / MEGABYTE:.0f}), read again {read_again / MEGABYTE:.1f} MB"
            f"{'' if good else '  FAILED'}",
            flush=True,
        )
        return good


@contextmanager
def _haven() -> Iterator[Stack]:
    stack = Stack()
    try:
        yield stack.start()
    finally:
        stack.remove()


def _cuts(way: Way, digest: str, size: int) -> bool:
    """The network is cut on the way to the target; the same worker goes on."""
    well, proxy = True, way.proxy
    for cut in ("10 %", "50 %", "99 %", "final PUT"):
        if cut == "final PUT":
            proxy.cut_after = FINAL_PUT + digest[7:]
        else:
            proxy.cut_at = [proxy.up + size * MEGABYTE * int(cut.split()[0]) // 100]
        before, cuts = proxy.up, proxy.cuts
        with tempfile.TemporaryDirectory(prefix="haven-spool-") as spool:
            outcome = copy(
                client(way.source.url),
                way.target(),
                Reference(CUT, "1"),
                Reference(f"{CUT}-{cut.split()[0].lower()}", "1"),
                watch=Unwatched(),
                options=Options(spool=Path(spool)),
            )
        again, read_again = proxy.up - before - outcome.bytes_copied, outcome.bytes_read - outcome.bytes_copied
        well &= way.tell(f"cut at {cut}", size, again, read_again, proxy.cuts == cuts + 1)
    return well


def _kills(way: Way, digest: str, size: int) -> bool:
    """The worker is killed; another one goes on with what it kept. The target checks the digest."""
    well = True
    for percent in (10, 50, 99):
        with tempfile.TemporaryDirectory(prefix="haven-kill-") as name, proxy_to(way.source.port) as source:
            folder, goal = Path(name) / "job", Reference(f"{CUT}-killed-{percent}", "1")
            folder.mkdir()
            about = {
                "source": source.url,
                "target": way.url,
                "credentials": way.credentials,
                "origin": [CUT, "1"],
                "goal": [goal.repository, goal.identifier],
                "chunk": CHUNK,
                "rate": 0,
                "folder": str(folder),
                "spool": f"{name}/spool",
            }
            before = way.proxy.up
            worker = subprocess.Popen([sys.executable, "-m", "tests.replication.worker", json.dumps(about)])
            until = before + size * MEGABYTE * percent // 100
            wait_until(lambda: way.proxy.up >= until or worker.poll() is not None, "the moment", 600)  # noqa: B023
            worker.kill()
            killed = worker.wait() == -signal.SIGKILL
            options = Options(spool=Path(name) / "spool")
            watch = FileWatch(folder)
            copy(client(source.url), way.target(), Reference(CUT, "1"), goal, watch=watch, options=options)
            again, read_again = (count - size * MEGABYTE for count in (way.proxy.up - before, source.down))
            well &= way.tell(f"killed at {percent} %", size, again, read_again, killed, SLACK + ON_ITS_WAY)
    return well
