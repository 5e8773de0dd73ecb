"""Every operation that is built answers what the contract says, to who may ask, and in the status it says."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Group
from projects.models import Label, Member, Role
from tests.api.calling import Caller, caller
from tests.api.calls import CALLS, ELSEWHERE, filled
from tests.api.conftest import Stage
from tests.api.contract import OPERATIONS, check
from tests.api.stage import make_image, make_index, make_repository, make_signature, make_system_robot
from tests.cast import make_project, make_robot, make_user


def test_every_operation_is_called() -> None:
    assert set(CALLS) | set(ELSEWHERE) == set(OPERATIONS)


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_operation(stage: Stage, operation: str, tmp_path: Any, settings: Any) -> None:
    settings.DATA = tmp_path
    (tmp_path / "ca.crt").write_bytes(b"certificate")
    call, wanted = CALLS[operation], OPERATIONS[operation]
    path = filled(call.path, stage)
    caller(stage.cast.admin).put("/projects/private", {"metadata": {"severity": "low"}})  # so that something happened
    response = stage.callers[call.by](wanted["method"], path, call.body(stage) if call.body else None)
    assert response.status_code == wanted["status"], response.content
    assert not response.has_header("Link")
    if "answer" in wanted and wanted["answer"].get("type") not in ("string", "file"):
        check(operation, response.json())
        assert response["Content-Type"] == "application/json"
    if wanted.get("list"):
        assert int(response["X-Total-Count"]) == len(response.json())
    if wanted["status"] == 201 and operation not in ("createTag", "createPurgeSchedule"):
        assert response["Location"].startswith(f"/api/v2.0{path.rstrip('/')}/")
    if "answer" not in wanted:
        assert response.content == b""


LISTS = sorted(name for name, wanted in OPERATIONS.items() if wanted.get("list"))


def fill(stage: Stage, number: int) -> None:
    """`number` more of everything that is listed."""
    for each in range(number):
        user = make_user(f"extra{each}")
        Member.objects.create(project=stage.cast.private, user=user, role=Role.GUEST)
        make_project(f"extra{each}", user, public=True)
        make_repository(stage.cast.private, f"extra{each}")
        child = make_image(stage.repository)
        make_index(stage.repository, f"extra{each}", child)
        make_image(stage.repository, f"image{each}")
        make_signature(stage.image)
        make_robot(f"extra{each}", stage.cast.private, "repository:pull")
        Group.objects.create(name=f"extra{each}", type=Group.Type.HTTP)
        make_system_robot(f"extra{each}", [], {stage.cast.private.pk: ["repository:pull"]})
        more = Label.objects.create(project=stage.cast.private, name=f"label{each}")
        stage.image.label_uses.create(label=more)
        stage.image.tags.create(repository=stage.repository, name=f"tag{each}", push_time=stage.image.push_time)


def test_a_list_costs_the_same_however_long_it_is(stage: Stage) -> None:
    paths = {name: filled(CALLS[name].path, stage) for name in (*LISTS, "search", "getStatistic")}
    addresses = {name: f"{path}{'&' if '?' in path else '?'}page_size=100" for name, path in paths.items()}
    ask = stage.callers["admin"]
    ask.get("/ping")
    few = {name: queries(ask, address) for name, address in addresses.items()}
    fill(stage, 30)
    many = {name: queries(ask, address) for name, address in addresses.items()}

    assert {name: len(asked) for name, asked in few.items() if len(asked) > 14} == {}
    assert {name: (len(few[name]), asked) for name, asked in many.items() if len(asked) > len(few[name]) + 3} == {}


def queries(ask: Caller, address: str) -> list[str]:
    """What the database is asked for the list at `address`."""
    with CaptureQueriesContext(connection) as asked:
        assert ask.get(address).status_code == 200
    return [query["sql"] for query in asked]


def test_an_empty_list_is_a_list(stage: Stage) -> None:
    for operation in LISTS:
        path = filled(CALLS[operation].path, stage)
        response = stage.callers["admin"].get(f"{path}{'&' if '?' in path else '?'}page=1000")
        assert response.content == b"[]\n", operation
        assert int(response["X-Total-Count"]) >= 0, operation
