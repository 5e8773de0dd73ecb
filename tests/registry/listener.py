"""A small HTTP server on loopback that answers what a test tells it to, and remembers what came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]


class Listener(ThreadingHTTPServer):
    """`respond` gives the answer for a method and a path; `seen` lists requests as method, path and headers."""

    daemon_threads = True

    def __init__(self, respond: Callable[[str, str], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.respond = respond
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: for the second of two, one side waits 40 ms for the other
    server: Listener

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        status, headers, body = self.server.respond(self.command, self.path)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@contextmanager
def listening(respond: Callable[[str, str], Answer] = lambda method, path: (200, {}, b"hello")) -> Iterator[Listener]:
    """A listener for the length of a test."""
    server = Listener(respond)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
