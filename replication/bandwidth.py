"""A rule's bandwidth, over all workers: one bucket in Redis for each rule.

What is kept is the moment at which everything taken so far will have gone at the rule's speed; who takes more moves it
on and waits until it is his turn. Redis' own clock counts, so workers' clocks may differ. A Redis that is away or was
emptied forgets at most the burst: meanwhile each worker process keeps to the rule's speed by itself.
"""

from __future__ import annotations

import threading
import time

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

BURST = 0.25
"""Seconds of the rule's speed that may go at once after a silence."""
LONGEST_DEBT = 60.0
"""Seconds that may be promised ahead: nobody who has gone by then holds up the others for longer."""
PAUSE = 1.0
"""Seconds for which a Redis that failed is left alone."""
TIMEOUT = 0.5
KEY = "haven:replication:speed:{}"

TAKE = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local rate, count, burst, debt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local done = tonumber(redis.call('GET', KEYS[1]) or 0)
if done > now + debt then done = now end
done = math.max(done, now - burst) + count / rate
redis.call('SET', KEYS[1], string.format('%.6f', done), 'EX', 120)
return string.format('%.6f', math.max(done - now, 0))
"""


class Bucket:
    """The bucket of one rule, at `rate` bytes a second. Safe to use from several threads."""

    def __init__(self, policy_id: int, rate: int) -> None:
        self.rate = rate
        self._key = KEY.format(policy_id)

    def take(self, count: int) -> float:
        """Take `count` bytes; seconds to wait before they may go."""
        global _away_until
        if time.monotonic() >= _away_until:
            try:
                return float(_script()(keys=[self._key], args=[self.rate, count, BURST, LONGEST_DEBT]))
            except redis.RedisError:
                _away_until = time.monotonic() + PAUSE
        return _take_alone(self._key, self.rate, count)


_away_until = 0.0
_lock = threading.Lock()
_own: dict[str, float] = {}
"""What Redis would keep, by this process's own clock."""
_scripts: dict[str, redis.commands.core.Script] = {}


def _script() -> redis.commands.core.Script:
    url = settings.REDIS_URL
    if url not in _scripts:
        retry = Retry(NoBackoff(), 1)  # a connection that a restarted Redis has closed is no failure
        client = redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, retry=retry)
        _scripts[url] = client.register_script(TAKE)
    return _scripts[url]


def _take_alone(key: str, rate: int, count: int) -> float:
    with _lock:
        now = time.monotonic()
        done = max(_own.get(key, 0.0), now - BURST) + count / rate
        _own[key] = done
        return max(done - now, 0.0)
