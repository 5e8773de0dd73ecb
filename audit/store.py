"""Redis, as far as the audit log cares: lists of what waits to be written down, or to be sent."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry


@cache
def client(timeout: float) -> redis.Redis:
    """Redis, with a patience of `timeout` seconds and without second tries."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
