"""What happened, told to a syslog server: a real socket listens, or none does."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from accounts.actors import SYSTEM
from audit import forwarding
from audit.actions import record
from audit.models import Entry
from audit.pulls import write_down
from audit.store import client
from configuration import values
from tests.audit.test_pulls import record as a_pull

pytestmark = pytest.mark.django_db(transaction=True)
FORM = re.compile(
    r"<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ haven \d+ audit "
    r'\[haven@32473 (?:\w+="(?:[^"\\\]]|\\["\\\]])*" ?)+\] action:\S+, resource:.+'
)


class Server:
    """A syslog server by TCP: everything it was sent."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"127.0.0.1:{self.listener.getsockname()[1]}"
        self.received: list[str] = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer, peer.makefile("r", encoding="utf-8") as lines:
                self.received += [line.rstrip("\n") for line in lines]

    def close(self) -> None:
        with suppress(OSError):  # closed before
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


@pytest.fixture(autouse=True)
def may_be_called(settings: Any) -> None:
    settings.ALLOWED_NETWORKS = ["127.0.0.1"]


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


def waiting() -> int:
    return int(client(1.0).llen(forwarding.QUEUE))


def test_an_entry_is_sent_as_one_line(server: Server) -> None:
    values.set_values({"audit_log_forward_endpoint": server.endpoint})
    record(SYSTEM, "create", "project", 'a "quoted] \\ name\nwith two lines')

    assert waiting() == 1 and Entry.objects.count() == 1  # no request waits for the server
    assert forwarding.send_waiting() == 1
    server.close()
    [line] = server.received
    assert FORM.fullmatch(line), line
    assert 'operator="system"' in line and r"\u000awith two lines" in line
    assert waiting() == 0


def test_pulls_are_sent_too_and_the_database_is_left_out_where_it_is_to_be(server: Server) -> None:
    values.set_values({"audit_log_forward_endpoint": f"tcp://{server.endpoint}", "skip_audit_log_database": True})
    record(SYSTEM, "delete", "project", "old")
    write_down(a_pull())

    assert not Entry.objects.exists()
    assert forwarding.send_waiting() == 2
    server.close()
    assert [line.rpartition("action:")[2] for line in server.received] == [
        "delete, resource:old",
        "pull, resource:library/web:v1",
    ]


def test_a_dead_server_loses_nothing_and_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    values.set_values({"audit_log_forward_endpoint": f"127.0.0.1:{port}"})
    record(SYSTEM, "create", "project", "kept")
    with caplog.at_level(logging.WARNING):
        assert forwarding.send_waiting() == 0
    assert waiting() == 1 and "does not take entries, 1 wait" in caplog.text

    server = Server()
    values.set_values({"audit_log_forward_endpoint": server.endpoint})
    assert forwarding.send_waiting() == 1
    server.close()
    assert server.received[0].endswith("resource:kept")


def test_what_waits_is_bounded_and_the_rest_is_told_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    values.set_values({"audit_log_forward_endpoint": "127.0.0.1:9"})
    client(5.0).rpush(forwarding.QUEUE, *["x"] * (forwarding.MOST - 1))
    with caplog.at_level(logging.ERROR):
        record(SYSTEM, "create", "project", "fits")
        record(SYSTEM, "create", "project", "too many")
    assert waiting() == forwarding.MOST
    assert "too many wait already" in caplog.text
    assert "resource:too many" in caplog.text and "resource:fits" not in caplog.text


def test_without_redis_the_entry_is_told_to_the_log(no_redis: None, caplog: pytest.LogCaptureFixture) -> None:
    values.set_values({"audit_log_forward_endpoint": "127.0.0.1:9"})
    with caplog.at_level(logging.ERROR):
        record(SYSTEM, "create", "project", "alone")
    assert Entry.objects.count() == 1 and "resource:alone" in caplog.text


def test_by_udp_a_line_is_a_datagram() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        values.set_values({"audit_log_forward_endpoint": f"udp://127.0.0.1:{listener.getsockname()[1]}"})
        record(SYSTEM, "create", "project", "one")
        record(SYSTEM, "create", "project", "two")
        assert forwarding.send_waiting() == 2
        lines = [listener.recv(4096).decode() for _ in range(2)]
    assert [FORM.fullmatch(line) is not None for line in lines] == [True, True]


def test_a_private_address_needs_the_operators_word(
    server: Server, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ALLOWED_NETWORKS = []
    port = server.endpoint.partition(":")[2]
    for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"):
        values.set_values({"audit_log_forward_endpoint": f"{host}:{port}"})
        record(SYSTEM, "create", "project", "kept")
        with caplog.at_level(logging.WARNING):
            assert forwarding.send_waiting() == 0, host
        assert "HAVEN_ALLOWED_NETWORKS" in caplog.text, host
        caplog.clear()
    assert waiting() == 5 and server.received == []

    monkeypatch.setenv("AUDIT_LOG_FORWARD_ENDPOINT", server.endpoint)
    values.fixed.cache_clear()
    values.forget()
    try:
        assert forwarding.send_waiting() == 5
    finally:
        monkeypatch.undo()
        values.fixed.cache_clear()
        values.forget()


def test_nothing_waits_where_nothing_is_forwarded_or_the_type_is_disabled(server: Server) -> None:
    record(SYSTEM, "create", "project", "quiet")
    values.set_values(
        {"audit_log_forward_endpoint": server.endpoint, "disabled_audit_log_event_types": "create_project"}
    )
    record(SYSTEM, "create", "project", "disabled")
    assert waiting() == 0
    assert [entry.resource for entry in Entry.objects.all()] == ["quiet"]


@pytest.mark.parametrize(
    ("endpoint", "known"),
    [
        ("logs.haven.test:514", ("logs.haven.test", 514, False)),
        ("tcp://[::1]:601", ("::1", 601, False)),
        ("udp://10.0.0.1:514", ("10.0.0.1", 514, True)),
        ("logs.haven.test", None),
        ("http://logs.haven.test:80", None),
        ("a:b:c", None),
    ],
)
def test_addresses(endpoint: str, known: tuple[str, int, bool] | None) -> None:
    if known is None:
        with pytest.raises(ValueError):
            forwarding.Address.of(endpoint)
    else:
        assert forwarding.Address.of(endpoint) == forwarding.Address(*known)
