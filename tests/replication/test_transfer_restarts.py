"""Workers, sources and targets that are killed in the middle of a large layer: who comes next goes on."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from bench.stage import ROOT
from replication.transfer import Options, Result, Unwatched
from tests import processes
from tests.replication.plain import Plain
from tests.replication.ways import CHUNK, OPTIONS, ORIGIN, OVERHEAD, SIZE, Way, image, plain, source, way
from tests.replication.worker import FileWatch

pytestmark = pytest.mark.stack
__all__ = ["image", "plain", "source", "way"]

RATE = 12 * 2**20
"""Bytes a second, so that there is a middle to be killed in."""


def test_a_worker_that_is_killed_is_taken_over(way: Way, tmp_path: Path) -> None:
    goal, folder, spool = way.goal("killed"), tmp_path / "job", tmp_path / "spool"
    folder.mkdir()
    about = {
        "source": way.from_source.url,
        "target": way.target_url,
        "credentials": [way.username, way.password],
        "origin": [ORIGIN.repository, ORIGIN.identifier],
        "goal": [goal.repository, goal.identifier],
        "chunk": CHUNK,
        "rate": RATE,
        "folder": str(folder),
        "spool": str(spool),
    }
    worker = subprocess.Popen([sys.executable, "-m", "tests.replication.worker", json.dumps(about)], cwd=ROOT)
    processes.wait_until(lambda: way.to_target.up > SIZE // 2, "half of the layer", 60)
    worker.kill()
    worker.wait()
    assert way.target().head_manifest(goal) is None
    before = way.from_source.down

    outcome = way.copy(goal, Options(**{**vars(OPTIONS), "spool": spool}), FileWatch(folder))

    assert outcome.result == Result.COPIED
    assert way.to_target.up <= SIZE + way.allowed + OVERHEAD
    assert way.from_source.down - before <= SIZE // 2 + OVERHEAD and before > SIZE // 2  # what was sent is in the spool
    if way.keeps:
        assert outcome.bytes_sent <= SIZE // 2 + CHUNK
    assert list(folder.iterdir()) == list(spool.iterdir()) == []
    way.check(goal)


class Restarts(Unwatched):
    """Kills `server` when half of the layer has arrived, and starts it again a moment later."""

    def __init__(self, server: Plain) -> None:
        super().__init__()
        self.server = server
        self.restarted = threading.Thread(target=self._restart)
        self.lines: list[str] = []

    def progress(self, digest: str, done: int, total: int) -> None:
        if done > SIZE // 2 and total == SIZE and self.restarted.ident is None:
            self.server.kill()
            self.restarted.start()

    def _restart(self) -> None:
        threading.Event().wait(1)
        self.server.start()

    def throttle(self, count: int) -> float:
        return count / RATE

    def log(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_registry_that_is_killed_and_comes_back(
    way: Way, source: Plain, which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    if which == "target" and way.username:
        server = None  # Haven heals itself: its registry is killed
    else:
        server = source if which == "source" else request.getfixturevalue("plain")
    goal = way.goal(f"restarted-{which}")
    options = Options(**{**vars(OPTIONS), "spool": tmp_path, "bandwidth": RATE, "attempts": 9, "patience": 2.0})
    watch = Restarts(server) if server else Kills(request.getfixturevalue("stack"))

    outcome = way.copy(goal, options, watch)

    watch.restarted.join()
    assert outcome.result == Result.COPIED
    if server:  # Haven's may be back before the next chunk has come
        assert "trying again" in " ".join(watch.lines)
    assert outcome.bytes_read <= SIZE + OVERHEAD
    allowed = 0 if which == "source" else way.allowed
    assert way.to_target.up <= SIZE + allowed + OVERHEAD
    way.check(goal)


class Kills(Restarts):
    """Kills the registry behind a Haven."""

    def __init__(self, stack: object) -> None:
        super().__init__(stack)  # type: ignore[arg-type]

    def progress(self, digest: str, done: int, total: int) -> None:
        if done > SIZE // 2 and total == SIZE and self.restarted.ident is None:
            self.server.kill("registry")  # type: ignore[call-arg]
            self.restarted.start()

    def _restart(self) -> None:
        self.server.revive()  # type: ignore[attr-defined]
