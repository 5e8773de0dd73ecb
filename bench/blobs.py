"""A large blob through the edge, beside the same blob from and to the registry itself; and what web has to do with it.

Asked directly is a second process of the same registry on the same storage, over TCP like the edge: the stack's own
listens on a unix socket, which is another transport.

`python -m bench.blobs [--megabytes N] [--rounds N]`
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import processes
from tests.stack.stack import Stack, free_port
from tests.stack.wire import with_query

MEGABYTE = 2**20
FLOORS = {"GET": 0.7, "PUT": 0.95}
REPOSITORY = "library/large"
WEB_SECONDS = 0.5
"""Processor time that web may use for all of the transfers: it judges the start of each upload."""
WEB_GROWTH = 16 * MEGABYTE


@dataclass(frozen=True)
class Way:
    """A server to speak HTTP to, on this machine."""

    name: str
    port: int

    def ask(
        self, method: str, path: str, token: str, body: memoryview | None = None
    ) -> tuple[int, dict[str, str], int]:
        """Status, headers (lower case) and the length of the answer's body, which is thrown away."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"Authorization: Bearer {token}\r\nConnection: close\r\n"
        )
        head += f"Content-Length: {len(body) if body else 0}\r\nContent-Type: application/octet-stream\r\n\r\n"
        with socket.create_connection(("127.0.0.1", self.port), 300) as connection:
            connection.sendall(head.encode())
            if body:
                connection.sendall(body)
            return _receive(connection)


def _receive(connection: socket.socket) -> tuple[int, dict[str, str], int]:
    buffer, received = bytearray(MEGABYTE), b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("no answer")
        received += part
    head, _, start = received.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    length = len(start)
    while count := connection.recv_into(buffer):
        length += count
    return int(lines[0].split()[1]), headers, length


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    stack = Stack()
    try:
        stack.start()
        with _registry(stack) as port:
            return _measure(stack, port, asked.megabytes, asked.rounds)
    finally:
        stack.remove()


@contextlib.contextmanager
def _registry(stack: Stack) -> Iterator[int]:
    """The port of a registry like the stack's, on its storage."""
    port = free_port()
    binary = stack.environment["REGISTRY_BIN"]
    environment = {**os.environ, "REGISTRY_HTTP_NET": "tcp", "REGISTRY_HTTP_ADDR": f"127.0.0.1:{port}"}
    log = stack.folder / "direct.log"
    process = processes.start([binary, "serve", str(stack.data / "registry.yml")], log, environment)
    try:
        processes.wait_until(lambda: _listens(port), "a registry of its own", log=log)
        yield port
    finally:
        processes.stop(process)


def _listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


def _measure(stack: Stack, direct: int, megabytes: int, rounds: int) -> int:
    block = os.urandom(MEGABYTE)
    content = memoryview(block * megabytes)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    token = stack.admin.scoped(f"repository:{REPOSITORY}:pull,push")
    ways = [Way("registry", direct), Way("edge", stack.port)]

    def put(way: Way) -> None:
        status, headers, _ = way.ask("POST", f"/v2/{REPOSITORY}/blobs/uploads/", token)
        assert status == 202, status
        location = re.sub(r"^https?://[^/]+", "", headers["location"])
        status, _, _ = way.ask("PUT", with_query(location, digest=digest), token, content)
        assert status == 201, status

    def get(way: Way) -> None:
        status, _, length = way.ask("GET", f"/v2/{REPOSITORY}/blobs/{digest}", token)
        assert (status, length) == (200, len(content)), (status, length)

    stack.admin("GET", "/v2/")
    cpu, memory = _web(stack)
    reached = True
    for method, act in (("PUT", put), ("GET", get)):
        reached &= _compare(method, act, ways, rounds, megabytes)
    cpu_after, memory_after = _web(stack)
    used, grown = cpu_after - cpu, memory_after - memory
    print(
        f"web meanwhile: {used:.2f} s of processor time (at most {WEB_SECONDS}), {grown / MEGABYTE:+.1f} MB of memory"
    )
    return 0 if reached and used <= WEB_SECONDS and grown <= WEB_GROWTH else 1


def _compare(method: str, act: Callable[[Way], None], ways: list[Way], rounds: int, megabytes: int) -> bool:
    """Each way in turn, `rounds` times; whether the edge is as fast as it must be."""
    speeds: dict[str, list[float]] = {way.name: [] for way in ways}
    for way in ways:
        act(way)  # once without a clock
    for _ in range(rounds):
        for way in ways:
            began = time.perf_counter()
            act(way)
            speeds[way.name].append(megabytes / (time.perf_counter() - began))
    ratio = statistics.median(mine / its for mine, its in zip(speeds["edge"], speeds["registry"], strict=True))
    medians = {name: statistics.median(found) for name, found in speeds.items()}
    print(
        f"{method} of {megabytes} MB: registry {medians['registry']:.0f} MB/s, edge {medians['edge']:.0f} MB/s, "
        f"ratio {ratio:.2f} (at least {FLOORS[method]})",
        flush=True,
    )
    return ratio >= FLOORS[method]


def _web(stack: Stack) -> tuple[float, int]:
    """Seconds of processor time and bytes of proportional memory of all web processes."""
    seconds, memory = 0.0, 0
    for pid in stack.pids("web"):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        memory += int(found[1]) * 1024 if found else 0
    return seconds, memory


if __name__ == "__main__":
    sys.exit(main())
