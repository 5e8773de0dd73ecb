"""`bin/up`, once Python and its packages are there: makes what is missing, then runs the stack in the foreground."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from deploy import options, secrets, supervisor
from deploy.options import Options
from deploy.stack import Stack, run_folder
from deploy.supervisor import Ended, Replaceable, Supervisor
from harbor.environment import ROOT, Unusable, read_file

PREPARE_SECONDS, READY_SECONDS = 600, 60
LEFTOVER_SECONDS = 30
"""How long the processes of a killed stack may take to end before we give up waiting for them."""


def say(text: str) -> None:
    print(f"haven: {text}", flush=True)


def take(data: Path) -> int:
    """Make the data folder ours alone, and lock it. Raises Unusable where another stack runs in it."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data.chmod(0o700)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except PermissionError as problem:
        raise Unusable(f"HAVEN_DATA={data} cannot be written: {problem.strerror} ({problem.filename}).") from None
    except OSError as problem:
        raise Unusable(f"HAVEN_DATA={data} cannot be used: {problem.strerror}.") from None
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while not _locked(lock):
        owner = os.pread(lock, 32, 0).decode().strip()
        if owner and Path(f"/proc/{owner}").exists():
            raise Unusable(f"Haven is already running with HAVEN_DATA={data} (process {owner}).")
        if time.monotonic() > deadline:
            raise Unusable(f"processes of an earlier Haven still use HAVEN_DATA={data}: end them first.")
        time.sleep(0.1)
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
    return lock


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def check_port(chosen: Options) -> None:
    """Raises Unusable where the edge could not listen."""
    family = socket.AF_INET6 if ":" in chosen.bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((chosen.bind.strip("[]"), chosen.port))
            probe.listen(1)
        except OSError as problem:
            raise Unusable(_port_problem(chosen, problem)) from None


def _port_problem(chosen: Options, problem: OSError) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"port {chosen.port} on {chosen.bind} is taken by another program: end it, or set HAVEN_PORT to another."
    if problem.errno == errno.EACCES:
        return f"port {chosen.port} may only be used by root: set HAVEN_PORT to a number above 1023."
    return f"HAVEN_BIND={chosen.bind} cannot be used on this machine: {problem.strerror}."


def edge_answers(chosen: Options) -> bool:
    """Whether the whole way is open: the edge, web, and the registry behind them."""
    host = chosen.host.encode()
    paths = (b"/v2/", b"/v2/is/ready/blobs/sha256:" + b"0" * 64)
    return all(0 < _status(chosen, path, host) < 500 for path in paths)


def _status(chosen: Options, path: bytes, host: bytes) -> int:
    """The status of a GET over a connection of its own; 0 when nobody answers."""
    bind = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(chosen.bind.strip("[]"), chosen.bind.strip("[]"))
    try:
        with contextlib.ExitStack() as stack:
            connection: socket.socket = stack.enter_context(socket.create_connection((bind, chosen.port), 5))
            if chosen.certificate:
                context = ssl._create_unverified_context()  # noqa: S323  (our own edge, asked for a sign of life)
                connection = stack.enter_context(context.wrap_socket(connection))
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (path, host))
            return int(connection.recv(64).split(b" ", 2)[1])
    except (OSError, IndexError, ValueError):
        return 0


def prepare(stack: Stack, keeper: Supervisor) -> str:
    """Database, keys, administrator, static files; what the administrator must be told. Raises Ended."""
    with subprocess.Popen(
        [sys.executable, "-m", "deploy.prepare"],
        cwd=ROOT,
        env=stack.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            keeper.wait(lambda: process.poll() is not None, PREPARE_SECONDS, "the database")
        finally:
            if process.poll() is None:
                process.terminate()
        told, complaint = process.communicate()
    if process.returncode and not keeper.stopping:
        lines = complaint.strip().splitlines() or [f"preparing ended with {process.returncode}"]
        raise Ended(lines[-1].removeprefix("haven: "))
    return told.strip()


def announce(chosen: Options, told: str) -> None:
    """What an operator has to know, once."""
    lines = [f"Haven is ready at {chosen.external_url}", f"  log in      docker login {chosen.host}"]
    if told:
        lines += [f"  {line.strip()}" for line in told.splitlines()]
    lines += [f"  logs        {chosen.data / 'logs'}", "  Ctrl-C ends it"]
    if not chosen.loopback and not chosen.https:
        lines += [
            "  warning: plain http beyond this machine: passwords travel readable. Use HAVEN_TLS_CERT, or a TLS proxy.",
            "  Until then each docker engine needs in its /etc/docker/daemon.json:",
            f'      "insecure-registries": ["{chosen.host}"]',
        ]
    print("\n".join(lines), flush=True)


def run(stack: Stack, lock: int) -> None:
    """Start, announce, keep, stop. Raises Ended if it never stood."""
    keeper = Supervisor(lock, say)
    programs = stack.programs()
    try:
        if stack.own_redis:
            keeper.start(programs.pop("redis"))
            keeper.wait((stack.run / "redis.sock").exists, READY_SECONDS, "redis")
        told = prepare(stack, keeper)
        if not keeper.stopping:
            # Those on the way of a request first: on few processors the others would hold them up.
            keeper.start(programs.pop("registry"), programs.pop("web"))
            sockets = (stack.run / "web.sock", stack.run / "registry.sock")
            keeper.wait(lambda: all(path.exists() for path in sockets), READY_SECONDS, "Haven")
            keeper.start(*programs.values())
            keeper.wait(lambda: edge_answers(stack.options), READY_SECONDS, "Haven")
        if not keeper.stopping:
            announce(stack.options, told)
            keeper.run([Every(60, lambda: supervisor.shorten(stack.data / "logs")), NewKeys(stack, keeper)])
    finally:
        keeper.stop()


class Every:
    """Calls `work` every so many seconds, however often it is called itself."""

    def __init__(self, seconds: float, work: Callable[[], None]) -> None:
        self.seconds = seconds
        self.work = work
        self.last = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self.last >= self.seconds:
            self.last = time.monotonic()
            self.work()


class NewKeys:
    """Gives the registry, which reads its keys when it starts, the ones that were added since."""

    def __init__(self, stack: Stack, keeper: Supervisor) -> None:
        self.file = stack.data / "keys" / "jwks.json"
        self.keeper = keeper
        self.seen = self._time()

    def __call__(self) -> None:
        if (now := self._time()) == self.seen:
            return
        self.seen = now
        for program in self.keeper.programs:
            if isinstance(program, Replaceable):
                self.keeper.replace(program, "there is a new token key")

    def _time(self) -> int:
        return self.file.stat().st_mtime_ns if self.file.exists() else 0


def main() -> int:
    os.umask(0o077)
    for key, value in read_file(ROOT / ".env").items():
        os.environ.setdefault(key, value)
    folder = None
    try:
        chosen = options.read(os.environ)
        lock = take(chosen.data)
        check_port(chosen)
        folder = run_folder(chosen.data)
        stack = Stack(chosen, folder, secrets.keep(chosen.data / "secrets.env", os.environ))
        stack.write()
        run(stack, lock)
    except (Unusable, Ended) as problem:
        print(f"haven: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"haven: {problem.strerror}: {problem.filename}", file=sys.stderr)
        return 1
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
    say("everything has ended")
    return 0


if __name__ == "__main__":
    sys.exit(main())
