"""Messages to the workers. A message is a nudge: the row it is about is the truth, and beat sends it again."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import current_app
from kombu import pools
from kombu.exceptions import KombuError

_log = logging.getLogger(__name__)
_TIMEOUT = 0.2
"""Seconds a request may wait for the broker."""
_PAUSE = 10.0
"""Seconds in which a broker that failed is not asked again, so that many requests do not each wait for it."""
_away_until = 0.0


def send(task: str, *args: Any, queue: str = "default") -> bool:
    """Send `task` to `queue`, at best effort: False, quickly and without an error, where the broker is away."""
    global _away_until
    if time.monotonic() < _away_until:
        return False
    try:
        with pools.producers[_connection()].acquire(block=True, timeout=_TIMEOUT) as producer:
            current_app.send_task(task, args=args, queue=queue, producer=producer, retry=False, ignore_result=True)
    except (OSError, KombuError) as error:
        _away_until = time.monotonic() + _PAUSE
        _log.warning("the broker is away, beat will send it: %s", type(error).__name__)
        return False
    return True


def _connection() -> Any:
    """A connection that gives up soon; pools keep one set per equal connection."""
    patience = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT, "max_retries": 0}
    options = {**current_app.conf.broker_transport_options, **patience}
    return current_app.connection_for_write(transport_options=options)


def forgive() -> None:
    """Ask the broker again at once."""
    global _away_until
    _away_until = 0.0
