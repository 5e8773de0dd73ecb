"""A TCP proxy that can misbehave: pass, refuse, swallow, delay, or cut after so many bytes."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from types import TracebackType


class Cutter:
    """Listens on 127.0.0.1:`port` and passes bytes to `target` until told otherwise."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        self.target = target
        self.refusing = False
        self.swallowing = False
        self.delay = 0.0
        self.cut_up_after: int | None = None
        """Bytes from the client, over one connection, after which both ends are reset."""
        self.cut_down_after: int | None = None
        """The same for bytes to the client."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Cutter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                _reset(client)
            else:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
        passed = {client: 0, server: 0}
        try:
            server.connect(self.target)
            while True:
                for source in select.select([client, server], [], [])[0]:
                    goal, limit = (server, self.cut_up_after) if source is client else (client, self.cut_down_after)
                    received = source.recv(65536)
                    if not received:
                        return
                    if self.swallowing:
                        continue
                    time.sleep(self.delay)
                    passed[source] += len(received)
                    if limit is not None and passed[source] >= limit:
                        goal.sendall(received[: len(received) - (passed[source] - limit)])
                        _reset(client)
                        return
                    goal.sendall(received)
        except OSError:
            pass
        finally:
            client.close()
            server.close()


def _reset(connection: socket.socket) -> None:
    """Close with RST, as a vanished peer looks."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
