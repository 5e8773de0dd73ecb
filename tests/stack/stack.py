"""A whole Haven of the test's own, started by `bin/up` in a folder and on a port of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests import processes
from tests.settings import GIVEN
from tests.stack.wire import Client, Wire, raw, request_line

ROOT = Path(__file__).resolve().parents[2]
ADMIN_PASSWORD = "Administrators-Horse-9"
NAMES = ("edge", "web", "worker", "replicator", "beat", "registry", "redis")
"""What bin/up runs."""
WRAPPER = """#!/bin/sh
# The registry with a log of what it is asked.
export REGISTRY_LOG_ACCESSLOG_DISABLED=false
exec {binary} "$@"
"""
REQUEST = re.compile(r'"(?:GET|HEAD|PUT|POST|PATCH|DELETE) (\S*) HTTP/1')


class Stack:
    """`bin/up` with `environment` added to a free port, a fresh HAVEN_DATA and a known administrator's password."""

    def __init__(self, **environment: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-stack-"))
        self.data = self.folder / "data"
        self.log_file = self.folder / "up.log"
        self.port = free_port()
        self.environment = {
            "HAVEN_DATA": str(self.data),
            "HAVEN_PORT": str(self.port),
            "HARBOR_ADMIN_PASSWORD": ADMIN_PASSWORD,
            "REGISTRY_BIN": self._talkative(GIVEN.get("REGISTRY_BIN", "docker-registry")),
            **environment,
        }
        self.ca: Path | None = None
        """The CA to trust when the stack speaks https."""
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.environment.get("HAVEN_EXTERNAL_URL", f"http://localhost:{self.port}")

    @property
    def host(self) -> str:
        """What stands before the repository in an image's name."""
        return self.url.partition("://")[2]

    @property
    def env(self) -> dict[str, str]:
        """The environment that bin/up and manage.py get: the caller's, without anything that configures Haven."""
        ours = re.compile(
            r"(HAVEN|HARBOR|REGISTRY|REDIS|DATABASE|DJANGO|CELERY|DOCKER|AWS)_|SECRET_KEY|VIRTUAL_ENV|PYTEST"
        )
        return {key: value for key, value in GIVEN.items() if not ours.match(key)} | self.environment

    def start(self) -> Stack:
        """Start, and return as soon as the edge answers and everything behind it is healthy."""
        self.process = processes.start([str(ROOT / "bin/up")], self.log_file, self.env)
        self.wait_ready()
        return self

    def wait_ready(self, seconds: float = 60) -> None:
        processes.wait_until(self._ready_or_gone, f"stack on {self.port}", seconds, self.log_file)

    def is_healthy(self) -> bool:
        """Whether `/api/v2.0/health` says so; quietly no when nobody answers."""
        try:
            answer = Wire(self.url, str(self.ca) if self.ca else None, timeout=5).send("GET", "/api/v2.0/health")
            return answer.status == 200 and bool(answer.json["status"] == "healthy")
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """End it as Ctrl-C does; bin/up's exit status."""
        if self.process is None:
            return 0
        return processes.stop(self.process, with_signal, 40)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self, name: str) -> list[int]:
        """The process called `name` (one of NAMES), then its children, oldest first; none while it is away."""
        try:
            first = int((self.data / "run" / f"{name}.pid").read_text())
        except (OSError, ValueError):
            return []
        return [pid for pid, _ in descendants(first)]

    def processes(self) -> list[tuple[int, str]]:
        """Every living process of this stack with its command line, bin/up first."""
        return descendants(self.process.pid) if self.process else []

    def kill(self, name: str, with_signal: int = signal.SIGKILL) -> int:
        """Kill the process called `name`, the master where there are several. Its pid."""
        pid = self.pids(name)[0]
        os.kill(pid, with_signal)
        return pid

    def revive(self, seconds: float = 60) -> None:
        """Wait until the stack healed itself; start it anew if it gave up."""
        processes.wait_until(lambda: self._gone() or self.is_healthy(), "recovery", seconds, self.log_file)
        if self._gone():
            self.start()

    @property
    def log(self) -> str:
        """What bin/up said."""
        return self.log_file.read_text(errors="replace")

    @property
    def web_socket(self) -> Path:
        return self._run_folder / "web.sock"

    @property
    def _run_folder(self) -> Path:
        """Where the sockets are."""
        found = re.search(r"^HAVEN_RUN=(.*)$", (self.data / "stack.env").read_text(), re.MULTILINE)
        assert found
        return Path(found.group(1))

    def registry_requests(self) -> int:
        """How many requests the registry has heard so far, this question's own not counted."""
        mark = f"/v2/?mark={uuid.uuid4()}"
        raw(str(self._run_folder / "registry.sock"), request_line("GET", mark, "registry"))
        log = self.data / "logs" / "registry.log"
        processes.wait_until(lambda: mark in log.read_text(errors="replace"), "the registry's log", 5, log)
        heard = REQUEST.findall(log.read_text(errors="replace").partition(mark)[0])
        return sum("?mark=" not in path for path in heard)

    def _talkative(self, binary: str) -> str:
        """A program that runs `binary` so that it logs each request."""
        wrapper = self.folder / "registry"
        wrapper.write_text(WRAPPER.format(binary=shutil.which(binary) or binary))
        wrapper.chmod(0o755)
        return str(wrapper)

    def manage(self, *arguments: str, check: bool = True, feed: str = "") -> subprocess.CompletedProcess[str]:
        """`manage.py` in this stack's environment."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *arguments],
            env=self.env,
            input=feed,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if check and done.returncode:
            raise AssertionError(f"manage.py {' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def ask(self, code: str) -> Any:
        """Run `code` inside this Haven's Django and hand back what it leaves in `answer`, by way of JSON."""
        done = self.manage("shell", "-c", f"{code}\nimport json; print('\\n<<<' + json.dumps(answer))")
        return json.loads(done.stdout.rpartition("<<<")[2])

    def client(self, username: str = "", password: str = "") -> Client:
        return Client(self.url, username, password, str(self.ca) if self.ca else None)

    @property
    def admin(self) -> Client:
        return self.client("admin", ADMIN_PASSWORD)

    def _gone(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _ready_or_gone(self) -> bool:
        if self._gone():
            status = self.process.returncode if self.process else None
            raise processes.NotReady(f"bin/up ended with {status}\n{self.log[-4000:]}")
        return self.is_healthy()


def free_port() -> int:
    """A port that nobody listens on, by chance: below those that the system lends to clients, so that none of them has
    it before the server that it is for."""
    while True:
        port = random.randrange(10_000, 32_000)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def descendants(pid: int) -> list[tuple[int, str]]:
    """`pid`, its children and theirs, each with its command line, oldest first; zombies are left out."""
    ours, found = {pid}, []
    for each, parent, command in sorted(_processes()):
        if each in ours or parent in ours:
            ours.add(each)
            if command:
                found.append((each, command))
    return found


def _processes() -> Iterator[tuple[int, int, str]]:
    """Pid, parent and command line of everything that runs."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                yield int(folder.name), parent, command
            except OSError:
                continue
