"""What a job's function is given: a way to report and to ask whether to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import close_old_connections, connection
from django.utils import timezone

from jobs import actions
from jobs.models import Job

_log = logging.getLogger(__name__)
_ASK_AT_MOST_EVERY = 1.0
_WRITE_EVERY = 1.0


class Stopped(Exception):
    """Raised where a job notices that it shall stop; the job ends as Stopped, with its words if it has any."""


class Temporary(Exception):
    """Raised by a job whose next attempt may succeed. Any error with a true `temporary` says the same."""

    temporary = True


class Running:
    """A job that we hold."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.lost = threading.Event()
        self.last: dict[str, int | str] | None = None
        """What the row is to show once the job has succeeded."""
        self._lines: list[tuple[datetime, str]] = []
        self._written = time.monotonic()
        self._asked = 0.0
        self._stopping = False

    @property
    def attempt(self) -> int:
        """1 for the first."""
        return self.job.attempts

    def log(self, line: str) -> None:
        """Add a line to the log that people read, a second later at most as long as the job reports or asks whether to
        stop. No secrets, no bodies of foreign answers."""
        self._lines.append((timezone.now(), line))
        self._write_now_and_then()

    def write(self) -> None:
        """Write down the lines that are not yet."""
        lines, self._lines, self._written = self._lines, [], time.monotonic()
        if lines:
            actions.add_lines(self.job, lines)

    def _write_now_and_then(self) -> None:
        if time.monotonic() - self._written >= _WRITE_EVERY:
            self.write()

    def progress(self, **values: int | str) -> None:
        """Show how far it is: `progress(done=3, total=20)`."""
        actions.report(self.job, values)
        self._write_now_and_then()

    def conclude(self, **values: int | str) -> None:
        """Show this together with the outcome, if it is success."""
        self.last = values

    @property
    def stopping(self) -> bool:
        """Whether to end early. Cheap to ask often: the database is asked once a second."""
        self._write_now_and_then()
        now = time.monotonic()
        if not self._stopping and now - self._asked >= _ASK_AT_MOST_EVERY:
            self._asked = now
            self._stopping = actions.is_asked_to_stop(self.job)
        return self._stopping or self.lost.is_set()

    def check(self) -> None:
        """Raise Stopped if it is time to end early: for the loop of a long job."""
        if self.stopping:
            raise Stopped


@contextmanager
def kept(running: Running) -> Iterator[None]:
    """Renew the lease for as long as the body runs, from a thread, so that long work needs not think of it."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(running, done), name=f"lease-{running.job.pk}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def _keep(running: Running, done: threading.Event) -> None:
    pause = actions.lease().total_seconds() / 3
    while not done.wait(pause):
        try:
            if not actions.renew(running.job):
                running.lost.set()
        except Exception as error:  # the database is away: try again until the lease ends
            _log.warning("cannot renew the lease of job %s: %s", running.job.pk, error)
            close_old_connections()
    connection.close()


def is_temporary(error: BaseException) -> bool:
    """Whether another attempt may succeed where `error` ended this one."""
    return bool(getattr(error, "temporary", False))


def describe(error: BaseException) -> str:
    """An error as the job's row shows it: the words of the errors that we raise on purpose, else only its kind."""
    words: Any = str(error)
    return str(words) if hasattr(error, "temporary") and words else type(error).__name__
