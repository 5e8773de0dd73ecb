"""Whoever is killed, and whenever: no pull is lost, none counts twice."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS, shared_database
from tests.redis import Redis

pytestmark = pytest.mark.stack


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that several processes share."""
    with shared_database(request.param, tmp_path) as url:
        yield url


def run(program: str, database: str, redis: Redis, folder: Path) -> list[int]:
    """The numbers that a program of this folder prints."""
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "harbor.settings",
        "HAVEN_DATA": str(folder),
        "DATABASE_URL": database,
        "REDIS_URL": f"unix://{redis.socket_path}",
    }
    done = subprocess.run([sys.executable, "-m", program], env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4000:]
    return [int(number) for number in done.stdout.split()]


def test_a_flush_killed_at_any_step_loses_nothing_and_doubles_nothing(
    database: str, redis_server: Redis, tmp_path: Path
) -> None:
    deaths, pulls, entries, distinct_entries, counted, distinct_counted = run(
        "tests.audit.flusher", database, redis_server, tmp_path
    )

    assert deaths > 50
    assert entries == distinct_entries == pulls
    assert counted == distinct_counted == pulls
    assert redis_server.call("KEYS haven:pulls*") == b"*0\r\n"
