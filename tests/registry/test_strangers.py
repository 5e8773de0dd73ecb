"""Servers that want to hold us, or to make us fall over: each answer is either read or refused."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from registry import http
from registry.auth import Credentials
from registry.client import Registry
from registry.errors import RegistryError, Unavailable
from tests.registry.listener import Answer, listening

MANY = "9" * 5000
"""More digits than Python reads as a number."""


@contextmanager
def dripping(head: bytes, drop: bytes = b"a", status: bytes = b"200 OK") -> Iterator[str]:
    """A server that says `head` and then `drop` every tenth of a second."""
    server = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve() -> None:
        connection, _ = server.accept()
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 " + status + b"\r\n" + head)
        while not over.wait(0.1):
            try:
                connection.sendall(drop)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        over.set()
        server.close()


@pytest.mark.parametrize("head", [b"Content-Length: 60000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nffff\r\n"])
def test_a_body_that_drips_holds_nobody(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "WHOLE_BODY_TIMEOUT", 0.4)
    monkeypatch.setattr(http, "REST_TIMEOUT", 0.4)
    session = http.session(allow=["127.0.0.1"])
    with dripping(head) as url:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="in time"):
            http.read(session.ask("GET", url), 100_000)
        assert time.monotonic() - began < 3
    with dripping(head) as url:
        began = time.monotonic()
        with http.closing(session.ask("GET", url)):
            pass
        assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("status", "drop"),
    [
        (b"200 OK", b"a"),
        (b"200 OK", b"X-Drop: a\r\n"),
        (b"100 Continue", b"\r\nHTTP/1.1 100 Continue\r\n"),
    ],
)
def test_a_head_that_drips_holds_nobody(status: bytes, drop: bytes) -> None:
    session = http.session(allow=["127.0.0.1"], timeout=(1.0, 0.5))
    with dripping(b"", drop, status) as url:
        began = time.monotonic()
        with pytest.raises(Unavailable, match="in time"):
            session.ask("GET", url)
        assert time.monotonic() - began < 3


def test_the_length_of_a_chunk_that_drips_holds_nobody() -> None:
    session = http.session(allow=["127.0.0.1"], timeout=(1.0, 0.5))
    with dripping(b"Transfer-Encoding: chunked\r\n\r\n5;") as url:
        answer = session.ask("GET", url)
        began = time.monotonic()
        with pytest.raises(Unavailable, match="broke off"):
            http.read_some(answer, 1000)
        assert time.monotonic() - began < 3


def asked(answer: Answer) -> str:
    """What comes of a registry that answers everything so; empty for nothing bad."""
    with listening(lambda method, path: answer) as listener:
        session = http.session(allow=["127.0.0.1"], timeout=(1.0, 1.0))
        registry = Registry(listener.url, session, Credentials(listener.url, session, "me", "secret"))
        try:
            registry.ping()
            registry.head_blob("library/app", f"sha256:{'a' * 64}")
        except RegistryError as error:
            return error.message
    return ""


def test_numbers_without_end_are_no_numbers() -> None:
    assert asked((200, {"Content-Length": MANY}, b""))
    assert asked((503, {"Retry-After": MANY}, b"{}"))
    with listening(lambda method, path: (200, {}, b'{"token": "t", "expires_in": %s}' % MANY[:4000].encode())) as realm:
        challenge = {"WWW-Authenticate": f'Bearer realm="{realm.url}"'}
        assert "log in" in asked((401, challenge, b""))


def test_words_of_strangers_are_one_line() -> None:
    """No database keeps a NUL, or half of a surrogate pair."""
    body = rb'{"errors": [{"code": "DENIED\u0000", "message": "a\u0000b\ud800c\nd\u001b[31m"}]}'
    assert asked((403, {}, body)) == "a b c d [31m"
