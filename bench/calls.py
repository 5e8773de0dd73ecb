"""Asking a seeded installation as many callers at once, and saying how long that took and what it asked the database.

What bench.api does with every list.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.load import Result, Server, Target, request, run
from bench.stage import Stage, stage

ADMIN, MEMBER, PERSON, NOBODY = "admin", "person-2", "person-3", ""
"""Who calls: who may see everything, a member of every second project, one of three, and nobody."""
HOST = "haven.test"
BASE = "/api/v2.0"
SHORT = 40
"""Requests of each call for a first look: each caller asks twice."""


@dataclass(frozen=True)
class Call:
    """An address, who asks for it, and the milliseconds that 95 of 100 answers may take."""

    name: str
    path: str
    who: str = ADMIN
    floor: float = 300
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What came of a call: milliseconds with all callers at once and alone, and the number of queries.

    `web` and `database` are milliseconds of processor time for one answer: what stays the same on a busy machine.
    With n callers on c processors that do nothing else, an answer takes about n / c times their sum.
    """

    call: Call
    p50: float
    p95: float
    first: float
    alone: float
    web: float
    database: float
    queries: int

    @property
    def is_reached(self) -> bool:
        return self.p95 <= self.call.floor

    @property
    def line(self) -> str:
        mark = "" if self.is_reached else "  above"
        times = f"{self.p50:8.0f}{self.p95:8.0f}{self.call.floor:7.0f}{self.first:8.0f}{self.alone:7.0f}"
        return f"  {self.call.name:46}{times}{self.web:8.1f}{self.database:8.1f}{self.queries:8}{mark}"


def asked(description: str | None) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--scale", type=float, default=1.0, help="of the installation, where none is given")
    parser.add_argument("--callers", type=int, default=20, help="at once")
    parser.add_argument("--count", type=int, default=100, help="requests of each call")
    parser.add_argument("--short", action="store_const", dest="count", const=SHORT, help=f"as --count {SHORT}")
    parser.add_argument("--only", default="", help="calls whose name contains this")
    return parser.parse_args()


def main(description: str | None, calls: Callable[[], Iterable[Call]]) -> int:
    """Print the table of all `calls`; 1 if one is above its floor."""
    wanted = asked(description)
    print(f"load average {os.getloadavg()[0]:.1f}; {wanted.callers} callers at once, milliseconds")
    print(
        f"  {'':46}{'p50':>8}{'p95':>8}{'floor':>7}{'first':>8}{'alone':>7}{'web':>8}{'db':>8}{'queries':>8}",
        flush=True,
    )
    slow = []
    with seeded(wanted.scale) as running:
        web = running.serve("harbor.wsgi")
        sessions = {name: _session(name) for name in (ADMIN, MEMBER, PERSON)}
        for call in calls():
            if wanted.only not in call.name:
                continue
            found = measure(web, call, sessions, wanted.callers, wanted.count)
            print(found.line, flush=True)
            slow += [] if found.is_reached else [found]
    print(f"load average {os.getloadavg()[0]:.1f}; {len(slow)} above the floor")
    return 1 if slow else 0


@contextmanager
def seeded(scale: float) -> Iterator[Stage]:
    """The installation at DATABASE_URL, or a new one of that `scale`."""
    given = os.environ.get("DATABASE_URL", "")
    with stage(given or "postgresql") as running:
        from bench.seed import seed
        from projects.models import Project

        if not Project.objects.exists():
            seed(scale)
        yield running


def measure(web: Server, call: Call, sessions: dict[str, str], callers: int, count: int) -> Measured:
    """Ask `call` alone some times, then `count` times with `callers` at once. Raises WrongAnswer for what is no 200."""
    headers = {"X-Real-IP": "10.1.1.1", **call.headers}
    if call.who and not call.headers:
        headers["Cookie"] = f"sid={sessions[call.who]}"
    target = Target(web, request(call.path, headers))
    alone, together = Result(), Result()
    run(target, 5, 1, alone)
    run(target, callers, callers, Result())  # every thread of web has a connection to the database
    before = _database_cpu()
    run(target, count, callers, together)
    database = _database_cpu() - before
    return Measured(
        call,
        p50=together.percentile(50) * 1000,
        p95=together.percentile(95) * 1000,
        alone=statistics.median(alone.times) * 1000,
        first=alone.times[0] * 1000,
        web=together.cpu_each / 1000,
        database=database / count * 1000,
        queries=_queries(call, headers),
    )


def _queries(call: Call, headers: dict[str, str]) -> int:
    """How many queries the call makes in this process, the session's own among them."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        answer: Any = Client().get(call.path, headers={**headers, "Host": HOST}, RAW_URI=call.path)
    if answer.status_code != 200:
        raise AssertionError(f"{call.name}: {answer.status_code}")
    return len(captured)


def _database_cpu() -> float:
    """Seconds of processor time that the database has used; 0 where it does not run on this machine."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    if not backend.exists() or "(postgres)" not in backend.read_text():
        return 0.0
    parent, ticks = _fields(backend)[1], 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            fields = _fields(file)
            if fields[1] == parent:
                ticks += int(fields[11]) + int(fields[12])
            elif file.parent.name == parent:  # with those of its children that have ended
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _fields(file: Path) -> list[str]:
    """What stands in a process's `stat` after its name: state, parent, ..."""
    return file.read_text().rpartition(")")[2].split()


def _session(username: str) -> str:
    """The cookie of somebody who has signed in."""
    from django.conf import settings
    from django.test import Client

    from accounts.backends import BACKEND
    from accounts.models import User

    client = Client()
    client.force_login(User.objects.get(username=username), backend=BACKEND)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
