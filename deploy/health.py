"""Whether a part of the stack is well: exit status 0 or 1. For the health checks of containers."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from pathlib import Path

ANSWER_SECONDS = 5


def answers(socket_path: str, path: str) -> bool:
    """Whether somebody behind the unix socket serves `path` without an error of its own."""
    connection = http.client.HTTPConnection("localhost", timeout=ANSWER_SECONDS)
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(ANSWER_SECONDS)
    try:
        connection.sock.connect(socket_path)
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_fresh(folder: str, seconds: float) -> bool:
    """Whether something in `folder` was written to in the last so many seconds."""
    times = [file.stat().st_mtime for file in Path(folder).glob("*")]
    return bool(times) and time.time() - max(times) < seconds


if __name__ == "__main__":
    what, where, more = sys.argv[1:]
    sys.exit(0 if (answers(where, more) if what == "answers" else is_fresh(where, float(more))) else 1)
