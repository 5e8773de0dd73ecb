"""What goes with what, and what stays."""

from __future__ import annotations

import pytest

from artifacts.models import Artifact, Tag
from audit.models import Entry
from projects.models import Quota
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, SIGNATURE, door_of
from tests.stack import content


def test_deleting_by_tag_takes_the_tag_alone(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.maintainer)
    door.push(registry, "private/app", "v1", IMAGE)
    door.push(registry, "private/app", "v2", IMAGE)

    assert door.get("private/app", "v1", "DELETE").status_code == 202

    assert door.get("private/app", "v1").status_code == 404
    assert door.get("private/app", "v2").status_code == 200
    assert Entry.objects.filter(operation="delete", resource_type="tag", resource="private/app:v1").count() == 1


def test_deleting_by_digest_takes_everything_and_a_push_heals(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.maintainer)
    signature = content.artifact(SIGNATURE, subject=IMAGE)
    door.push(registry, "private/app", "v1", IMAGE)
    door.push(registry, "private/app", signature.digest(), signature)

    assert door.get("private/app", IMAGE.digest(), "DELETE").status_code == 202

    assert not Artifact.objects.exists()
    assert not Tag.objects.exists()
    assert Quota.objects.get(project=cast.private).used == 0
    assert door.get("private/app", "v1").status_code == 404
    assert registry.called("DELETE") == []  # collection's work
    assert door.put("private/app", "v1", IMAGE).status_code == 201
    assert door.get("private/app", "v1").content == IMAGE.content


def test_a_child_may_not_be_deleted(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.maintainer)
    door.push(registry, "private/app", "v1", content.index(IMAGE))

    answer = door.get("private/app", IMAGE.digest(), "DELETE")

    assert answer.status_code == 412
    assert Artifact.objects.count() == 2


def test_an_index_takes_what_only_it_holds(cast: Cast, registry: FakeRegistry) -> None:
    door, kept = door_of(cast.maintainer), content.image(text="kept")
    index = content.index(IMAGE, kept)
    door.push(registry, "private/app", "v1", index)
    door.put("private/app", "kept", kept)

    assert door.get("private/app", index.digest(), "DELETE").status_code == 202

    assert [artifact.digest for artifact in Artifact.objects.all()] == [kept.digest()]
    expected = len(kept.content) + sum(len(blob.content) for blob in kept.blobs)
    assert Quota.objects.get(project=cast.private).used == expected


@pytest.mark.parametrize("who", ["guest", "developer"])
def test_who_may_not_delete(cast: Cast, registry: FakeRegistry, who: str) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    for reference in ("v1", IMAGE.digest()):
        assert door_of(getattr(cast, who)).get("private/app", reference, "DELETE").status_code == 403
    assert Tag.objects.count() == 1


def test_a_token_without_delete(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.maintainer).push(registry, "private/app", "v1", IMAGE)

    answer = door_of(cast.maintainer, "pull", "push").get("private/app", "v1", "DELETE")

    assert answer.status_code == 401
    assert 'scope="repository:private/app:delete"' in answer["WWW-Authenticate"]
    assert Tag.objects.count() == 1
