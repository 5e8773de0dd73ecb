"""Which artifacts a rule is about: Harbor's filters, read strictly and applied to what a registry lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from accounts.errors import BadRequest
from replication.adapters import Found
from replication.patterns import PatternInvalid, matches, pattern

TYPES = ("name", "tag", "label", "resource")
MATCHES, EXCLUDES = "matches", "excludes"
DECORATIONS = {"": MATCHES, MATCHES: MATCHES, EXCLUDES: EXCLUDES}
EVERY_RESOURCE = ("", "artifact")


@dataclass(frozen=True)
class Filters:
    """The filters of one rule. Empty ones let everything pass."""

    name: str = ""
    tag: str = ""
    excludes_tag: bool = False
    labels: frozenset[str] = frozenset()
    excludes_labels: bool = False
    resource: str = ""

    @classmethod
    def of(cls, stored: Iterable[Mapping[str, Any]]) -> Filters:
        """What `parse` made."""
        given: dict[str, Any] = {}
        for entry in stored:
            value, excludes = entry["value"], entry.get("decoration") == EXCLUDES
            match entry["type"]:
                case "name":
                    given["name"] = value
                case "tag":
                    given |= {"tag": value, "excludes_tag": excludes}
                case "label":
                    given |= {"labels": frozenset(value), "excludes_labels": excludes}
                case "resource":
                    given["resource"] = value
        return cls(**given)

    def takes_repository(self, name: str) -> bool:
        """Whether artifacts of this repository may pass."""
        return matches(self.name, name)

    def apply(self, found: Iterable[Found]) -> Iterator[Found]:
        """What passes, cut down to the tags that do. An artifact without a tag passes where an empty tag would."""
        for one in found:
            if not self._takes_type(one.type) or not self._takes_labels(one.labels):
                continue
            tags = tuple(tag for tag in one.tags if self.takes_tag(tag))
            if tags or (not one.tags and self.takes_tag("")):
                yield replace(one, tags=tags)

    def takes_tag(self, tag: str) -> bool:
        """Whether this tag passes; empty for none."""
        return not self.tag or matches(self.tag, tag) != self.excludes_tag

    def _takes_type(self, kind: str) -> bool:
        return self.resource in EVERY_RESOURCE or kind.lower() == self.resource.lower()

    def _takes_labels(self, labels: frozenset[str]) -> bool:
        return not self.labels or (self.labels <= labels) != self.excludes_labels


def parse(given: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Filters as a rule keeps them. Raises BadRequest for one that means nothing: no rule matches by mistake."""
    parsed: list[dict[str, Any]] = []
    for entry in given:
        kind, decoration = str(entry.get("type", "")), str(entry.get("decoration") or "")
        if kind not in TYPES:
            raise BadRequest(f"unknown filter type: {kind[:32]}", "filters")
        if any(other["type"] == kind for other in parsed):
            raise BadRequest(f"two filters of the type {kind}", "filters")
        if decoration not in DECORATIONS or (decoration and kind not in ("tag", "label")):
            raise BadRequest(f"the decoration of a {kind} filter cannot be {decoration[:32]!r}", "filters")
        value = _value(kind, entry.get("value"))
        if value:
            shown = {"decoration": DECORATIONS[decoration]} if kind in ("tag", "label") else {}
            parsed.append({"type": kind, "value": value, **shown})
    return parsed


def _value(kind: str, value: Any) -> Any:
    if kind == "label":
        return _labels(value)
    if value is None:
        return ""
    if not isinstance(value, str) or "\0" in value:
        raise BadRequest(f"the value of a {kind} filter is a text", "filters")
    if kind == "resource":
        return value
    try:
        pattern(value)
    except PatternInvalid as error:
        raise BadRequest(f"the {kind} filter is no pattern: {error}", "filters") from error
    return value


def _labels(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(label, str) and 0 < len(label) <= 128 for label in value):
        raise BadRequest("the value of a label filter is a list of names", "filters")
    if len(value) > 100:
        raise BadRequest("a label filter has at most 100 labels", "filters")
    return sorted(set(value))
