"""Patterns, filters and names: what a rule is about, and what it is called at the target."""

from __future__ import annotations

from time import monotonic

import pytest

from accounts.errors import BadRequest
from replication.adapters import Found
from replication.adapters.base import ANY_DEPTH, AT_LEAST_TWO, ONLY_TWO, literal_prefix
from replication.filters import Filters, parse
from replication.naming import NameUnfit, destination
from replication.patterns import PatternInvalid, matches, pattern

MATCHING = [
    ("", "anything/at/all", True),
    ("library/**", "library/a/b", True),
    ("library/*", "library/a/b", False),
    ("**/web", "web", True),
    ("**/a/**/b", "x/a/c/a/d/b", True),
    ("**/a/**/b", "x/a/c/a/d/c", False),
    ("library/{a,b}*", "library/bx", True),
    ("{team/a,team/b}/*", "team/b/x", True),
    ("v1.*", "v11", False),
    ("v[0-9]?", "v1a", True),
    ("[^a-c]x", "bx", False),
    ("a*b*c", "aXbYbZc", True),
    ("a**", "ab", True),
    (r"a\*", "a*", True),
    (r"a\*", "ab", False),
    ("**", "", True),
]


def test_patterns() -> None:
    assert [(text, name) for text, name, wanted in MATCHING if matches(text, name) != wanted] == []


@pytest.mark.parametrize("text", ["{a", "a}", "[]", "[z-a]", "a\\", "[a&&b]", "{a,b}" * 9, "x" * 600])
def test_what_is_no_pattern(text: str) -> None:
    with pytest.raises(PatternInvalid):
        pattern(text)


def test_no_name_makes_a_pattern_slow() -> None:
    began = monotonic()
    for text in ("*a*a*a*a*a*a*a*a*a*a*b", "**/a/**/a/**/a/**/a/**/b", "?*?*?*?*?*?*?*?*?*b"):
        assert not matches(text, "a" * 255)
        assert not matches(text, "a/" * 127 + "a")
    assert monotonic() - began < 0.5


def test_the_literal_beginning_of_a_pattern() -> None:
    given = {"library/a*": "library/", "library/app": "library/app", "*": "", "a/b/{c,d}": "a/b/", "": ""}
    assert {text: literal_prefix(text) for text in given} == given


TAGGED = Found("library/app", ("v1", "v2", "dev"), "sha256:1", frozenset({"good", "old"}), "IMAGE")
UNTAGGED = Found("library/app", (), "sha256:2")


def passing(found: Found, *filters: dict[str, object]) -> tuple[str, ...] | None:
    """The tags that pass; None where the artifact does not."""
    passed = list(Filters.of(parse(filters)).apply([found]))
    return passed[0].tags if passed else None


def test_filters() -> None:
    assert passing(TAGGED) == ("v1", "v2", "dev")
    assert passing(TAGGED, {"type": "tag", "value": "v*"}) == ("v1", "v2")
    assert passing(TAGGED, {"type": "tag", "value": "v*", "decoration": "excludes"}) == ("dev",)
    assert passing(TAGGED, {"type": "tag", "value": "x*"}) is None
    assert passing(TAGGED, {"type": "label", "value": ["good"]}) is not None
    assert passing(TAGGED, {"type": "label", "value": ["good", "new"]}) is None
    assert passing(TAGGED, {"type": "label", "value": ["good"], "decoration": "excludes"}) is None
    assert passing(TAGGED, {"type": "resource", "value": "chart"}) is None
    assert passing(TAGGED, {"type": "resource", "value": "artifact"}) is not None
    assert passing(UNTAGGED) == ()
    assert passing(UNTAGGED, {"type": "tag", "value": "**"}) == ()
    assert passing(UNTAGGED, {"type": "tag", "value": "v*"}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        [{"type": "weather", "value": "x"}],
        [{"type": "name", "value": "{"}],
        [{"type": "name", "value": 7}],
        [{"type": "name", "value": "a"}, {"type": "name", "value": "b"}],
        [{"type": "name", "value": "a", "decoration": "excludes"}],
        [{"type": "tag", "value": "a", "decoration": "perhaps"}],
        [{"type": "label", "value": "good"}],
        [{"type": "label", "value": [""]}],
    ],
)
def test_filters_that_mean_nothing_are_refused(wrong: list[dict[str, object]]) -> None:
    with pytest.raises(BadRequest):
        parse(wrong)


def test_names_at_the_target() -> None:
    """Harbor's own examples."""
    name = "a/b/c/image"
    flattened = {count: destination(name, "n", count) for count in (-1, 0, 1, 2, 3)}
    assert flattened == {-1: "n/image", 0: "n/a/b/c/image", 1: "n/b/c/image", 2: "n/c/image", 3: "n/image"}
    assert destination(name, "", 3) == name
    for count, namespace, depth in ((4, "n", ANY_DEPTH), (0, "n", ONLY_TWO)):
        with pytest.raises(NameUnfit):
            destination(name, namespace, count, depth)
    with pytest.raises(NameUnfit):
        destination("image", "", 0, AT_LEAST_TWO)
