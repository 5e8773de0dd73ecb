"""Flushes pulls until it is killed, again and again: run by `test_killed_flush.py` as a program of its own.

`python -m tests.audit.flusher` with DATABASE_URL and REDIS_URL in the environment kills a flush at its first step,
the next at its second, and so on until one comes through, with other pulls each time. After each death, others finish.
Prints the number of deaths, of pulls, of their entries and counts, each in all and without doubles.
"""

from __future__ import annotations

import os
import signal
import sys
import uuid
from types import FrameType
from typing import Any

import django
from django.core.management import call_command
from django.utils import timezone

STEPS = ("audit/batches.py", "audit/pulls.py", "django/db/transaction.py", "django/db/backends/base/base.py")
"""A call of anything in these files is a step: they are called before and after each write."""
PULLS = 3


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    deaths = 0
    while fork_and_die_at(deaths + 1):
        deaths += 1
    entries, counted = found()
    print(deaths, PULLS * (deaths + 1), len(entries), len(set(entries)), len(counted), len(set(counted)))


def fork_and_die_at(step: int) -> bool:
    """Give a child some pulls to flush and kill it at its `step`; False if it was done before that."""
    from django.db import connections

    from audit import batches, pulls

    for _ in range(PULLS):
        pulls.count_pull(record())
    connections.close_all()
    pulls.client.cache_clear()
    child = os.fork()
    if not child:
        die_at(step)
        batches.flush(count)
        sys.setprofile(None)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    batches.flush(count)
    return os.WIFSIGNALED(status)


def die_at(step: int) -> None:
    left = step

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left
        if event == "call" and frame.f_code.co_filename.endswith(STEPS):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


def record() -> Any:
    from audit.pulls import PullRecord

    return PullRecord(uuid.uuid4(), 1, "sha256:1", "v1", "library/a", 1, "alice", timezone.now(), "127.0.0.1")


def count(records: list[Any]) -> None:
    """Counters that live and die with the transaction: the executions' vendor ids stand for artifacts' pull counts."""
    from jobs.models import Execution

    rows = [Execution(vendor_type=str(record.event_id), start_time=timezone.now()) for record in records]
    Execution.objects.bulk_create(rows)


def found() -> tuple[list[str], list[str]]:
    """The ids of the pulls that have an entry, and of those that were counted."""
    from audit.models import Entry
    from jobs.models import Execution

    entries = [str(event_id) for event_id in Entry.objects.values_list("event_id", flat=True)]
    return entries, list(Execution.objects.values_list("vendor_type", flat=True))


if __name__ == "__main__":
    main()
