"""Starting and ending the servers that tests bring along; never anybody else's."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


class NotReady(AssertionError):
    """A server did not come up in time; carries the end of its log."""


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 20, log: Path | None = None) -> None:
    """Return as soon as `ready` says so; NotReady, naming `what`, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-4000:] if log and log.exists() else ""
            raise NotReady(f"{what}: not within {seconds} s\n{tail}")
        time.sleep(0.02)


def start(command: Sequence[str], log: Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A process in a group of its own, writing to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=env if env is not None else dict(os.environ),
        )


def stop(process: subprocess.Popen[bytes], with_signal: int = signal.SIGTERM, seconds: float = 20) -> int:
    """Ask `process` to end and wait; kill what is left of its group if it does not. Its exit status."""
    if process.poll() is None:
        process.send_signal(with_signal)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return process.wait(5)
