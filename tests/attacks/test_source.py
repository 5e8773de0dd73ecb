"""What must not stand in the source at all."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.cache import caches
from kombu import serialization
from kombu.exceptions import ContentDisallowed

from deploy.registry import Registry
from harbor import environment
from tests.redis import Redis
from tests.test_architecture import APPS, nodes, short, sources, text_of

SHIPPED = sources(*APPS, "harbor", "registry", "deploy")
SECRET = re.compile(r"(^|_)(secret|password|token|signature|mac|hmac|key_digest|secret_digest)($|_)")


PUBLIC = re.compile(r"[!=]= (''|[A-Z_]+)$")
"""Nothing, or a constant that everybody knows."""


def imports(path: Path) -> set[str]:
    """The modules that are imported, and who they belong to."""
    plain = {alias.name for node in nodes(path) if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes(path) if isinstance(node, ast.ImportFrom)}


def calls(path: Path) -> set[str]:
    """The names of the functions that are called."""
    called = (node.func for node in nodes(path) if isinstance(node, ast.Call))
    return {function.id for function in called if isinstance(function, ast.Name)}


def test_nothing_is_unpickled_or_evaluated() -> None:
    pickles = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle"}
    evaluators = {"eval", "exec", "compile", "__import__"}
    assert {short(path): found for path in SHIPPED if (found := imports(path) & pickles)} == {}
    assert {short(path): found for path in SHIPPED if (found := calls(path) & evaluators)} == {}
    assert [short(path) for path in SHIPPED if re.search(r"yaml\.(unsafe_|full_)?load\(", text_of(path))] == []


def test_no_shell_is_asked() -> None:
    words = ("shell=True", "os.system(", "os.popen(")
    assert [(short(path), word) for path in SHIPPED for word in words if word in text_of(path)] == []


def test_secrets_are_not_compared_letter_by_letter() -> None:
    """`==` tells by its time how much was right; `hmac.compare_digest` does not."""
    compared = [
        (short(path), ast.unparse(node))
        for path in SHIPPED
        for node in nodes(path)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)
        for side in (node.left, *node.comparators)
        if SECRET.search(ast.unparse(side).rpartition(".")[2])
    ]
    assert [(path, text) for path, text in compared if not PUBLIC.search(text)] == []


def test_sql_is_not_made_from_texts() -> None:
    """A statement may be built from our own column names; what was asked for is always a parameter."""
    called = [(path, node) for path in SHIPPED for node in nodes(path) if isinstance(node, ast.Call)]
    made = [
        (short(path), ast.unparse(node))
        for path, node in called
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("raw", "extra")
        if any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in node.args)
    ]
    assert made == []


def test_the_queue_speaks_json_alone() -> None:
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
    read: Any = serialization.loads
    with pytest.raises(ContentDisallowed):
        read(b"\x80\x04N.", "application/x-python-serialize", "binary", accept=set(settings.CELERY_ACCEPT_CONTENT))


def test_what_stands_in_redis_is_not_run(redis_server: Redis, tmp_path: Path) -> None:
    """A pickle that would make a file, under a key of ours: it is as if it were not there."""
    mark = tmp_path / "mark"
    pickled = f"cposix\nsystem\n(S'touch {mark}'\ntR."
    cache = caches["default"]
    cache.set("known", "before", 60)
    key = cache.make_key("known")
    lines = pickled.encode()
    command = f"*3\r\n$3\r\nSET\r\n${len(key)}\r\n{key}\r\n${len(lines)}\r\n".encode() + lines
    redis_server.call(command.decode("latin-1"))

    assert cache.get("known") is None
    assert not mark.exists()


def test_numbers_in_redis_can_be_counted() -> None:
    cache = caches["default"]
    cache.set("count", 1, 60)
    cache.set("moment", 1.5, 60)

    assert cache.incr("count") == 2
    assert cache.get_many(["count", "moment"]) == {"count": 2, "moment": 1.5}


def test_sessions_are_rows_and_json() -> None:
    assert settings.SESSION_ENGINE == "django.contrib.sessions.backends.db"
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"


@pytest.mark.parametrize("generation", [2, 3])
def test_the_registry_neither_caches_descriptors_nor_proxies(generation: int, tmp_path: Path) -> None:
    registry = Registry(
        generation=generation,
        address=":5000",
        secret="s",
        realm="https://haven.test/service/token",
        service="harbor-registry",
        issuer="harbor-token-issuer",
        keys=tmp_path,
        storage={"filesystem": {"rootdirectory": str(tmp_path)}},
    )

    written = yaml.safe_load(registry.configuration())

    assert "cache" not in written["storage"]
    assert "proxy" not in written
    assert written["storage"]["delete"] == {"enabled": True}
    assert written["http"]["relativeurls"] is True
    assert written["http"]["secret"] == "s"
    assert written["http"]["draintimeout"]
    assert written["validation"]["manifests"]["urls"]["allow"]
    assert written["auth"]["token"]["realm"] == "https://haven.test/service/token"


def test_without_a_key_nothing_starts(tmp_path: Path) -> None:
    env = os.environ | {"SECRET_KEY": "", "DJANGO_SETTINGS_MODULE": "harbor.settings", "HAVEN_DATA": str(tmp_path)}
    started = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"], env=env, capture_output=True, text=True, check=False
    )

    assert started.returncode != 0
    assert "SECRET_KEY" in started.stderr


def test_no_known_or_short_key_is_taken() -> None:
    for key in ("", "changeme", "secret" * 10, "x" * 16, "django-insecure-" + "x" * 60, "not-a-secure-key"):
        with pytest.raises(environment.Unusable, match="SECRET_KEY"):
            environment.secret_key(key)
