"""Copying an artifact on its page, with the registry in a dictionary."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from artifacts.models import Artifact, Tag
from audit.models import Entry
from projects.models import Quota
from tests.cast import Cast, make_project
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, door_of
from tests.portal.conftest import Reader
from tokens.signing import key_folder
from tokens.upstream import registry as upstream

PAGE = f"/projects/private/repositories/app/-/artifacts/{IMAGE.digest()}"
GIVEN = {"project": "public", "repository": "deep/app", "tag": "*"}


@pytest.fixture
def registry(settings: Settings, cast: Cast) -> Iterator[FakeRegistry]:
    """It holds `private/app`, an image of three tags."""
    key_folder().prepare()
    fake = FakeRegistry(url=f"https://{uuid.uuid4().hex}.test")
    settings.REGISTRY_URL = fake.url
    upstream().session.mount(fake.url, fake)
    door = door_of(cast.developer)
    door.push(fake, "private/app", "v1", IMAGE)
    for tag in ("v2", "latest"):
        door.put("private/app", tag, IMAGE)
    fake.calls.clear()
    Entry.objects.all().delete()
    yield fake


def tags(repository: str) -> set[str]:
    return set(Tag.objects.filter(repository__name=repository).values_list("name", flat=True))


def test_a_copy_has_the_tags_that_were_chosen(cast: Cast, reader: Reader, registry: FakeRegistry) -> None:
    client = reader("alice")
    page = client.get(f"{PAGE}/copy").content.decode()
    assert f'href="{PAGE}/copy"' in client.get(PAGE).content.decode()
    assert 'value="private"' in page and 'value="app"' in page and "All its tags" in page

    for choice, there in (("v2", {"v2"}), ("", {"v2"}), ("*", {"v1", "v2", "latest"})):
        answer = client.post(f"{PAGE}/copy", {**GIVEN, "tag": choice})
        assert answer["Location"] == f"/projects/public/repositories/deep/app/-/artifacts/{IMAGE.digest()}"
        assert tags("public/deep/app") == there
    assert Artifact.objects.count() == 2
    assert "copied from private/app@" in str(Entry.objects.order_by("pk").first().operation_description)  # type: ignore[union-attr]


def test_where_it_cannot_go_it_does_not(cast: Cast, reader: Reader, registry: FakeRegistry) -> None:
    make_project("hidden", cast.stranger)
    client, nowhere = reader("alice"), "There is no project of this name that you may push to."
    wrong: tuple[tuple[dict[str, str], str, str], ...] = (
        ({"project": "missing"}, "project", nowhere),
        ({"project": "hidden"}, "project", nowhere),
        ({"repository": "Not A Name"}, "repository", "Use lower case letters and digits"),
        ({"project": "private", "repository": "app"}, "repository", "It is here already."),
        ({"tag": "not-one-of-them"}, "tag", "Select a valid choice."),
    )
    for change, field, sentence in wrong:
        answer = client.post(f"{PAGE}/copy", {**GIVEN, **change})
        page = answer.content.decode()
        assert answer.status_code == 422, change
        assert sentence in page.partition(f'id="id_{field}_error"')[2][:300], change
    Quota.objects.filter(project=cast.public).update(hard=1)
    assert "leaves no room for it" in client.post(f"{PAGE}/copy", GIVEN).content.decode()
    Quota.objects.filter(project=cast.public).update(hard=-1)
    registry.failures += [("POST", ".*", (503, {}, b""))] * 40
    away = client.post(f"{PAGE}/copy", GIVEN)
    assert (away.status_code, "Nothing was copied" in away.content.decode()) == (422, True)

    assert tags("public/deep/app") == set() and Artifact.objects.count() == 1
    assert not Entry.objects.exists()


def test_who_can_push_nowhere_is_not_shown_the_way(cast: Cast, reader: Reader, registry: FakeRegistry) -> None:
    for who, status in (("developer", 200), ("guest", 403), ("stranger", 404), ("anonymous", 404)):
        client = reader(who)
        assert client.get(f"{PAGE}/copy").status_code == status, who
        assert client.post(f"{PAGE}/copy", GIVEN).status_code in ((status, 422) if who != "anonymous" else (401,)), who
        assert (f"{PAGE}/copy" in client.get(PAGE).content.decode()) == (status == 200), who
    assert Artifact.objects.count() == 1
