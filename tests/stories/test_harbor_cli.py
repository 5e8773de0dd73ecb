"""harbor-cli's commands replayed against a real stack, and docs/clients.md says what came of each."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.api.contract import OPERATIONS, check
from tests.stack.content import image
from tests.stack.replicas import Replicas
from tests.stack.wire import Answer, Client
from tests.stories.asking import Ask, Command, Kept
from tests.stories.harbor_cli import COMMANDS, CONTENT

PAGE = Path(__file__).parents[2] / "docs" / "clients.md"
NAMES = {"/cli": "/{name}", "team%2Fapp": "{repository}", "/v1": "/{tag}", "/prevent_vul": "/{key}", "/new": "/{tag}"}


def row(command: Command) -> str:
    """`command` as a row of the table: what it sends, what is answered, and whether Harbor answers the same."""
    sent = dict.fromkeys(shown(ask) for ask in command.asks)
    statuses = dict.fromkeys(str(ask.status) for ask in command.asks)
    verdict = f"different: {command.differs}" if command.differs else "same"
    return f"| `{command.name}` | {', '.join(sent)} | {', '.join(statuses)} | {verdict} |"


def shown(ask: Ask) -> str:
    """The request without what varies: names, ids and parameters."""
    path = re.sub(r"{[^}]*}", "{id}", ask.request.partition("?")[0])
    for name, written in NAMES.items():
        path = path.replace(name, written)
    return f"`{path}`"


def operation_of(method: str, path: str) -> str:
    """The operation behind a path below /api/v2.0: of several the one whose own path says most."""
    fits = [
        name
        for name, placed in OPERATIONS.items()
        if placed["method"] == method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", placed["path"]), path)
    ]
    return min(fits, key=lambda name: OPERATIONS[name]["path"].count("{"))


def send(client: Client, ask: Ask, kept: Kept) -> Answer:
    method, _, target = ask.request.format(**kept).partition(" ")
    sent = ask.sent(kept)
    headers = {"Accept": "text/plain" if ask.text else "application/json", **client.basic}
    if ask.by_name is not None:
        headers["X-Is-Resource-Name"] = str(ask.by_name).lower()
    if sent is not None:
        headers["Content-Type"] = "application/json"
    return client.send(method, f"/api/v2.0{target}", None if sent is None else json.dumps(sent).encode(), headers)


def replay(client: Client, command: Command, kept: Kept) -> list[str]:
    """What the command would not have taken."""
    wrong: list[str] = []
    for ask in command.asks:
        try:
            answer = send(client, ask, kept)
        except (KeyError, IndexError) as missing:
            return [*wrong, f"{command.name}: an earlier answer told nothing of {missing}"]
        where = f"{command.name}: {ask.request} is {answer!r}"
        if answer.status != ask.status:
            return [*wrong, where]
        if answer.status >= 400:
            wrong += [where] * (not answer.json["errors"])
        elif answer.content and not ask.text:
            wrong += read(ask, answer, kept, where)
        if ask.keep and answer.headers.get("Location"):
            kept[ask.keep] = answer.location.rpartition("/")[2]
        elif ask.keep:
            kept[ask.keep] = answer.json
    return wrong


def read(ask: Ask, answer: Answer, kept: Kept, where: str) -> list[str]:
    """What of the answer is not as declared: the generated client refuses what is of another type."""
    method, _, target = ask.request.format(**kept).partition(" ")
    name = operation_of(method, target.partition("?")[0])
    wrong = [f"{where}: no number in all"] * (
        "page=" in target and not answer.headers.get("X-Total-Count", "").isdigit()
    )
    try:
        check(name, answer.json)
    except AssertionError as problem:
        wrong.append(f"{where}: {problem}")
    return wrong


def replay_all(client: Client, elsewhere: str) -> list[str]:
    """Every command, one after the other; what went wrong. `elsewhere` has the same account."""
    account = {"access_key": client.username, "access_secret": client.password}
    kept: Kept = {"elsewhere": elsewhere, "account": account}
    wrong: list[str] = []
    for command in COMMANDS:
        if command is CONTENT[0]:
            assert client.push("cli/team/app", "v1", image(text="cli")).status == 201
        if command.name in ("replication log", "replication policies delete"):
            wait_for_run(client, kept, ended=command.name != "replication log")
        wrong += replay(client, command, kept)
    return wrong


def wait_for_run(client: Client, kept: Kept, *, ended: bool) -> None:
    """Until the run has ended, or has been planned."""
    run = f"/replication/executions/{kept.get('run', 0)}"
    for _ in range(300):
        if client.api("GET", f"{run}/tasks").json and not (
            ended and client.api("GET", run).json["status"] == "InProgress"
        ):
            return
        time.sleep(0.1)
    raise AssertionError("the run neither planned nor ended")


@pytest.mark.stack
def test_every_command_gets_what_it_insists_on(replicas: Replicas) -> None:
    wrong = replay_all(replicas.admin, replicas.there.url)
    assert not wrong, "\n".join(wrong)


def test_the_page_tells_of_every_command() -> None:
    page = PAGE.read_text()
    missing = [row(command) for command in COMMANDS if row(command) not in page]
    assert not missing, "\n".join(missing)
