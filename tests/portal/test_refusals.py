"""Every refusal of the domain that a page can show is known to the portal in Chinese: read from where it is raised."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.utils import translation

from accounts.rules import RESERVED_NAMES
from portal.sentences import said
from projects import quotas
from tests.cast import PASSWORD
from tests.portal.conftest import Reader, Scene
from tests.portal.visits import places
from tests.settings import BASE_DIR

APPS = ("accounts", "artifacts", "audit", "configuration", "jobs", "projects", "replication", "robots")
SHOWN = ("BadRequest", "Conflict", "Denied", "PreconditionFailed")
"""What `portal.answers` shows the sentence of; these are classes of `accounts.errors`."""
OWN = {
    "accounts/ldap/directory.py": "DirectoryError",
    "accounts/oidc/provider.py": "ProviderAway",
    "replication/patterns.py": "PatternInvalid",
}
"""Errors of one module that a page shows too."""
LETTER = "7"
"""Stands for what a placeholder holds: it is a name and a number alike."""
UNSEEN = {
    "str(error)": "the pages of the configuration and of the purge have a sentence of their own for a wrong value",
    "reason": "one of the others, remembered",
    "7 7": "a key and what is wrong with it: pages ask for no key",
    "7 is not a key of a project's metadata": "pages ask for no key",
    "the retention policy of a project is not set at its creation": "pages do not set it",
    "the action is not supported": "of the API's own body",
    "audit_retention_hour should provide": "of the API's own body",
    "include_event_types should provide": "of the API's own body",
    "audit_retention_hour is a number up to 7": "of the API's own body",
    "include_event_types is text, names separated by commas; dry_run is true or false": "of the API's own body",
}
HAN = re.compile(r"[\u4e00-\u9fff]")


def sentences() -> Iterator[tuple[str, str]]:
    """Where a refusal is raised that a page can show, and its sentence."""
    for app in APPS:
        for path in sorted((BASE_DIR / app).rglob("*.py")):
            name = path.relative_to(BASE_DIR).as_posix()
            if not {"migrations", "management"} & set(path.parts):
                yield from ((f"{name}: {sentence}", sentence) for sentence in _raised(path, name))


def _raised(path: Path, name: str) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "accounts.errors"]
    known = {alias.asname or alias.name for node in imports for alias in node.names if alias.name in SHOWN}
    known |= {OWN[name]} if name in OWN else set()
    module = importlib.import_module(name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known:
            yield _sentence(module, node.args[0]) if node.args else getattr(module, node.func.id).default_message
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name) and node.exc.id in known:
            yield getattr(module, node.exc.id).default_message


def _sentence(module: Any, given: ast.expr) -> str:
    if isinstance(given, ast.Constant):
        return str(given.value)
    if isinstance(given, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else LETTER for part in given.values)
    if isinstance(given, ast.Name) and isinstance(getattr(module, given.id, None), str):
        return str(getattr(module, given.id))
    if ast.unparse(given).startswith("quotas.exceeded("):
        return quotas.exceeded(1, 2, 3)
    return ast.unparse(given)


def test_every_refusal_that_a_page_can_show_is_known_in_chinese() -> None:
    found = dict(sentences())
    assert len(found) > 80
    with translation.override("zh-hans"):
        unknown = [
            where for where, sentence in found.items() if sentence not in UNSEEN and not HAN.search(said(sentence))
        ]
    assert unknown == [], "add these to portal/refusals.py, or to UNSEEN with the reason why no page shows them"
    assert set(UNSEEN) - set(found.values()) == set()


def test_a_form_and_a_question_say_it_in_chinese(scene: Scene, reader: Reader) -> None:
    client, found = reader("admin"), places(scene)
    client.cookies["lang"] = "zh-hans"

    given = {"email": "a@haven.test", "realname": "A", "password": PASSWORD, "again": PASSWORD}
    form = client.post("/users/new", {**given, "username": sorted(RESERVED_NAMES)[0]})
    question = client.post(found["rule-delete"])

    assert form.status_code == 422 and "该用户名已被保留。" in form.content.decode()
    assert question.status_code == 409 and "该规则正在运行：请先停止运行。" in question.content.decode()


def test_a_directory_that_is_not_there_is_said_so(scene: Scene, reader: Reader) -> None:
    client = reader("admin")
    for language, reason in (("en", "No directory is configured."), ("zh-hans", "未配置目录服务。")):
        client.cookies["lang"] = language
        assert reason in client.post("/configuration/authentication/directory", follow=True).content.decode()
