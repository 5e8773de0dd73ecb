"""Keeps the processes of one stack running: starts them, brings back what dies, ends all of them.

Single-threaded on purpose: Linux tells a child that its parent died by the thread that started it.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
"""Seconds before a process that died is started again; doubled each time it does not live STEADY seconds."""
STEADY = 10.0
LARGEST_LOG = 20 * 2**20
TICK = 0.25


class Ended(Exception):
    """A process that must not end before the stack stands has ended."""


@dataclass
class Program:
    """One process to keep running, its output in `log`."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    directory: Path
    pid_file: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    born: float = field(default=0.0, init=False)
    due: float = field(default=0.0, init=False)
    pause: float = field(default=FIRST_PAUSE, init=False)

    def start(self, inherit: Sequence[int] = ()) -> None:
        """Start it in a group of its own; the kernel ends it should this process be killed."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(self.environment),
                cwd=self.directory,
                start_new_session=True,
                pass_fds=inherit,
            )
        self.born = time.monotonic()
        self.pid_file.write_text(f"{self.process.pid}\n")

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def bury(self) -> None:
        """Forget a dead process, end what it left of its group, and decide when to start it again."""
        self.kill()
        self.process = None
        now = time.monotonic()
        self.pause = FIRST_PAUSE if now - self.born >= STEADY else min(self.pause * 2, LONGEST_PAUSE)
        self.due = now + self.pause

    def terminate(self) -> None:
        if self.alive and self.process:
            self.process.terminate()

    def kill(self) -> None:
        """End it and all it started, at once."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.pid_file.unlink(missing_ok=True)

    def tail(self, lines: int = 5) -> str:
        """The last lines it wrote."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


@dataclass
class Replaceable(Program):
    """A program on a unix socket that can be started anew without anybody noticing.

    Each process binds a name of its own, told by the variable `address_key`; `address` is a link to the one in charge.
    """

    address: Path = Path()
    address_key: str = ""
    number: int = field(default=0, init=False)
    retired: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)

    def start(self, inherit: Sequence[int] = ()) -> None:
        self._point_to(self._start_next(inherit))

    def replace(self, inherit: Sequence[int] = (), seconds: float = 10.0) -> bool:
        """Start another process, and end the old one once the new one listens; False if it never did."""
        old, born = self.process, self.born
        own = self._start_next(inherit)
        deadline = time.monotonic() + seconds
        while self.alive and not listens(own) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not listens(own) or not self.alive:
            super().kill()
            self.process, self.born = old, born
            return False
        self._point_to(own)
        if old:
            old.terminate()
            self.retired.append(old)
        return True

    def reap(self) -> None:
        self.retired = [process for process in self.retired if process.poll() is None]

    def kill(self) -> None:
        super().kill()
        for process in self.retired:
            process.kill()
            process.wait()

    def _start_next(self, inherit: Sequence[int]) -> Path:
        self.number += 1
        own = self.address.with_name(f"{self.address.stem}-{self.number}{self.address.suffix}")
        own.unlink(missing_ok=True)
        self.environment = {**self.environment, self.address_key: str(own)}
        super().start(inherit)
        return own

    def _point_to(self, own: Path) -> None:
        draft = self.address.with_name(f".{self.address.name}")
        draft.unlink(missing_ok=True)
        draft.symlink_to(own)
        draft.replace(self.address)


def listens(path: Path) -> bool:
    """Whether somebody answers at the unix socket; its file is there a moment before anybody does."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


class Supervisor:
    """The programs of one stack. `lock` is a descriptor that they inherit: it stays locked while any of them lives."""

    def __init__(self, lock: int, say: Callable[[str], None]) -> None:
        self.programs: list[Program] = []
        self.lock = lock
        self.say = say
        self.stopping = False
        self._wake, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def start(self, *programs: Program) -> None:
        for program in programs:
            program.start((self.lock,))
            self.programs.append(program)

    def wait(self, ready: Callable[[], bool], seconds: float, what: str) -> None:
        """Until `ready`; Ended if a program dies meanwhile, or the time is over. Returns at once when asked to stop."""
        deadline = time.monotonic() + seconds
        while not self.stopping and not ready():
            for program in self.programs:
                if not program.alive:
                    raise Ended(f"{program.name} ended while Haven was starting; its last words:\n{program.tail()}")
            if time.monotonic() > deadline:
                raise Ended(f"{what} did not come up within {seconds:.0f} seconds; see {self.programs[-1].log.parent}.")
            self._sleep(0.05)

    def run(self, watch: Iterable[Callable[[], None]] = ()) -> None:
        """Keep everything running until asked to stop; `watch` is called now and then."""
        watched = list(watch)
        while not self.stopping:
            for program in self.programs:
                self._keep(program)
            for look in watched:
                look()
            self._sleep(TICK)

    def _keep(self, program: Program) -> None:
        if isinstance(program, Replaceable):
            program.reap()
        if program.process is not None and not program.alive:
            status = program.process.returncode
            program.bury()
            self.say(f"{program.name} ended ({_described(status)}), starting it again in {program.pause:.1f} s")
        if program.process is None and time.monotonic() >= program.due:
            program.start((self.lock,))

    def stop(self, patience: float = 20.0) -> None:
        """End everything: the last started first to hear of it, the first started (what others need) last of all."""
        *others, first = reversed(self.programs) if self.programs else [None]
        for program in others:
            if program:
                program.terminate()
                if program.name == "edge":
                    self._wait_for([program], 3.0)
        self._wait_for([program for program in others if program], patience)
        if first:
            first.terminate()
            self._wait_for([first], patience)
        for program in self.programs:
            program.kill()

    def replace(self, program: Replaceable, why: str) -> None:
        """Put a new process in the place of a running one."""
        if program.alive:
            done = program.replace((self.lock,))
            self.say(f"{program.name} {'was started anew' if done else 'could not be started anew'}: {why}")

    def _wait_for(self, programs: Sequence[Program], seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while any(program.alive for program in programs) and time.monotonic() < deadline:
            self._sleep(0.05)

    def _sleep(self, seconds: float) -> None:
        """A nap that a signal ends."""
        if select.select([self._wake], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake, 4096)


def _described(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def shorten(logs: Path) -> None:
    """Keep every log below LARGEST_LOG: the old part goes to `<name>.1`. Writers append, so they need not know."""
    for log in logs.glob("*.log"):
        if log.stat().st_size > LARGEST_LOG:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)
