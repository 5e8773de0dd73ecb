"""A TCP proxy that counts what passes, and cuts a connection when it is told to."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK = 256 * 1024


class Proxy:
    """Passes bytes between its port on loopback and `target`.

    `cut_at` (and `cut_down_at`) are totals of bytes upward (downward) at which the connection that carries them is
    reset, each once. `cut_before` and
    `cut_after` are expressions over the head of a request: the connection is reset before the target hears of it, or
    when the target answers, once each.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.up = 0
        self.down = 0
        self.cuts = 0
        self.cut_at: list[int] = []
        self.cut_down_at: list[int] = []
        self.cut_before = ""
        self.cut_after = ""
        self.is_down = False
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self.is_down:
                    raise OSError
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                _reset(client)
                continue
            link = _Link(self, client, server)
            threading.Thread(target=link.upward, daemon=True).start()
            threading.Thread(target=link.downward, daemon=True).start()

    def passes_up(self, data: bytes) -> tuple[int, bool]:
        """How many of these bytes may go, and whether the connection is cut then."""
        with self._lock:
            count = self._until_cut(self.cut_at, self.up, len(data))
            self.up += count
            return count, count < len(data)

    def passes_down(self, data: bytes) -> tuple[int, bool]:
        """The same, downward."""
        with self._lock:
            count = self._until_cut(self.cut_down_at, self.down, len(data))
            self.down += count
            return count, count < len(data)

    def _until_cut(self, due: list[int], passed: int, length: int) -> int:
        for at in due:
            if at < passed + length:
                due.remove(at)
                self.cuts += 1
                return max(at - passed, 0)
        return length

    def matches(self, name: str, data: bytes) -> bool:
        """Whether this is the request to cut at; then it is not again."""
        expression = getattr(self, name)
        if not expression or not re.match(expression.encode(), data):
            return False
        with self._lock:
            setattr(self, name, "")
            self.cuts += 1
        return True


class _Link:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self.proxy = proxy
        self.client = client
        self.server = server
        self.cut_on_answer = False

    def upward(self) -> None:
        with suppress(OSError):
            while data := self.client.recv(BLOCK):
                if self.proxy.matches("cut_before", data):
                    break
                if self.proxy.matches("cut_after", data):
                    self.cut_on_answer = True
                count, cut = self.proxy.passes_up(data)
                self.server.sendall(data[:count])
                if cut:
                    break
        self._end()

    def downward(self) -> None:
        with suppress(OSError):
            while data := self.server.recv(BLOCK):
                if self.cut_on_answer:
                    break
                count, cut = self.proxy.passes_down(data)
                self.client.sendall(data[:count])
                if cut:
                    break
        self._end()

    def _end(self) -> None:
        _reset(self.client)
        _reset(self.server)


def _reset(connection: socket.socket) -> None:
    """Close with RST, as a vanished peer looks."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A proxy for the length of a test."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
