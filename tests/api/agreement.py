"""Haven's operations beside Harbor's contract, one by one: `python -m tests.api.agreement` prints the table.

Compared are the route, the parameters with their types, whether they are required, their defaults, bounds and enums,
the body, the status of success, its headers, its media type and its schema, down to the last property; of a body also
what it must hold and how long a text may be, of an answer which properties are always there.
`differences.json` is the one place of what differs on purpose, and why.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()

from api.openapi import haven
from tests.api.contract import DEFINITIONS, HARBOR, OURS, is_always_there

DOCUMENT = haven()
EXPECTED: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "differences.json").read_text())
"""For an operation that differs: `reason`, and the sentences that `differences` finds."""
FACTS = ("type", "required", "default", "maximum", "enum")


def plain(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """`schema` without names: a word for a simple one, `[item]` for a list, `{"*": value}` for a map."""
    if name := schema.get("$ref"):
        return plain(definitions[name.rpartition("/")[2]], definitions)
    for inner in schema.get("allOf", ()):
        return plain(inner, definitions)
    if schema.get("type") == "array":
        return [plain(schema["items"], definitions)]
    if "properties" in schema:
        return {name: plain(part, definitions) for name, part in schema["properties"].items()}
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return {"*": "anything" if inner in (None, True, {"type": "object"}) else plain(inner, definitions)}
    if schema.get("format") in ("date-time", "binary") or schema.get("type") == "file":
        return "file" if schema.get("format") != "date-time" else "date-time"
    enum = [word for word in schema.get("enum", ()) if word]
    return " | ".join(enum) if enum else schema.get("type", "anything")


def apart(place: str, theirs: Any, ours: Any) -> Iterator[str]:
    """Sentences about how `ours` is not `theirs`."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted({*theirs, *ours}):
            if name not in ours:
                yield f"{place} lacks {name}"
            elif name not in theirs:
                yield f"{place} has {name} besides"
            else:
                yield from apart(f"{place}.{name}", theirs[name], ours[name])
    elif isinstance(theirs, list) and isinstance(ours, list):
        yield from apart(f"{place}[]", theirs[0], ours[0])
    elif theirs != ours:
        yield f"{place} is {word(ours)}, not {word(theirs)}"


def word(found: Any) -> str:
    return found if isinstance(found, str) else "a list" if isinstance(found, list) else "an object"


def parameters(harbor: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    theirs = {(part["in"], part["name"]): part for part in harbor.get("parameters", ())}
    theirs["header", "X-Request-Id"] = {"type": "string"}
    given = {(part["in"], part["name"]): {**part, **part["schema"]} for part in ours["parameters"]}
    for key in sorted({*theirs, *given}):
        if key not in given or key not in theirs:
            yield f"{key[0]} {key[1]} {'is missing' if key not in given else 'is ours alone'}"
            continue
        for fact in FACTS:
            wanted, found = theirs[key].get(fact) or None, given[key].get(fact) or None
            if wanted != found:
                yield f"{key[0]} {key[1]}: {fact} is {found}, not {wanted}"


def bodies(harbor: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    theirs, given = harbor.get("body"), ours.get("requestBody")
    if theirs is None or given is None:
        if theirs is not given:
            yield f"the body is {'missing' if given is None else 'ours alone'}"
        return
    if given["required"] != harbor["body_required"]:
        yield f"the body is {'' if given['required'] else 'not '}required"
    schema, named = given["content"]["application/json"]["schema"], DOCUMENT["components"]["schemas"]
    yield from apart("body", plain(theirs, DEFINITIONS), plain(schema, named))
    wanted, found = facts(theirs, DEFINITIONS, "required"), facts(schema, named, "required")
    yield from unlike("must be in the body", wanted, found)
    wanted, found = facts(theirs, DEFINITIONS, "maxLength"), facts(schema, named, "maxLength")
    yield from unlike("of the body is bounded", wanted, found)


def facts(schema: dict[str, Any], definitions: dict[str, Any], kind: str, place: str = "") -> set[str]:
    """Every property below `schema` of which `kind` is said: `required`, `maxLength` with its number, or `always`."""
    if name := schema.get("$ref"):
        return facts(definitions[name.rpartition("/")[2]], definitions, kind, place)
    if "items" in schema:
        return facts(schema["items"], definitions, kind, f"{place}[]")
    found = {f"{place}.{name}" for name in schema.get("required", ()) if kind == "required"}
    for inner in schema.get("allOf", ()):
        found |= facts(inner, definitions, kind, place)
    for name, part in schema.get("properties", {}).items():
        if kind == "maxLength" and kind in part:
            found.add(f"{place}.{name} {part[kind]}")
        if kind == "always" and is_always_there(part):
            found.add(f"{place}.{name}")
        found |= facts(part, definitions, kind, f"{place}.{name}")
    return found


def unlike(said: str, theirs: set[str], ours: set[str]) -> Iterator[str]:
    yield from (f"{name} {said}, and not here" for name in sorted(theirs - ours))
    yield from (f"{name} {said} here alone" for name in sorted(ours - theirs))


def answers(harbor: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
    status = next(status for status in ours["responses"] if status < "400")
    if int(status) != harbor["status"]:
        yield f"the status is {status}, not {harbor['status']}"
    given = ours["responses"][status]
    if ("X-Total-Count" in given["headers"]) != bool(harbor.get("list")):
        yield f"the answer has {'' if 'X-Total-Count' in given['headers'] else 'no '}X-Total-Count"
    content = given.get("content", {})
    if content and harbor.get("produces", next(iter(content))) not in content:
        yield f"the answer is {next(iter(content))}, not {harbor['produces']}"
    theirs = plain(harbor["answer"], DEFINITIONS) if "answer" in harbor else "nothing"
    schema = next(iter(content.values()))["schema"] if content else None
    found = "nothing" if schema is None else plain(schema, DOCUMENT["components"]["schemas"])
    yield from apart("answer", theirs, found)
    if schema is not None and "answer" in harbor:
        shown = facts(schema, DOCUMENT["components"]["schemas"], "required")
        yield from unlike("is always in the answer", facts(harbor["answer"], DEFINITIONS, "always"), shown)


def differences(name: str) -> list[str]:
    """How the operation `name`, which is built, differs from the contract."""
    harbor, found = HARBOR[name], OURS[name]
    ours = DOCUMENT["paths"][found.path][found.method.lower()]
    sentences = []
    if (found.method, found.path.rstrip("/")) != (harbor["method"], harbor["path"].rstrip("/")):
        sentences.append(f"it is {found.method} {found.path}, not {harbor['method']} {harbor['path']}")
    return sentences + [*parameters(harbor, ours), *bodies(harbor, ours), *answers(harbor, ours)]


def verdict(name: str) -> tuple[str, str]:
    """`done`, `differs` with the reason, `not yet`, or `WRONG` with what nobody gave a reason for."""
    if name not in OURS:
        return ("not yet", "") if name not in EXPECTED else ("WRONG", "it has a reason to differ, and is not built")
    found, expected = differences(name), EXPECTED.get(name, {"differences": []})
    if sorted(found) != sorted(expected["differences"]):
        return "WRONG", "; ".join(found) or "nothing differs any more"
    return ("differs", expected["reason"]) if found else ("done", "")


def table() -> list[tuple[str, str, str, str]]:
    """Tag, operation, verdict and reason of every operation of the contract, by tag."""
    rows = [(wanted["tag"], name, *verdict(name)) for name, wanted in HARBOR.items()]
    return sorted(rows, key=lambda row: row[0].lower())


if __name__ == "__main__":
    for tag, name, found, reason in table():
        print(f"{tag:20} {name:36} {found:8} {reason}")
    print(dict(Counter(row[2] for row in table())))
