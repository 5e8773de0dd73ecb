"""What a cut on the way to the target costs: bytes sent again, and bytes read again from the source."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.layers import MEGABYTE, push_large
from registry.client import Registry
from registry.references import Reference
from replication.transfer import Options, Unwatched, copy
from tests.replication.plain import Plain, client
from tests.replication.proxy import Proxy, proxy_to
from tests.stack.stack import ADMIN_PASSWORD, Stack

CHUNK = Options().chunk
CUT = "library/cut"
FINAL_PUT = r"PUT /v2/.*/blobs/uploads/.*digest=sha256%3A"
SLACK = MEGABYTE
"""Bytes of requests, and what is on its way at the source when it is cut."""


def measure(source: Plain, binary: str, haven: bool, size: int) -> bool:
    """Print a table of cuts in a layer of `size` megabytes; whether none cost more than it may."""
    digest = push_large(client(source.url), CUT, size)
    target = Plain(binary).start()
    try:
        keeps = target.generation >= 3
        name = f"distribution {target.generation}"
        with proxy_to(target.port) as proxy:
            allowed = CHUNK if keeps else size * MEGABYTE
            well = _table(name, source, proxy, client(proxy.url), digest, size, allowed)
    finally:
        target.remove()
    if haven:
        with _haven() as stack, proxy_to(stack.port) as proxy:
            registry = client(f"http://localhost:{proxy.port}", "admin", ADMIN_PASSWORD)
            well &= _table("Haven", source, proxy, registry, digest, size, CHUNK)
    return well


@contextmanager
def _haven() -> Iterator[Stack]:
    stack = Stack()
    try:
        yield stack.start()
    finally:
        stack.remove()


def _table(name: str, source: Plain, proxy: Proxy, target: Registry, digest: str, size: int, allowed: int) -> bool:
    well = True
    for cut in ("10 %", "50 %", "99 %", "final PUT"):
        if cut == "final PUT":
            proxy.cut_after = FINAL_PUT + digest[7:]
        else:
            proxy.cut_at = [proxy.up + size * MEGABYTE * int(cut.split()[0]) // 100]
        before, cuts = proxy.up, proxy.cuts
        with tempfile.TemporaryDirectory(prefix="haven-spool-") as spool:
            outcome = copy(
                client(source.url),
                target,
                Reference(CUT, "1"),
                Reference(f"{CUT}-{cut.split()[0].lower()}", "1"),
                watch=Unwatched(),
                options=Options(spool=Path(spool)),
            )
        again, read_again = proxy.up - before - outcome.bytes_copied, outcome.bytes_read - outcome.bytes_copied
        good = proxy.cuts == cuts + 1 and again <= allowed + SLACK and read_again <= SLACK
        well &= good
        print(
            f"{name}, cut at {cut:10} of {size} MB: sent again {again / MEGABYTE:6.1f} MB "
            f"(at most {allowed / MEGABYTE:.0f}), "
            f"read again {read_again / MEGABYTE:.1f} MB{'' if good else '  FAILED'}",
            flush=True,
        )
    return well
