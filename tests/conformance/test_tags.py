"""Tags: listing by pages, in one order, and deleting."""

from __future__ import annotations

import re

import pytest

from tests.conformance.conftest import Place
from tests.stack.content import Pushable
from tests.stack.people import People
from tests.stack.wire import Client

pytestmark = pytest.mark.stack

TAGS = sorted(["1.0", "1.10", "1.9", "A", "B", "_x", "a", "b", "latest", "v2"])


@pytest.fixture
def tagged(place: Place, image: Pushable) -> Place:
    assert place.push(TAGS[0], image).status == 201
    for tag in reversed(TAGS[1:]):
        assert place.put_as(tag, image).status == 201
    return place


def test_all_in_ascii_order(tagged: Place) -> None:
    answer = tagged("GET", "tags/list")

    assert answer.json == {"name": tagged.repository, "tags": TAGS}
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "Link" not in answer.headers


@pytest.mark.parametrize("last", ["1.9", "latest", "zzz", "aa"])
def test_last_starts_after(tagged: Place, last: str) -> None:
    assert tagged("GET", f"tags/list?last={last}").json["tags"] == [tag for tag in TAGS if tag > last]


def test_pages_by_following_link(tagged: Place) -> None:
    seen: list[str] = []
    path: str | None = f"/v2/{tagged.repository}/tags/list?n=3"
    while path:
        answer = tagged.client("GET", path)
        assert 0 < len(answer.json["tags"]) <= 3
        seen += answer.json["tags"]
        link = answer.headers.get("Link")
        found = re.fullmatch(r'<([^>]+)>; rel="next"', link) if link else None
        assert bool(found) == bool(link), link
        path = found.group(1) if found else None

    assert seen == TAGS


def test_a_page_that_ends_exactly_has_no_next(tagged: Place) -> None:
    answer = tagged("GET", f"tags/list?n={len(TAGS)}")

    assert answer.json["tags"] == TAGS
    assert "Link" not in answer.headers


def test_n_zero_is_empty(tagged: Place) -> None:
    answer = tagged("GET", "tags/list?n=0")

    assert (answer.status, answer.json["tags"]) == (200, [])
    assert "Link" not in answer.headers


@pytest.mark.parametrize("n", ["-1", "abc", "1.5", "", "99999999999999999999"])
def test_a_bad_n_is_400(tagged: Place, n: str) -> None:
    answer = tagged("GET", f"tags/list?n={n}")

    assert answer.status == 400 or (answer.status == 200 and n.startswith("9") and answer.json["tags"] == TAGS), answer


def test_a_repository_that_is_not_there(place: Place) -> None:
    answer = place("GET", "tags/list")

    assert (answer.status, answer.codes) == (404, ["NAME_UNKNOWN"]), answer


def test_deleting_a_tag_keeps_the_others(maintainer_place: Place, image: Pushable) -> None:
    for tag in ("a", "b"):
        maintainer_place.push(tag, image)

    assert maintainer_place("DELETE", "manifests/a").status == 202

    assert maintainer_place.get_manifest("a").status == 404
    assert maintainer_place.get_manifest("b").status == 200
    assert maintainer_place("GET", "tags/list").json["tags"] == ["b"]
    assert maintainer_place("DELETE", "manifests/a").status == 404


def test_the_catalog_is_the_administrators(people: People, tagged: Place) -> None:
    admin: Client = people.client("admin")
    seen: list[str] = []
    path: str | None = "/v2/_catalog?n=2"
    while path:
        answer = admin("GET", path)
        assert answer.status == 200, answer
        seen += answer.json["repositories"]
        link = answer.headers.get("Link", "")
        path = link[1 : link.index(">")] if link else None

    assert seen == sorted(seen)
    assert len(seen) == len(set(seen))
    assert tagged.repository in seen
    assert seen == admin("GET", "/v2/_catalog?n=1000").json["repositories"]
    for who in ("developer", "puller", "anonymous"):
        answer = people.client(who)("GET", "/v2/_catalog")
        assert answer.status in (401, 403), answer
        assert b'"repositories":' not in answer.content
