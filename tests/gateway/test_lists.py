"""Tags, repositories and pages of them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.actors import Actor
from artifacts.models import Artifact, Repository, Tag
from tests.cast import Cast, make_robot
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, Door, door_of
from tokens.scopes import Scope
from tokens.signing import mint

NAMES = ["1.0", "1.10", "1.9", "A", "Z", "_x", "a", "a-b", "a.b", "a_b", "b", "z"]
"""As their bytes order them, which is how no language does."""


@pytest.fixture
def tags(cast: Cast, registry: FakeRegistry) -> list[str]:
    door_of(cast.developer).push(registry, "private/app", NAMES[0], IMAGE)
    artifact = Artifact.objects.get()
    Tag.objects.bulk_create(
        Tag(repository=artifact.repository, artifact=artifact, name=name, push_time=Now())
        for name in reversed(NAMES[1:])
    )
    return NAMES


def listed(cast: Cast, query: str = "") -> Any:
    return door_of(cast.guest)("GET", f"private/app/tags/list{query}")


def test_all_tags(cast: Cast, tags: list[str]) -> None:
    answer = listed(cast)

    assert answer.json() == {"name": "private/app", "tags": tags}
    assert "Link" not in answer


def test_pages(cast: Cast, tags: list[str]) -> None:
    first = listed(cast, "?n=5")
    assert first.json()["tags"] == tags[:5]
    assert first["Link"] == f'</v2/private/app/tags/list?n=5&last={tags[4]}>; rel="next"'
    second = listed(cast, f"?n=5&last={tags[4]}")
    assert second.json()["tags"] == tags[5:10]
    last = listed(cast, f"?n=5&last={tags[9]}")
    assert last.json()["tags"] == tags[10:]
    assert "Link" not in last


def test_a_page_that_fits_exactly_is_the_last(cast: Cast, tags: list[str]) -> None:
    assert "Link" not in listed(cast, f"?n={len(tags)}")


def test_last_need_not_exist(cast: Cast, tags: list[str]) -> None:
    assert listed(cast, "?last=aa").json()["tags"] == ["b", "z"]


def test_no_tags_at_all(cast: Cast, tags: list[str]) -> None:
    answer = listed(cast, "?n=0")

    assert answer.json()["tags"] == []
    assert "Link" not in answer
    Tag.objects.all().delete()
    assert listed(cast).json()["tags"] == []


@pytest.mark.parametrize("n", ["-1", "x", "", "1.5", "٣", "9" * 40])
def test_a_number_that_is_none(cast: Cast, tags: list[str], n: str) -> None:
    answer = listed(cast, f"?n={n}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "PAGINATION_NUMBER_INVALID")


def test_an_unknown_repository(cast: Cast, registry: FakeRegistry) -> None:
    answer = listed(cast)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "NAME_UNKNOWN")


def catalog(actor: Actor, query: str = "", carried: bool = True) -> Any:
    scopes = [Scope("registry", "catalog", frozenset("*"))] if carried else []
    return Door(actor)("GET", f"_catalog{query}", token=mint(actor, scopes, 300))


def test_the_catalog_is_for_administrators(cast: Cast, registry: FakeRegistry) -> None:
    for name in ("private/b", "public/a"):
        door_of(cast.alice).push(registry, name, "v1", IMAGE)
    Repository.objects.create(project=cast.private, name="private/empty")

    assert catalog(cast.admin.actor).json() == {"repositories": ["private/b", "public/a"]}
    page = catalog(cast.admin.actor, "?n=1")
    assert page.json() == {"repositories": ["private/b"]}
    assert page["Link"] == '</v2/_catalog?n=1&last=private%2Fb>; rel="next"'
    for actor in (cast.alice.actor, cast.stranger.actor, make_robot("ci", cast.private, "repository:pull")[0].actor):
        answer = catalog(actor)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")


def test_the_catalog_needs_its_own_scope(cast: Cast) -> None:
    answer = catalog(cast.admin.actor, carried=False)

    assert answer.status_code == 401
    assert 'scope="registry:catalog:*"' in answer["WWW-Authenticate"]


def test_the_catalog_asks_the_database(cast: Cast) -> None:
    type(cast.admin).objects.filter(pk=cast.admin.pk).update(is_admin=False)
    assert catalog(cast.admin.actor).status_code == 403
    type(cast.admin).objects.filter(pk=cast.admin.pk).update(is_active=False)
    assert catalog(cast.admin.actor).status_code == 401
    assert Door(cast.admin.actor)("GET", "_catalog", token="").status_code == 401
