"""What is built agrees with Harbor's contract, or has a reason not to; and everything that is routed is declared."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from typing import Any

from api.operations import methods
from api.urls import routes
from tests.api.agreement import DOCUMENT, EXPECTED, answers, bodies, parameters, table
from tests.api.contract import DEFINITIONS, HARBOR

LATER = {
    "gc",
    "immutable",
    "preheat",
    "Retention",
    "scan",
    "scan data export",
    "scanAll",
    "scanner",
    "securityhub",
    "webhook",
    "webhookjob",
}
"""Harbor's tags of which nothing is built."""


def test_every_operation_that_is_built_is_harbors_or_has_a_reason_not_to_be() -> None:
    rows = table()
    for tag, name, found, reason in rows:
        print(f"{tag:20} {name:36} {found:8} {reason}")
    print(dict(Counter(found for _, _, found, _ in rows)))
    assert [f"{name}: {reason}" for _, name, found, reason in rows if found == "WRONG"] == []


def test_every_subject_that_is_built_is_built_whole() -> None:
    assert [f"{tag}: {name}" for tag, name, found, _ in table() if found == "not yet" and tag not in LATER] == []


def told(name: str, **changes: Any) -> list[str]:
    """What the comparison says of `name` if Harbor's contract had these changes."""
    harbor = deepcopy(HARBOR[name]) | changes
    ours = DOCUMENT["paths"][harbor["path"]][harbor["method"].lower()]
    return [*parameters(harbor, ours), *bodies(harbor, ours), *answers(harbor, ours)]


def test_whatever_changes_is_noticed() -> None:
    kept = HARBOR["ListLabels"]["parameters"]
    page_size = next(part for part in kept if part["name"] == "page_size")
    project = DEFINITIONS["ProjectReq"]["properties"]
    label = DEFINITIONS["Label"]["properties"]
    assert told("ListLabels") == told("createProject") == told("GetLabelByID") == []
    for name, changes in [
        ("ListLabels", {"parameters": kept[:-1]}),
        ("ListLabels", {"parameters": [*kept, {"in": "query", "name": "new", "type": "string"}]}),
        ("ListLabels", {"parameters": [*kept[:-1], kept[-1] | {"required": True}]}),
        ("ListLabels", {"parameters": [*kept[:-1], kept[-1] | {"enum": ["a", "b"]}]}),
        ("ListLabels", {"parameters": [part for part in kept if part != page_size] + [page_size | {"maximum": 50}]}),
        ("ListLabels", {"list": False}),
        ("ListLabels", {"status": 206}),
        ("createProject", {"body": None}),
        ("createProject", {"body_required": False}),
        ("createProject", {"body": {"properties": project, "required": ["project_name"]}}),
        ("createProject", {"body": {"properties": project | {"project_name": {"type": "string", "maxLength": 9}}}}),
        ("createProject", {"body": {"properties": project | {"public": {"type": "string"}}}}),
        ("createProject", {"body": {"properties": project | {"new": {"type": "string"}}}}),
        ("GetLabelByID", {"answer": {"properties": label | {"color": {"type": "string", "enum": ["red"]}}}}),
        ("GetLabelByID", {"answer": {"properties": label | {"color": {"type": "string", "x-omitempty": False}}}}),
        ("GetLabelByID", {"answer": {"type": "array", "items": {"properties": label}}}),
    ]:
        assert told(name, **changes), (name, changes)


def test_reasons_are_given_for_operations_that_there_are() -> None:
    assert set(EXPECTED) <= set(HARBOR)
    assert all(entry["reason"] and entry["differences"] for entry in EXPECTED.values())


def test_everything_that_is_routed_declares_itself() -> None:
    silent = [f"{module}: {method} {path}" for module, method, path, declared in methods(routes()) if not declared]
    assert silent == [], "these methods of api/ need an @operation above them"


def test_an_operation_is_declared_once() -> None:
    names = Counter(declared.id for _, _, _, declared in methods(routes()) if declared)
    assert [name for name, times in names.items() if times > 1] == []
