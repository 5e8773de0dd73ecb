"""Every shape of ours is the contract's schema of that name: the same properties, types and rules of dropping."""

from __future__ import annotations

from typing import Any

import pytest

from api import shapes
from api.urls import routes
from tests.api.contract import DEFINITIONS, is_always_there

TYPES = {shapes.Text: "string", shapes.Number: "integer", shapes.Flag: "boolean", shapes.ListOf: "array"}
assert routes()  # every module is loaded, so every shape is known


def shapes_of(kind: type[shapes.Shape]) -> dict[str, type[shapes.Shape]]:
    found: dict[str, type[shapes.Shape]] = {}
    for each in kind.__subclasses__():
        found |= {each.__name__: each, **shapes_of(each)}
    return found


OURS = {name: shape for name, shape in shapes_of(shapes.Shape).items() if name in DEFINITIONS}


def test_most_schemas_have_a_shape() -> None:
    assert len(OURS) > 35


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_shape_is_the_contracts(name: str) -> None:
    declared: dict[str, Any] = dict(OURS[name]().fields)
    properties = DEFINITIONS[name].get("properties", {})
    assert set(declared) <= set(properties)
    for key, part in declared.items():
        wanted = properties[key]
        if "$ref" in wanted or isinstance(part, shapes.Shape):
            assert isinstance(part, shapes.Shape | shapes.Map), key
            continue
        assert not isinstance(part, shapes.Moment) or wanted["format"] == "date-time", key
        for kind, called in TYPES.items():
            assert not isinstance(part, kind) or wanted["type"] == called, key
        if not isinstance(part, shapes.Moment | shapes.ListOf):
            assert part.always == is_always_there(wanted), key
            if not wanted.get("x-isnullable"):  # a pointer in Go too, but for no client to notice
                assert part.nullable == bool(wanted.get("x-nullable")), key
        assert getattr(part, "max_length", None) == wanted.get("maxLength"), key
