"""A process of web: gunicorn's, but what it refuses itself it refuses in the form that the programs of the API read."""

from __future__ import annotations

import json
import logging
import uuid
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

_log = logging.getLogger(__name__)


class Worker(ThreadWorker):  # type: ignore[misc]
    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what never reached the application, such as a header with bytes that none may have (RFC 9110, 5.5)."""
        if isinstance(exc, ParseException):
            _log.info("a request that is none: %s", type(exc).__name__)
            answer = _refusal("400 Bad Request", "BAD_REQUEST", "this request is not as HTTP has it")
        else:
            _log.error("a request could not be answered", exc_info=exc)
            answer = _refusal("500 Internal Server Error", "UNKNOWN", "internal server error")
        with suppress(OSError):  # whoever asked may be gone
            client.sendall(answer)


def _refusal(status: str, code: str, message: str) -> bytes:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode() + b"\n"
    lines = [
        f"HTTP/1.1 {status}",
        "Connection: close",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {uuid.uuid4()}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
