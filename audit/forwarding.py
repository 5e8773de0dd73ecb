"""Telling a syslog server what happened: RFC 5424, one line an entry, by TCP as Harbor does, or by UDP.

An entry waits in a list in Redis for a worker, which sends what waits every few seconds: no request ever waits for the
server, and while it is away nothing is lost that fits into the list. What does not fit, and what finds no Redis, is
told to our own log. An entry may be sent twice where a worker dies in between.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.db import transaction

from audit.models import Entry
from audit.store import client
from audit.text import one_line
from configuration import values
from registry.errors import Blocked
from registry.guard import Guard

KEY = "audit_log_forward_endpoint"
QUEUE = "haven:forward"
"""The Redis list of lines that no server has been sent."""
MOST = 100_000
"""Lines that wait at most; of more, the newest are given up."""
_LOCK = f"{QUEUE}:sending"
_SIZE = 500
_PATIENCE = 5.0
_TIMEOUT = 0.2
_PRIORITY = 13 * 8 + 6  # log audit, informational
_HOST = one_line(socket.gethostname(), 255).replace(" ", "-") or "-"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a syslog server listens: `logs.example.com:514` by TCP, `udp://logs.example.com:514` by UDP."""

    host: str
    port: int
    udp: bool = False

    @classmethod
    def of(cls, endpoint: str) -> Address:
        """What `endpoint` means; ValueError for what is none."""
        parts = urlsplit(endpoint if "://" in endpoint else f"tcp://{endpoint}")
        if parts.scheme not in ("tcp", "udp") or not parts.hostname or not parts.port or parts.path.strip("/"):
            raise ValueError("must be host:port, tcp://host:port or udp://host:port")
        return cls(parts.hostname, parts.port, parts.scheme == "udp")


def endpoint() -> str:
    """The configured server; empty where nothing is forwarded."""
    return str(values.get(KEY)).strip()


def is_database_skipped() -> bool:
    """Whether entries are told to the syslog server alone."""
    return bool(values.get("skip_audit_log_database")) and bool(endpoint())


def forward(entries: Sequence[Entry]) -> None:
    """Let `entries` be sent once the running transaction has committed; nothing where no server is configured."""
    if entries and endpoint():
        transaction.on_commit(partial(_enqueue, [line(entry) for entry in entries]), robust=True)


def line(entry: Entry) -> str:
    """`entry` in the form of RFC 5424; its text has been made fit for one line already."""
    facts = {
        "operator": entry.username,
        "resourceType": entry.resource_type,
        "operation": entry.operation,
        "resource": entry.resource,
        "result": "success" if entry.success else "failure",
        "projectId": str(entry.project_id or ""),
    }
    told = " ".join(f'{name}="{_quoted(value)}"' for name, value in facts.items() if value)
    time = f"{entry.op_time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    message = f"action:{entry.operation}, resource:{entry.resource}"
    return f"<{_PRIORITY}>1 {time} {_HOST} haven {os.getpid()} audit [haven@32473 {told}] {message}"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _enqueue(lines: list[str]) -> None:
    try:
        waiting = int(client(_TIMEOUT).llen(QUEUE))
        room = max(MOST - waiting, 0)
        if kept := lines[:room]:
            client(_TIMEOUT).rpush(QUEUE, *kept)
        _give_up(lines[room:], "too many wait already")
    except redis.RedisError as error:
        _give_up(lines, type(error).__name__)


def _give_up(lines: list[str], reason: str) -> None:
    for each in lines:
        _log.error("not forwarded, %s: %s", reason, each)


def send_waiting() -> int:
    """Send everything that waits, unless another worker does; how many lines. What fails waits for the next time."""
    server = endpoint()
    store = client(_PATIENCE)
    try:
        if not server or not store.exists(QUEUE) or not store.set(_LOCK, "1", nx=True, ex=60):
            return 0
        try:
            return sum(_batches(store, server))
        finally:
            store.delete(_LOCK)
    except redis.RedisError as error:
        _log.warning("redis is away, what is to be forwarded waits there: %s", type(error).__name__)
    except (OSError, ValueError) as error:
        _log.warning("the syslog server %s does not take entries, %s wait: %s", server, _waiting(store), error)
    return 0


def _waiting(store: redis.Redis) -> Any:
    return store.llen(QUEUE)


def _batches(store: redis.Redis, server: str) -> Iterator[int]:
    address = Address.of(server)
    with closing(_connected(address)) as server_socket:
        while lines := store.lrange(QUEUE, 0, _SIZE - 1):
            waiting: list[bytes] = list(lines)  # type: ignore[arg-type]
            _send(server_socket, address, waiting)
            store.ltrim(QUEUE, len(waiting), -1)
            store.expire(_LOCK, 60)
            yield len(waiting)


def _connected(address: Address) -> socket.socket:
    host, port = _judged(address)
    if not address.udp:
        return socket.create_connection((host, port), timeout=_PATIENCE)
    datagrams = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.settimeout(_PATIENCE)
    datagrams.connect((host, port))
    return datagrams


def _judged(address: Address) -> tuple[str, int]:
    """Where the server is. A private one needs the operator's word: by the environment, or by the list."""
    own = [address.host] if KEY in values.fixed() else []
    try:
        return Guard.allowing([*settings.ALLOWED_NETWORKS, *own]).addresses(address.host, address.port)[0]
    except Blocked:
        raise PermissionError("this address may not be called: HAVEN_ALLOWED_NETWORKS does not hold it") from None


def _send(server: socket.socket, address: Address, lines: list[bytes]) -> None:
    """One line a datagram, or lines that end in a newline. A server that closed is noticed before anything is sent."""
    if address.udp:
        for each in lines:
            server.send(each)
        return
    if _closed(server):
        raise ConnectionResetError("it closed the connection")
    server.sendall(b"".join(each + b"\n" for each in lines))


def _closed(server: socket.socket) -> bool:
    server.setblocking(False)
    try:
        return server.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    finally:
        server.settimeout(_PATIENCE)
