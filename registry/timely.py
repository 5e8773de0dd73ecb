"""Answers that come in time, or not at all. A time limit for each receiving, which is all that a socket knows, lets a
server hold a connection for ever by a byte now and then."""

from __future__ import annotations

import io
import math
import socket
import time
from http.client import HTTPResponse
from typing import Any


class Timely(HTTPResponse):
    """An answer whose head, and each piece of whose body, comes within the time that one receiving may take; it may
    last twice as long, as the time is looked at between two."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._timeout = sock.gettimeout() or math.inf
        self._received = _Received(self.fp.detach())
        self.fp = io.BufferedReader(self._received)

    def begin(self) -> None:
        self._received.until = time.monotonic() + self._timeout
        super().begin()

    def read1(self, n: int = -1) -> bytes:
        self._received.until = time.monotonic() + self._timeout
        return super().read1(n)


class _Received(io.RawIOBase):
    """What a socket receives, until a moment that is set anew."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self.until = math.inf

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if time.monotonic() > self.until:
            raise TimeoutError("timed out")
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
