"""Counting a pull without a database write on its path."""

from __future__ import annotations

import json
import logging
import threading
import time as clock
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import redis
from django.db import transaction

from audit import forwarding, publishing
from audit.actions import make_entry
from audit.events import PULL, is_kept
from audit.models import Entry, Pull
from audit.store import client as client

QUEUE = "haven:pulls"
"""The Redis list of pulls that no transaction has counted yet."""
_log = logging.getLogger(__name__)
_TIMEOUT = 0.2
_PAUSE = 5.0
"""Seconds in which a Redis that hangs is left alone, so that not every pull waits for it."""
_hangs_until = 0.0
_thread = threading.local()


@dataclass(frozen=True, slots=True)
class PullRecord:
    """One pull of a manifest. `event_id` is made at the request: it is counted once, however often it arrives."""

    event_id: uuid.UUID
    artifact_id: int
    digest: str
    tag: str
    """Empty for a pull by digest."""
    repository: str
    project_id: int
    username: str
    time: datetime
    address: str
    """Whence it came."""

    def to_json(self) -> str:
        values = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(values, default=str)

    @classmethod
    def of(cls, content: str | bytes) -> PullRecord:
        """What `to_json` wrote; ValueError, KeyError or TypeError for anything else."""
        values: dict[str, Any] = json.loads(content)
        return cls(
            event_id=uuid.UUID(values["event_id"]),
            artifact_id=int(values["artifact_id"]),
            digest=str(values["digest"]),
            tag=str(values["tag"]),
            repository=str(values["repository"]),
            project_id=int(values["project_id"]),
            username=str(values["username"]),
            time=datetime.fromisoformat(values["time"]),
            address=str(values["address"]),
        )

    def to_entry(self) -> Entry:
        """The audit entry of this pull, not saved."""
        operation, resource_type = PULL.split("_")
        entry = make_entry(
            username=self.username,
            operation=operation,
            resource_type=resource_type,
            resource=f"{self.repository}:{self.tag}" if self.tag else f"{self.repository}@{self.digest}",
            project_id=self.project_id,
            details={"digest": self.digest, "tag": self.tag, "address": self.address},
        )
        entry.event_id = self.event_id
        entry.op_time = self.time
        return entry


def count_pull(record: PullRecord) -> None:
    """See to it that `record` is counted and written down soon: by way of Redis, or of the database where that is away.

    An answer of Redis that comes too late may mean both; `event_id` tells. Raises a database error only.
    """
    global _hangs_until
    if clock.monotonic() < _hangs_until:
        return write_down(record)
    try:
        _append(record.to_json())
    except redis.RedisError as error:
        if isinstance(error, redis.TimeoutError):
            _hangs_until = clock.monotonic() + _PAUSE
        _log.warning("redis is away, a pull goes to the database: %s", type(error).__name__)
        write_down(record)


def _append(content: str) -> None:
    """RPUSH over this thread's own connection: a client with a pool costs three times as much.

    A connection that Redis has closed meanwhile is made anew; what then arrives twice is told by its id.
    """
    connection = getattr(_thread, "connection", None)
    if connection is not None:
        try:
            return _send(connection, content)
        except redis.ConnectionError:
            _log.info("redis had closed the connection")
    pool = client(_TIMEOUT).connection_pool  # which counts what it makes, and never sees these again
    _thread.connection = pool.connection_class(**pool.connection_kwargs)
    _send(_thread.connection, content)


def _send(connection: Any, content: str) -> None:
    try:
        connection.send_command("RPUSH", QUEUE, content)
        connection.read_response()
    except BaseException:
        connection.disconnect()
        raise


@transaction.atomic
def write_down(record: PullRecord) -> None:
    """Keep `record` in the database until its counters are raised; its entry is there at once."""
    Pull.objects.bulk_create([Pull(event_id=record.event_id, waiting=record.to_json())], ignore_conflicts=True)
    write_entries([record])


def write_entries(records: list[PullRecord]) -> None:
    """Entries for `records`, as far as the operator wants them; subscribers hear of each."""
    entries = [record.to_entry() for record in records]
    if is_kept(PULL):
        if not forwarding.is_database_skipped():
            Entry.objects.bulk_create(entries, ignore_conflicts=True)
        forwarding.forward(entries)
    publishing.publish(entries)


def forgive() -> None:
    """Ask Redis again at once."""
    global _hangs_until
    _hangs_until = 0.0


_thread = threading.local()
