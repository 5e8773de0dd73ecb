"""Who does the work: each process of workers keeps a row for as long as it lives, and what it runs says where."""

from __future__ import annotations

import logging
import os
import socket
import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, models
from django.db.models.functions import Now

from jobs.models import Job, Pool, Status

BEAT = 15.0
"""Seconds between two signs of life."""
ALIVE = timedelta(seconds=60)
"""How long a pool that says nothing is still believed to be there."""
FORGOTTEN = timedelta(days=1)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """One of a pool's workers; `job` is what it does."""

    id: str
    pool_id: str
    job: Job | None = None

    @property
    def job_id(self) -> str:
        return str(self.job.pk) if self.job else ""

    @property
    def checkin_at(self) -> datetime | None:
        return self.job.update_time if self.job else None


class _Own:
    """This process's pool, if it is one."""

    id: uuid.UUID | None = None
    done = threading.Event()


def own() -> uuid.UUID | None:
    """The pool that this process is; None outside a worker."""
    return _Own.id


def begin(concurrency: int) -> None:
    """List this process as a pool, and say from a thread that it lives."""
    _Own.id, _Own.done = uuid.uuid4(), threading.Event()
    Pool.objects.filter(heartbeat__lt=Now() - FORGOTTEN).delete()
    _appear(_Own.id, concurrency)
    threading.Thread(target=_live, args=(_Own.id, concurrency, _Own.done), name="heartbeat", daemon=True).start()


def end() -> None:
    """Take this process off the list."""
    _Own.done.set()
    if _Own.id:
        Pool.objects.filter(pk=_Own.id).delete()
    _Own.id = None


def alive() -> models.QuerySet[Pool]:
    """The pools that were heard of lately, the oldest first."""
    return Pool.objects.filter(heartbeat__gte=Now() - ALIVE).order_by("start_time", "pk")


def workers(pool_id: str) -> list[Worker]:
    """The workers of a pool, or of every one for `all`; those that work first. Two queries."""
    pools = [pool for pool in alive() if pool_id.lower() in ("all", str(pool.pk))]
    running: dict[uuid.UUID | None, list[Job]] = {pool.pk: [] for pool in pools}
    held = Job.objects.filter(status=Status.RUNNING, lease_until__gte=Now(), pool__in=list(running))
    for job in held.order_by("start_time", "pk"):
        running[job.pool].append(job)
    return [worker for pool in pools for worker in _workers(pool, running[pool.pk])]


def _workers(pool: Pool, jobs: list[Job]) -> list[Worker]:
    """As many as the pool has: one for each of `jobs`, the others idle."""
    idle = [None] * max(pool.concurrency - len(jobs), 0)
    return [Worker(f"{pool.pk}-{number}", str(pool.pk), job) for number, job in enumerate([*jobs, *idle], 1)]


def _appear(pool_id: uuid.UUID, concurrency: int) -> None:
    named = {"host": socket.gethostname()[:255], "pid": os.getpid(), "concurrency": concurrency}
    beat = {"heartbeat": Now()}
    Pool.objects.update_or_create(pk=pool_id, defaults=beat, create_defaults={**named, **beat, "start_time": Now()})


def _live(pool_id: uuid.UUID, concurrency: int, done: threading.Event) -> None:
    while not done.wait(BEAT):
        try:
            _appear(pool_id, concurrency)
        except Exception as error:  # the database is away: nobody hears us until it is back
            _log.warning("nobody hears that this worker is alive: %s", type(error).__name__)
        finally:
            connection.close()
