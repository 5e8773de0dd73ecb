"""A part that hangs: whoever does not need it goes on, whoever does gets an answer in time."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.test_kills import people as people
from tests.stack import content
from tests.stack.people import People

pytestmark = pytest.mark.stack

IMAGE = content.image(text="served in silence")


@contextmanager
def frozen(people: People, name: str) -> Iterator[None]:
    pids = people.stack.pids(name)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        people.stack.wait_ready()


def test_registry_hangs(people: People) -> None:
    developer = people.client("developer")
    assert developer.push("private/silence", "1", IMAGE).status == 201

    with frozen(people, "registry"):
        began = time.monotonic()
        assert developer.pull("private/silence", "1").content == IMAGE.content
        assert people.client("developer").api("GET", "/projects/private").status == 200
        assert time.monotonic() - began < 3

        other = content.image(text="cannot be put")
        answer = developer.put_manifest("private/silence", "2", other)
        assert answer.status in (400, 404, 503, 504), answer
        health = people.client("anonymous").send("GET", "/api/v2.0/health")
        assert health.json["status"] == "unhealthy"
        assert {part["name"]: part["status"] for part in health.json["components"]}["registry"] == "unhealthy"
        assert time.monotonic() - began < 45

    assert developer.push("private/silence", "2", other).status == 201
    people.stack.manage("fsck")


def test_redis_hangs(people: People) -> None:
    """Logging in, pushing and pulling do without it."""
    with frozen(people, "redis"):
        began = time.monotonic()
        developer = people.client("developer")
        assert developer.push("private/without-redis", "1", IMAGE).status == 201
        assert developer.pull("private/without-redis", "1").status == 200
        assert people.client("developer").api("GET", "/projects/private").status == 200
        assert time.monotonic() - began < 15

    assert developer.pull("private/without-redis", "1").status == 200
    people.stack.manage("fsck")
