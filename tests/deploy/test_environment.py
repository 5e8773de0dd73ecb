"""Addresses as operators write them, and as Django and Celery want them."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from harbor import environment
from harbor.environment import Unusable

DATA = Path("/data")


def test_sqlite_is_the_default_and_waits_its_turn() -> None:
    entry = environment.database("", DATA)
    assert entry["NAME"] == "/data/haven.sqlite3"
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]
    assert "synchronous=NORMAL" in entry["OPTIONS"]["init_command"]


def test_postgresql() -> None:
    entry = environment.database("postgres://ha%40ven:p%2Fw@db.example:5433/haven?sslmode=require", DATA, 10)
    assert [entry[key] for key in ("USER", "PASSWORD", "HOST", "PORT", "NAME")] == [
        "ha@ven",
        "p/w",
        "db.example",
        5433,
        "haven",
    ]
    assert entry["OPTIONS"]["sslmode"] == "require"
    assert entry["OPTIONS"]["options"] == "-c statement_timeout=10s"
    assert entry["CONN_MAX_AGE"] is None and entry["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize(("given", "limit"), [({}, "10s"), ({"DATABASE_STATEMENT_TIMEOUT": "3"}, "3s")])
def test_queries_of_web_alone_have_a_limit(given: dict[str, str], limit: str) -> None:
    """A migration, a worker's purge or a command takes as long as it takes, though the limit is in the environment."""
    told = dict(pair.split("=") for pair in runpy.run_path("deploy/web.py")["raw_env"])
    seen = "from harbor.settings import DATABASES; print(DATABASES['default']['OPTIONS'].get('options'))"
    for more, expected in ((told, f"-c statement_timeout={limit}"), ({}, "None")):
        environ = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgres://haven@db/haven"} | given | more
        environ["SECRET_KEY"] = "of the tests, long enough for every check"
        found = subprocess.run([sys.executable, "-c", seen], env=environ, capture_output=True, text=True, check=True)
        assert found.stdout.strip() == expected


@pytest.mark.parametrize("url", ["postgres://haven@%2FTmp%2FPg/haven", "postgresql:///haven?host=/Tmp/Pg&user=haven"])
def test_postgresql_on_a_socket(url: str) -> None:
    assert environment.database(url, DATA)["HOST"] == "/Tmp/Pg"


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("redis://:pw@redis:6379/2", "redis://:pw@redis:6379/2"),
        ("unix:///run/haven/redis.sock", "redis+socket:///run/haven/redis.sock?virtual_host=0"),
        ("unix:///run/r.sock?db=3&password=p%26w", "redis+socket:///run/r.sock?virtual_host=3&password=p%26w"),
    ],
)
def test_the_broker_is_the_same_redis(url: str, broker: str) -> None:
    assert environment.broker(environment.redis(url)) == broker


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("https://Registry.Example/", "https://registry.example"),
        ("https://registry.example:443", "https://registry.example"),
        ("http://registry.example:80", "http://registry.example"),
        ("https://registry.example:8443", "https://registry.example:8443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
    ],
)
def test_the_external_url_in_one_form(given: str, url: str) -> None:
    assert environment.external_url(given) == url


@pytest.mark.parametrize("level", ["LOUD", "5"])
def test_an_unknown_log_level(level: str) -> None:
    with pytest.raises(Unusable, match="HAVEN_LOG_LEVEL"):
        environment.log_level(level)


def test_files_give_way_to_what_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets.env").write_text("# kept\nSECRET_KEY='from the file'\nREDIS_URL=redis://file\n\nnonsense\n")
    (tmp_path / "stack.env").write_text("REGISTRY_URL=http://registry:5000\n")
    monkeypatch.setenv("HAVEN_DATA", str(tmp_path))
    monkeypatch.setenv("REDIS_URL", "redis://set")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    monkeypatch.delenv("REGISTRY_URL", raising=False)
    environment.load_files()
    found = {key: os.environ[key] for key in ("SECRET_KEY", "REDIS_URL", "REGISTRY_URL")}
    assert found == {"SECRET_KEY": "from the file", "REDIS_URL": "redis://set", "REGISTRY_URL": "http://registry:5000"}
