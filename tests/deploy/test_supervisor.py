"""Processes that die come back, those that are replaced are not missed, and nothing outlives its supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import processes

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import os, signal, sys
from pathlib import Path
from deploy.supervisor import Program, Replaceable, Supervisor

folder = Path(sys.argv[1])
lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR)
keeper = Supervisor(lock, lambda text: print(text, flush=True))

def given(name, *command):
    return dict(name=name, command=command, log=folder / f"{name}.log", environment=dict(os.environ), directory=folder,
                pid_file=folder / f"{name}.pid")

first = Program(**given("first", "sleep", "1000"))
family = Program(**given("family", "sh", "-c", "sleep 1000 & echo $! > child; wait"))
server = Replaceable(**given("server", sys.executable, str(folder / "server.py")), address=folder / "server.sock",
                     address_key="ADDRESS")
keeper.start(first, family, server)
signal.signal(signal.SIGUSR1, lambda *_: keeper.replace(server, "asked"))
print("started", flush=True)
keeper.run()
keeper.stop(5)
print("stopped", flush=True)
"""
SERVER = """
import contextlib, os, signal, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["ADDRESS"])
listener.listen()
# As the registry does, it serves those who came before it was told to end.
signal.signal(signal.SIGTERM, lambda *_: listener.settimeout(0))
listener.settimeout(0.05)
while True:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        sys.exit()
    except TimeoutError:
        continue
    with connection, contextlib.suppress(OSError):  # who only looks whether somebody listens hangs up
        connection.sendall(str(os.getpid()).encode())
"""


class Supervised:
    """A supervisor in a process of its own, in charge of two programs and a server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "server.py").write_text(SERVER)
        (folder / "script.py").write_text(SCRIPT)
        self.log = folder / "log"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = processes.start([sys.executable, str(folder / "script.py"), str(folder)], self.log, environment)
        processes.wait_until(lambda: self.answer() > 0 and (folder / "child").exists(), "the supervisor", log=self.log)

    def pid(self, name: str) -> int:
        file = self.folder / f"{name}.pid"
        return int(file.read_text() or 0) if file.exists() else 0

    def answer(self) -> int:
        """The process id of who serves; 0 when nobody does."""
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(self.folder / "server.sock"))
                return int(connection.recv(100) or 0)
            except OSError:
                return 0

    def everyone(self) -> list[int]:
        return [self.pid("first"), self.pid("family"), int((self.folder / "child").read_text()), self.answer()]


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    found = Supervised(tmp_path)
    yield found
    processes.stop(found.process)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def soon(ready: Callable[[], bool]) -> None:
    processes.wait_until(ready, "it", 10)


def test_the_dead_come_back(supervised: Supervised) -> None:
    for name in ("first", "server"):
        old = supervised.pid(name)
        os.kill(old, signal.SIGKILL)
        soon(lambda name=name, old=old: supervised.pid(name) not in {0, old})  # type: ignore[misc]
    soon(lambda: supervised.answer() == supervised.pid("server"))
    assert supervised.process.poll() is None


def test_what_a_dead_process_left_goes_before_it_comes_back(supervised: Supervised) -> None:
    child = int((supervised.folder / "child").read_text())
    os.kill(supervised.pid("family"), signal.SIGKILL)
    soon(lambda: not alive(child))


def test_a_replaced_server_is_never_away(supervised: Supervised) -> None:
    old = supervised.answer()
    os.kill(supervised.process.pid, signal.SIGUSR1)
    answers: set[int] = set()
    deadline = time.monotonic() + 10
    while answers <= {old} and time.monotonic() < deadline:
        answers.add(supervised.answer())
    assert len(answers) == 2 and 0 not in answers
    soon(lambda: not alive(old))
    assert supervised.answer() == supervised.pid("server")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_all_end_when_asked(supervised: Supervised, number: int) -> None:
    everyone = supervised.everyone()
    assert processes.stop(supervised.process, number) == 0
    assert "stopped" in supervised.log.read_text()
    assert [pid for pid in everyone if alive(pid)] == []


def test_all_end_when_the_supervisor_is_killed(supervised: Supervised) -> None:
    everyone = [supervised.pid("first"), supervised.pid("family"), supervised.answer()]
    supervised.process.kill()
    supervised.process.wait()
    soon(lambda: not any(alive(pid) for pid in everyone))
    # Nobody holds the lock any more: the next supervisor may start.
    assert subprocess.run(["flock", "-n", str(supervised.folder / "lock"), "true"], check=False).returncode == 0
