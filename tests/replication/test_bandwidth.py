"""A rule's speed over all workers."""

from __future__ import annotations

import threading
import time

import pytest

from replication import bandwidth
from replication.bandwidth import Bucket
from tests.redis import Redis

RATE = 1_000_000


@pytest.fixture(autouse=True)
def _forgiven() -> None:
    bandwidth._away_until = 0.0


def moved_in(seconds: float, workers: int, policy: int) -> int:
    """Bytes that so many workers move, each with a bucket of its own for the same rule."""
    moved = [0] * workers
    end = time.monotonic() + seconds

    def work(number: int) -> None:
        bucket = Bucket(policy, RATE)
        while time.monotonic() < end:
            time.sleep(bucket.take(20_000))
            if time.monotonic() < end:
                moved[number] += 20_000

    threads = [threading.Thread(target=work, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(moved)


def test_four_workers_keep_to_one_speed_together() -> None:
    burst = RATE * bandwidth.BURST
    assert RATE * 2 * 0.85 <= moved_in(2.0, 4, policy=1) <= RATE * 2 * 1.05 + burst


def test_each_rule_has_a_speed_of_its_own() -> None:
    assert Bucket(2, RATE).take(RATE * 5) > 4
    assert Bucket(3, RATE).take(10_000) == 0


def test_a_redis_that_is_away_or_was_emptied_stops_nobody(redis_server: Redis) -> None:
    bucket = Bucket(4, RATE)
    assert bucket.take(RATE * 3) > 2
    redis_server.stop()
    assert bucket.take(RATE) < 1.1
    assert 0.7 < bucket.take(RATE) < 2.1
    redis_server.start()
    bandwidth._away_until = 0.0
    redis_server.call("FLUSHALL")
    assert bucket.take(RATE * 2) > 1.5
