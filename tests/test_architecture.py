"""The house's rules: who writes, how long things are, what they are called, and that names mean something."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings
from django.utils.module_loading import import_string

ROOT = Path(__file__).resolve().parent.parent
EDGES = ("api", "gateway", "portal", "tokens")
DOMAIN = ("configuration", "audit", "jobs", "accounts", "projects", "robots", "artifacts", "replication")
APPS = (*DOMAIN, *EDGES)
PACKAGES = (*APPS, "harbor", "registry", "deploy", "bench", "tests")
OWN_FILES = ("**/*.py", "templates/**/*.html", "static/portal/*.js", "static/portal/*.css", "deploy/**/*", "bin/*")

WRITES = {"save", "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}
LAYERS = (
    {"models"},
    {"permissions"},
    {"actions"},
    {"tasks", "subscribers", "views", "admin", "management"},
    {"urls"},
)
"""Inside an app, from the bottom: a module imports none that stands higher."""


def sources(*packages: str) -> list[Path]:
    """The Python files of these packages, generated migrations left out."""
    found = (path for package in packages for path in sorted((ROOT / package).rglob("*.py")))
    return [path for path in found if "migrations" not in path.parts]


@cache
def text_of(path: Path) -> str:
    return path.read_text()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(text_of(path), filename=str(path))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Every node of the file, in no order."""
    return list(ast.walk(parsed(path)))


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def writes(found: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Calls that look like a write to the database."""
    for node in found:
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in WRITES and ast.unparse(node.func.value) != "locals()":  # a class body that fills itself
            yield node


def test_an_edge_does_not_write() -> None:
    calls = [(path, call) for path in sources(*EDGES) for call in writes(nodes(path))]
    assert [f"{short(path)}:{call.lineno}: {ast.unparse(call)[:90]}" for path, call in calls] == []


def test_an_edge_does_not_write_sql_either() -> None:
    words = ("INSERT INTO ", "UPDATE ", "DELETE FROM ")
    constants = [(path, node) for path in sources(*EDGES) for node in nodes(path) if isinstance(node, ast.Constant)]
    texts = [(short(path), node.value) for path, node in constants if isinstance(node.value, str)]
    assert [(path, text) for path, text in texts if text.lstrip().startswith(words)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("user.save()", 1),
        ("Project.objects.filter(pk=1).update(name='x')", 1),
        ("Tag.objects.get_or_create(name=name)", 1),
        ("actions.create_project(actor, name='x')", 0),
    ],
)
def test_a_write_is_seen(source: str, found: int) -> None:
    assert len(list(writes(ast.walk(ast.parse(source))))) == found


def test_a_function_has_at_most_40_lines() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    functions = [(path, node) for path in sources(*PACKAGES) for node in nodes(path) if isinstance(node, kinds)]
    lengths = [(short(path), node.name, (node.end_lineno or 0) - node.lineno + 1) for path, node in functions]
    assert [found for found in lengths if found[-1] > 40] == []


def test_a_file_has_at_most_400_lines() -> None:
    files = {path for pattern in OWN_FILES for path in ROOT.glob(pattern) if path.is_file()}
    own = [path for path in files if not {".venv", "var", "migrations", "__pycache__"} & set(path.parts)]
    lengths = {short(path): len(path.read_bytes().splitlines()) for path in own}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    meaningless = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
    assert [short(path) for path in sources(*PACKAGES) if {path.stem, path.parent.name} & meaningless] == []


def test_inside_an_app_imports_point_down() -> None:
    assert {short(path): names for path in sources(*DOMAIN) if (names := list(_upward(path)))} == {}


def _upward(path: Path) -> Iterator[str]:
    """What a file of an app imports from further up in the same app."""
    app, *rest = path.relative_to(ROOT).with_suffix("").parts
    own = _layer(rest[0])
    return (name for name in _imports(nodes(path), app) if own is not None and (_layer(name) or 0) > own)


def _layer(module: str) -> int | None:
    return next((number for number, names in enumerate(LAYERS) if module in names), None)


def _imports(found: Iterable[ast.AST], app: str) -> Iterator[str]:
    """The modules of `app` that are imported here, by their first name below the app."""
    for node in found:
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == app:
                yield from parts[1:2] or [alias.name for alias in node.names]


def test_nothing_happens_by_a_model_signal() -> None:
    found = sources(*APPS, "harbor")
    assert [short(path) for path in found if "django.db.models.signals" in text_of(path)] == []


def test_every_subscriber_is_a_function_that_exists() -> None:
    for names in settings.SUBSCRIBERS.values():
        for name in names:
            assert callable(import_string(name)), name


@pytest.mark.parametrize("kind", settings.JOB_KINDS)
def test_every_kind_of_job_is_done_by_a_function_that_exists(kind: str) -> None:
    assert callable(import_string(settings.JOB_KINDS[kind]))


def test_what_haven_schedules_for_itself_is_a_kind_of_job() -> None:
    assert set(settings.OWN_SCHEDULES) | set(settings.JOB_QUEUES) <= set(settings.JOB_KINDS)


@pytest.mark.parametrize("name", settings.CELERY_BEAT_SCHEDULE)
def test_what_beat_sends_is_a_task(name: str) -> None:
    current_app.loader.import_default_modules()
    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in current_app.tasks


def test_no_test_is_left_out_and_nothing_is_put_off() -> None:
    marks = [f"pytest.mark.{'sk' + 'ip'}", f"pytest.{'sk' + 'ip'}(", "x" + "fail"]
    words = [*marks, "TO" + "DO", "FIX" + "ME"]
    found = [(short(path), word) for path in sources(*PACKAGES) for word in words if word in text_of(path)]
    assert found == []
