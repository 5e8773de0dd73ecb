"""A client that costs little: one thread, requests as bytes that were made before.

Each goes over a connection of its own, as the edge asks web.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ANSWER_ENDS = b"\r\n\r\n"


class WrongAnswer(Exception):
    """An answer that is not what the measurement is about."""


@dataclass(frozen=True)
class Server:
    """A process group that answers on a unix socket."""

    socket_path: str
    group: int

    def cpu(self) -> float:
        """Seconds of processor time that its processes have used."""
        ticks = 0
        for file in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                fields = file.read_text().rpartition(")")[2].split()
                ticks += (int(fields[11]) + int(fields[12])) * (int(fields[2]) == self.group)
        return ticks / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Target:
    """A server, and what to send it."""

    server: Server
    request: bytes
    expected: bytes = b"HTTP/1.1 200 "


def request(path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> bytes:
    """A request as bytes."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


@dataclass
class Result:
    """The rates of some rounds (requests/s), and how long single requests took (seconds)."""

    rates: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    cpu: float = 0.0
    """Seconds of the server's processor time for all of them."""

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def ratio_to(self, other: Result) -> float:
        """The median of the rounds' ratios: what slowed the machine in a round slowed both."""
        return statistics.median(mine / its for mine, its in zip(self.rates, other.rates, strict=True))

    @property
    def cpu_each(self) -> float:
        """Microseconds of the server's processor time for one request."""
        return self.cpu / len(self.times) * 1e6

    def percentile(self, percent: int) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def run(target: Target, count: int, connections: int, result: Result) -> None:
    """Send `count` requests over `connections` at once; add what came of it to `result`. Raises WrongAnswer."""
    clients = [_Client(target) for _ in range(connections)]
    with selectors.DefaultSelector() as selector:
        cpu, begin = target.server.cpu(), time.perf_counter()
        for client in clients:
            client.send(selector)
        sent, done = connections, 0
        while done < count:
            ready = selector.select(30)
            if not ready:
                raise WrongAnswer("no answer for 30 seconds")
            for key, _ in ready:
                if not key.data.receive(selector):
                    continue
                result.times.append(time.perf_counter() - key.data.began)
                done += 1
                if sent < count:
                    key.data.send(selector)
                    sent += 1
        result.rates.append(count / (time.perf_counter() - begin))
        result.cpu += target.server.cpu() - cpu


class _Client:
    """One caller, and the answer that is on its way."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.connection = socket.socket(socket.AF_UNIX)
        self.began = 0.0
        self.answer = bytearray()

    def send(self, selector: selectors.BaseSelector) -> None:
        self.answer.clear()
        self.began = time.perf_counter()
        self.connection = socket.socket(socket.AF_UNIX)
        self.connection.settimeout(30)
        self.connection.connect(self.target.server.socket_path)
        self.connection.sendall(self.target.request)
        selector.register(self.connection, selectors.EVENT_READ, self)

    def receive(self, selector: selectors.BaseSelector) -> bool:
        """Read what there is; whether the answer is complete."""
        part = self.connection.recv(262144)
        self.answer += part
        if not self.answer.startswith(self.target.expected[: len(self.answer)]):
            raise WrongAnswer(self.answer[:500].decode(errors="replace"))
        if part:
            return False
        selector.unregister(self.connection)
        self.connection.close()
        head, _, body = self.answer.partition(ANSWER_ENDS)
        start = head.lower().find(b"content-length:") + 15
        if start < 15 or len(body) != int(head[start:].partition(b"\r\n")[0]):
            raise WrongAnswer(f"cut off: {bytes(head[:500])!r}")
        return True


def compare(targets: Mapping[str, Target], count: int, rounds: int, connections: int) -> dict[str, Result]:
    """All targets in turn, `rounds` times, so that what else the machine does meets all of them alike."""
    results = {name: Result() for name in targets}
    for target in targets.values():
        run(target, min(count, 200), connections, Result())
    for _ in range(rounds):
        for name, target in targets.items():
            run(target, count, connections, results[name])
    return results


def table(title: str, results: Mapping[str, Result], yardstick: str, floors: Mapping[str, float]) -> Sequence[str]:
    """The results as lines to print: medians of the rounds. `floors` are the ratios that must be reached."""
    base = results[yardstick]
    lines = [title, f"  {'':34}{'req/s':>8}{'ratio':>8}{'floor':>8}{'p50 ms':>9}{'p99 ms':>9}{'cpu us':>8}"]
    for name, result in results.items():
        floor = f"{floors[name]:.2f}" if name in floors else ""
        times = f"{result.percentile(50) * 1000:9.2f}{result.percentile(99) * 1000:9.2f}"
        ratio = result.ratio_to(base)
        lines.append(f"  {name:34}{result.rate:8.0f}{ratio:8.2f}{floor:>8}{times}{result.cpu_each:8.0f}")
    return lines


def reached(results: Mapping[str, Result], yardstick: str, floors: Mapping[str, float]) -> bool:
    """Whether every ratio is at least its floor."""
    return all(results[name].ratio_to(results[yardstick]) >= floor for name, floor in floors.items())
