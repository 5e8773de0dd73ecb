"""Harbor's contract, every operation of it: `contract.json`, and what it says of an answer.

A property is missing exactly if it is zero and may be dropped; lists and times never are. So a schema here is stricter
than the contract's own, which requires next to nothing.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from api.operations import Placed, placed
from api.urls import routes

CONTRACT: dict[str, Any] = json.loads((Path(__file__).parent / "contract.json").read_text())
HARBOR: dict[str, dict[str, Any]] = CONTRACT["operations"]
"""Every operation, by its id."""
OURS: dict[str, Placed] = {found.operation.id: found for found in placed(routes())}
"""Every operation that is built, as it declares itself."""
OPERATIONS = {name: wanted for name, wanted in HARBOR.items() if name in OURS}
"""What the contract says of those that are built."""
DEFINITIONS: dict[str, dict[str, Any]] = CONTRACT["definitions"]
MOMENT = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"
ZEROES: tuple[Any, ...] = ("", 0, False, {})


def check(operation: str, answer: Any) -> None:
    """Fail unless `answer` is what `operation` may answer."""
    schema = strict(OPERATIONS[operation]["answer"])
    errors = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(answer)]
    assert not errors, errors


def strict(schema: dict[str, Any]) -> dict[str, Any]:
    """`schema` of the contract as JSON Schema."""
    if name := schema.get("$ref"):
        return strict(DEFINITIONS[name])
    if schema.get("type") == "array":
        return {"type": ["array", "null"], "items": strict(schema["items"])}
    if schema.get("format") == "date-time":
        return {"type": "string", "pattern": MOMENT}
    if "properties" in schema:
        return {
            "type": "object",
            "properties": {name: shown(part) for name, part in schema["properties"].items()},
            "required": [name for name, part in schema["properties"].items() if is_always_there(part)],
            "additionalProperties": False,
        }
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        # What Harbor calls objects of objects holds anything: an image's attributes, for one.
        if not isinstance(inner, dict) or inner == {"type": "object"}:
            return {"type": "object"}
        return {"type": "object", "additionalProperties": strict(inner)}
    return {"type": schema["type"]} if "type" in schema else {}


def shown(part: dict[str, Any]) -> dict[str, Any]:
    """A property that is there: not zero, unless it may be."""
    schema = strict(part)
    is_pointer = part.get("x-nullable") or part.get("x-isnullable")
    may_be_zero = is_always_there(part) or is_pointer or part.get("x-omitempty") is False
    return schema if may_be_zero or "$ref" in part else {**schema, "not": {"enum": list(ZEROES)}}


def is_always_there(part: dict[str, Any]) -> bool:
    if part.get("x-omitempty") is False:
        return True
    never_dropped = part.get("type") == "array" or part.get("format") == "date-time"
    return never_dropped and not part.get("x-omitempty") and not part.get("x-nullable")
