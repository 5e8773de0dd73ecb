"""Whatever is sent, the answer is Harbor's JSON and the fault is the client's: no 5xx, nothing half-done."""

from __future__ import annotations

import json
from typing import Any

import pytest

from configuration import values
from tests.api.calling import Caller, caller, code
from tests.api.calls import CALLS, filled
from tests.api.conftest import Stage
from tests.api.contract import DEFINITIONS, OPERATIONS
from tests.cast import Cast

ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    2**31,
    2**63 - 1,
    2**63,
    1.5,
    "",
    " ",
    "a" * 300,
    "a" * 70_000,
    "../..",
    "a\0b",
    "\ud800",
    "é\u202e",
    "' or 1=1--",
    "%s{}",
    [],
    [None],
    [[]],
    {},
    {"a": {"b": []}},
]
pytestmark = pytest.mark.sweep

WITH_BODY = sorted(name for name, wanted in OPERATIONS.items() if "body" in wanted and name in CALLS)


def properties_of(schema: dict[str, Any]) -> list[str]:
    """Every property of a body, nested ones with dots."""
    schema = DEFINITIONS[schema["$ref"]] if "$ref" in schema else schema
    found = []
    for name, part in schema.get("properties", {}).items():
        found.append(name)
        if "$ref" in part:
            found += [f"{name}.{inner}" for inner in properties_of(part)]
    return found or ["public", "severity", "anything"]


def with_odd(body: Any, path: str, value: Any) -> Any:
    changed = json.loads(json.dumps(body))
    *parents, last = path.split(".")
    place = changed
    for name in parents:
        place[name] = place[name] if isinstance(place.get(name), dict) else {}
        place = place[name]
    place[last] = value
    return changed


@pytest.mark.parametrize("operation", WITH_BODY)
def test_odd_values_in_every_property(stage: Stage, operation: str) -> None:
    wanted, call = OPERATIONS[operation], CALLS[operation]
    nobodys = call.path.replace("{guest}", str(stage.cast.stranger.pk)).replace("{guest_member}", "1000000")
    path = filled(nobodys, stage)
    ask = caller(stage.cast.admin)
    body = call.body(stage) if call.body else {}
    for name in properties_of(wanted["body"]):
        for value in ODD:
            response = ask(wanted["method"], path, with_odd(body, name, value))
            assert response.status_code < 500, (name, value, response.content)
            if response.status_code >= 400:
                assert code(response) in ("BAD_REQUEST", "UNPROCESSABLE_ENTITY", "NOT_FOUND", "CONFLICT", "FORBIDDEN")


@pytest.mark.parametrize(
    "permissions",
    [
        None,
        [],
        [None],
        [{}],
        [{"kind": "project", "namespace": "private"}],
        [{"kind": "project", "namespace": "private", "access": None}],
        [{"kind": "project", "namespace": "private", "access": []}],
        [{"kind": "project", "namespace": "private", "access": [None]}],
        [{"kind": "project", "namespace": "private", "access": [{}]}],
        [{"kind": "project", "namespace": "private", "access": [{"resource": "*", "action": "*"}]}],
        [{"kind": "project", "namespace": "private", "access": [{"resource": "user", "action": "create"}]}],
        [{"kind": "wrong", "namespace": "private", "access": [{"resource": "repository", "action": "pull"}]}],
        [{"kind": "system", "namespace": "private", "access": [{"resource": "user", "action": "read"}]}],
        "text",
        {"kind": "project"},
    ],
)
def test_a_robot_without_sensible_permissions_is_not_made(stage: Stage, permissions: Any) -> None:
    body = {"name": "odd", "level": "system", "duration": -1, "permissions": permissions}
    response = caller(stage.cast.admin).post("/robots", body)
    assert response.status_code in (400, 422), response.content
    assert not type(stage.robot).objects.filter(name="odd").exists()


@pytest.mark.parametrize("duration", [0, -2, 2**31 - 1, 2**40])
def test_a_robot_lives_for_some_days_or_for_ever(stage: Stage, duration: int) -> None:
    grant = {"kind": "project", "namespace": "private", "access": [{"resource": "repository", "action": "pull"}]}
    body = {"name": "odd", "level": "project", "duration": duration, "permissions": [grant]}
    assert caller(stage.cast.admin).post("/robots", body).status_code == 400


PARAMETERS = (
    "q",
    "sort",
    "page",
    "page_size",
    "name",
    "public",
    "owner",
    "entityname",
    "username",
    "scope",
    "with_tag",
)
SENT = [
    "",
    "%00",
    "%ff",
    "%ed%a0%80",
    "%27",
    "a%0d%0ab",
    "~",
    "[",
    "{",
    "x" * 7000,
    "9" * 400,
    "-9" * 5,
    "%F0%9F%90%B3",
]


@pytest.mark.parametrize("operation", sorted(name for name, wanted in OPERATIONS.items() if wanted["method"] == "GET"))
def test_odd_parameters(stage: Stage, operation: str) -> None:
    if operation not in CALLS:
        return
    path = filled(CALLS[operation].path.partition("?")[0], stage)
    ask = caller(stage.cast.admin)
    for name in PARAMETERS:
        for value in SENT:
            for query in (f"{name}={value}", f"{name}=name=~{value}"):
                response = ask.get(f"{path}?{query}")
                assert response.status_code < 500, (query, response.content)


def test_more_parameters_than_anybody_means(stage: Stage) -> None:
    for path in ("/projects", "/users/search", "/usergroups/search", "/search", "/auditlog-exts"):
        response = caller(stage.cast.admin).get(f"{path}?{'&'.join(['q=a'] * 1500)}")
        assert response.status_code == 400, (path, response.content)
        assert code(response) == "BAD_REQUEST"


@pytest.mark.parametrize(
    "reference",
    ["v1%00", "sha256:", "sha256:zz", "sha256:" + "A" * 64, "x" * 300, "%F0%9F%90%B3", "v1%252F..", "latest'--"],
)
def test_odd_references(stage: Stage, reference: str) -> None:
    for method in ("GET", "DELETE"):
        response = caller(stage.cast.admin)(method, f"{stage.path}/{reference}")
        assert response.status_code in (400, 404), response.content
        code(response)


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic YQ==", "Bearer x", "Basic " + "A" * 6000, "basic Og=="]
)
def test_an_odd_authorization_is_nobody(stage: Stage, header: str) -> None:
    assert Caller().get("/users/current", Authorization=header).status_code == 401
    assert Caller().get("/ping", Authorization=header).status_code == 200


def test_odd_words_in_a_form(cast: Cast) -> None:
    values.set_values({"self_registration": True})
    ask = Caller()
    token = ask.get("/systeminfo")["X-Harbor-CSRF-Token"]
    for form in ("target=username&value", "target=email&value", "value=alice&target", "password=x&principal"):
        for value in SENT:
            where = "/c/login" if "principal" in form else "/c/userExists"
            kind = {"content_type": "application/x-www-form-urlencoded", "X_Harbor_CSRF_Token": token}
            response = ask.raw("POST", where, f"{form}={value}".encode(), **kind)
            assert response.status_code in (200, 400, 401, 422), (form, value, response.content)
            assert response.content in (b"", b"false\n") or response.status_code > 200, (form, value)
