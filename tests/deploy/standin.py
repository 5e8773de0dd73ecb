"""Stand-ins for what is behind the edge: servers on unix sockets that write down what reached them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Seen:
    """A request as it arrived, byte for byte."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass
class Reply:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class StandIn:
    """Answers every request with what `answer` says, and keeps it in `seen`; `heads` counts requests not yet read."""

    def __init__(self, path: Path, answer: Callable[[Seen], Reply]) -> None:
        self.answer = answer
        self.reads = True
        """Whether it reads a body before it answers; if not, it closes after the answer."""
        self.seen: list[Seen] = []
        self.heads: list[Seen] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(128)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, EOFError), connection.makefile("rb") as stream:
            while request := self._head(stream.readline):
                self.heads.append(request)
                if self.reads:
                    request.body = _body(stream, request.headers)
                self.seen.append(request)
                reply = self.answer(request)
                lines = [f"HTTP/1.1 {reply.status} Fine", *(f"{key}: {value}" for key, value in reply.headers.items())]
                if "Content-Length" not in reply.headers:
                    lines.append(f"Content-Length: {len(reply.body)}")
                body = b"" if request.method == "HEAD" else reply.body
                connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
                if not self.reads:
                    return

    @staticmethod
    def _head(readline: Callable[[], bytes]) -> Seen | None:
        first = readline().decode("latin-1").rstrip("\r\n")
        if not first:
            return None
        method, _, rest = first.partition(" ")
        headers = {}
        while line := readline().decode("latin-1").rstrip("\r\n"):
            key, _, value = line.partition(":")
            headers[key.lower()] = value.strip()
        return Seen(method, rest.rpartition(" ")[0], headers)


def _body(stream: object, headers: dict[str, str]) -> bytes:
    read, readline = stream.read, stream.readline  # type: ignore[attr-defined]
    if headers.get("transfer-encoding") == "chunked":
        content = b""
        while size := int(readline().strip() or b"0", 16):
            content += read(size)
            readline()
        readline()
        return content
    length = int(headers.get("content-length", "0"))
    content = read(length)
    if len(content) < length:
        raise EOFError
    return bytes(content)
