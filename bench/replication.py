"""Copying between two registries, beside skopeo between the same two in the same run.

`python -m bench.replication [--rounds N] [--images N] [--layers N] [--megabytes N] [--source BINARY] [--target BINARY]`

Each run of either has a registry of its own to copy to, empty, and skopeo a cache of its own; they take turns.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import bandwidth, interruptions
from bench.layers import push_large
from bench.workers import Workers
from registry.errors import NameUnknown
from tests.replication.plain import BINARY, Plain, client, push
from tests.stack import content
from tests.stack.content import OCI_LAYER, Blob

MEGABYTE = 2**20
SMALL = 100 * 1024
LARGE = "library/large"
MANY = "library/many"
HUGE = "library/huge"
MOST_MEMORY = 200 * MEGABYTE


@dataclass
class Race:
    """Seconds that skopeo and Haven took for the same work, in turn; `aim` is how many times as fast Haven must be."""

    name: str
    aim: float
    skopeo: list[float] = field(default_factory=list)
    haven: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return statistics.median(theirs / ours for theirs, ours in zip(self.skopeo, self.haven, strict=True))

    def __str__(self) -> str:
        theirs, ours = statistics.median(self.skopeo), statistics.median(self.haven)
        return f"{self.name:44} {theirs:9.2f} s {ours:9.2f} s {self.ratio:7.2f} x  (at least {self.aim})"


class Skopeo:
    """skopeo without a memory: each has a cache of its own, so that it does not mount what it saw in another race."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-skopeo-"))
        self.folder.chmod(0o777)
        self.command = ["skopeo", "--insecure-policy"]
        if os.geteuid() == 0:  # root's cache is the machine's
            self.command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *self.command]

    def __call__(self, *arguments: str) -> None:
        environment = {**os.environ, "HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        environment["XDG_RUNTIME_DIR"] = str(self.folder)
        done = subprocess.run(
            [*self.command, *arguments], env=environment, cwd=self.folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])

    def copy(self, source: str, target: str) -> None:
        plain = ["--src-tls-verify=false", "--dest-tls-verify=false"]
        self("copy", "--all", *plain, f"docker://{source}", f"docker://{target}")

    def sync(self, source: str, target: str) -> None:
        plain = ["--src-tls-verify=false", "--dest-tls-verify=false"]
        self("sync", "--all", *plain, "--src", "docker", "--dest", "docker", source, target)

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def plain(binary: str) -> Iterator[Plain]:
    """An empty registry."""
    registry = Plain(binary)
    try:
        yield registry.start()
    finally:
        registry.remove()
        os.sync()  # what one wrote is not the next one's burden


@contextmanager
def skopeo() -> Iterator[Skopeo]:
    made = Skopeo()
    try:
        yield made
    finally:
        made.remove()


def timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--layers", type=int, default=10)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2, help="processes that copy the many small images")
    parser.add_argument("--threads", type=int, default=4, help="images at once of each, as a replicator has by default")
    parser.add_argument("--source", default=BINARY)
    parser.add_argument("--target", default=BINARY)
    parser.add_argument("--huge", type=int, default=2048, help="megabytes of the layer that memory is measured with")
    parser.add_argument("--cut", type=int, default=100, help="megabytes of the layer that is cut")
    parser.add_argument("--haven", action="store_true", help="cut the way to a whole Haven too")
    parser.add_argument("--only", default="large,many,huge,cuts,kills,bandwidth")
    asked = parser.parse_args()
    wanted = asked.only.split(",")
    races: list[Race] = []
    peak, well = 0, True
    with plain(asked.source) as source:
        for name, measure in (("large", _large), ("many", _many), ("huge", _huge)):
            if name in wanted:
                peak = max(peak, measure(source, asked, races))
        if races:
            print(f"{'':44} {'skopeo':>11} {'haven':>11}")
        for race in races:
            print(race, flush=True)
        if peak:
            print(f"memory of a worker: {peak / MEGABYTE:.0f} MB (at most {MOST_MEMORY // MEGABYTE})", flush=True)
        for what in ("cuts", "kills"):
            if what in wanted:
                well &= interruptions.measure(source, asked.target, asked.haven, asked.cut, what)
        if "bandwidth" in wanted:
            well &= bandwidth.measure(source, asked.target)
    return 0 if well and all(race.ratio >= race.aim for race in races) and peak <= MOST_MEMORY else 1


def _large(source: Plain, asked: argparse.Namespace, races: list[Race]) -> int:
    """One image of large layers; the most memory that the worker had."""
    layers = [Blob(os.urandom(asked.megabytes * MEGABYTE), OCI_LAYER) for _ in range(asked.layers)]
    source.push(LARGE, "1", content.image(*layers))
    race = Race(f"one image of {asked.layers} layers of {asked.megabytes} MB", 1.0)
    races.append(race)
    peak = 0
    for _ in range(asked.rounds):
        with plain(asked.target) as target, skopeo() as copier:
            race.skopeo.append(timed(lambda: copier.copy(f"{_host(source)}/{LARGE}:1", f"{_host(target)}/{LARGE}:1")))
        with plain(asked.target) as target, Workers(1, source.url, target.url) as workers:
            race.haven.append(timed(lambda: workers.copy([((LARGE, "1"), (LARGE, "1"))])))
            peak = max(peak, workers.peak)
    return peak


def _huge(source: Plain, asked: argparse.Namespace, races: list[Race]) -> int:
    """One layer that is larger than the memory that a worker may use; the most that it had."""
    push_large(client(source.url), HUGE, asked.huge)
    with plain(asked.target) as target, Workers(1, source.url, target.url) as workers:
        seconds = timed(lambda: workers.copy([((HUGE, "1"), (HUGE, "1"))]))
        print(f"one layer of {asked.huge} MB: {seconds:.1f} s, {asked.huge / seconds:.0f} MB/s", flush=True)
        return workers.peak


def _many(source: Plain, asked: argparse.Namespace, races: list[Race]) -> int:
    """Many small images, and the same again with one of them changed."""
    tags = [f"v{number}" for number in range(asked.images)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda tag: _push_small(source, tag), tags))
    each = Race(f"{asked.images} images of 5 layers of 100 KB", 2.0)
    again = Race("the same again, one changed", 5.0)
    races += [each, again]
    peak = 0
    for _ in range(asked.rounds):
        with plain(asked.target) as target, skopeo() as copier:
            each.skopeo.append(timed(lambda: _skopeo_each(copier, source, target, tags)))
            copier.sync(f"{_host(source)}/{MANY}", f"{_host(target)}/synced")
            _push_small(source, tags[0])
            again.skopeo.append(timed(lambda: copier.sync(f"{_host(source)}/{MANY}", f"{_host(target)}/synced")))
        with plain(asked.target) as target, _replicators(asked, source, target) as workers:
            each.haven.append(timed(lambda: _copy_all(workers, source, target)))
            _push_small(source, tags[0])
            again.haven.append(timed(lambda: _copy_all(workers, source, target)))
            assert workers.results.count("copied") == 1, workers.results
            peak = max(peak, workers.peak)
    return peak


def _skopeo_each(copier: Skopeo, source: Plain, target: Plain, tags: list[str]) -> None:
    for tag in tags:
        copier.copy(f"{_host(source)}/{MANY}:{tag}", f"{_host(target)}/{MANY}:{tag}")


def _replicators(asked: argparse.Namespace, source: Plain, target: Plain) -> Workers:
    return Workers(asked.workers, source.url, target.url, threads=asked.threads)


def _copy_all(workers: Workers, source: Plain, target: Plain) -> None:
    """List the source, and copy what it has, as a rule's execution does."""
    found = list(client(source.url).tags(MANY))
    try:
        new = not list(client(target.url).tags(MANY))
    except NameUnknown:
        new = True
    workers.copy([((MANY, tag), (MANY, tag)) for tag in found], tags=found, new=new)


def _push_small(source: Plain, tag: str) -> None:
    layers = [Blob(os.urandom(SMALL), OCI_LAYER) for _ in range(5)]
    push(client(source.url), MANY, tag, content.image(*layers, text=tag))


def _host(registry: Plain) -> str:
    return f"127.0.0.1:{registry.port}"


if __name__ == "__main__":
    sys.exit(main())
