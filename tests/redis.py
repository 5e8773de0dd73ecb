"""A Redis of the test's own, on a unix socket."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

from tests import processes


class Redis:
    """A redis-server that listens on `socket_path` alone; what it holds outlives a restart."""

    def __init__(self, socket_path: Path) -> None:
        self.socket_path = socket_path
        self.folder = Path(tempfile.mkdtemp(prefix="haven-redis-"))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        log = self.folder / "log"
        command = [
            *("redis-server", "--port", "0", "--unixsocket", str(self.socket_path), "--unixsocketperm", "700"),
            *("--dir", str(self.folder), "--save", "", "--appendonly", "yes", "--appendfsync", "everysec"),
        ]
        self.process = processes.start(command, log)
        processes.wait_until(self.answers, "redis", log=log)

    def stop(self) -> None:
        if self.process:
            processes.stop(self.process)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def empty(self) -> bool:
        """Forget all that is held; False if nobody listens."""
        return self.call("FLUSHALL ASYNC") == b"+OK\r\n"

    def answers(self) -> bool:
        return self.call("PING") == b"+PONG\r\n"

    def call(self, command: str) -> bytes:
        """The raw answer to an inline command; nothing when nobody listens."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(4096)
            except OSError:
                return b""
