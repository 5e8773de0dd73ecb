from __future__ import annotations

import os
import random
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.edge import Edge
from tests import processes
from tests.deploy.standin import Reply, StandIn
from tests.stack.stack import free_port


class RunningEdge:
    """nginx with the generated configuration, in front of a stand-in web and a stand-in registry."""

    def __init__(self, external_url: str = "http://registry.example:8443", loopback: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-edge-"))
        self.address = f"127.{random.randrange(1, 255)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        """An address of our own: on 127.0.0.1 another program may take a free port before nginx has it."""
        self.port = free_port()
        self.web = StandIn(self.folder / "web.sock", lambda _: Reply(200, body=b"web"))
        self.registry = StandIn(self.folder / "registry.sock", lambda _: Reply(200, body=b"registry"))
        self.log = self.folder / "log"
        edge = Edge(
            listen=f"{self.address}:{self.port}",
            external_url=external_url,
            web=f"unix:{self.folder}/web.sock",
            registry=f"unix:{self.folder}/registry.sock",
            folder=self.folder,
            access_log=str(self.folder / "access.log"),
            error_log="stderr",
            loopback=loopback,
            workers=1,
            files=1024,
            user="root" if os.geteuid() == 0 else "",
        )
        configuration = self.folder / "nginx.conf"
        configuration.write_text(edge.configuration())
        self.process = processes.start(["nginx", "-e", "stderr", "-c", str(configuration)], self.log)
        processes.wait_until(self._listens, "nginx", log=self.log)

    def forget(self) -> None:
        """As it was at first: nothing seen, the usual answers."""
        for server, word in ((self.web, b"web"), (self.registry, b"registry")):
            server.seen.clear()
            server.heads.clear()
            server.reads = True
            server.answer = lambda _, body=word: Reply(200, body=body)  # type: ignore[misc]

    def raw(self, request: bytes, wait: float = 10) -> bytes:
        """What comes back for exactly these bytes, until the edge closes or the answer is whole."""
        with socket.create_connection((self.address, self.port), wait) as connection:
            connection.sendall(request)
            received = b""
            while not _is_whole(request, received) and (part := connection.recv(65536)):
                received += part
        return received

    def ask(self, method: str, target: str, *headers: str, body: bytes = b"", host: str = "registry.example") -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return self.raw("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def remove(self) -> None:
        processes.stop(self.process)
        self.web.close()
        self.registry.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.address, self.port), 1).close()
        except OSError:
            return False
        return True


def _is_whole(request: bytes, answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(end and length and len(body) >= int(length[1])) and not request.startswith(b"HEAD")


@pytest.fixture(scope="session")
def _running_edge() -> Iterator[RunningEdge]:
    edge = RunningEdge()
    yield edge
    edge.remove()


@pytest.fixture
def edge(_running_edge: RunningEdge) -> RunningEdge:
    _running_edge.forget()
    return _running_edge
