"""What a quota says is what its project uses; where it is not, `fsck` names it and `recount` puts it right."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from artifacts import actions, books, fsck
from artifacts.models import Artifact, Repository
from audit.models import Entry
from projects.models import Quota
from tests.artifacts.conftest import door_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE
from tests.stack import content
from tests.stack.content import Pushable

OTHER = content.image(*IMAGE.blobs[1:], text="of the same layers")


@pytest.fixture
def pushed(cast: Cast, registry: FakeRegistry) -> int:
    """Two images that share layers, in two repositories of `private`, one also in `public`; what `private` uses."""
    for name, image in (("private/app", IMAGE), ("private/other", IMAGE), ("private/other", OTHER)):
        assert door_of(cast.developer).push(registry, name, "v1", image).status_code == 201
    assert door_of(cast.alice).push(registry, "public/app", "v1", IMAGE).status_code == 201
    parts = {blob.digest(): len(blob.content) for image in (IMAGE, OTHER) for blob in (image, *image.blobs)}
    return sum(parts.values())


def booked(cast: Cast) -> int:
    return Quota.objects.get(project=cast.private).used


def recount() -> str:
    told = StringIO()
    call_command("recount", stdout=told)
    return told.getvalue()


def test_everything_counts_once_until_its_last_use_is_gone(cast: Cast, pushed: int) -> None:
    assert booked(cast) == books.used(cast.private.pk) == pushed
    first = Artifact.objects.get(repository__name="private/app")
    actions.delete_artifact(cast.alice.actor, first)
    assert booked(cast) == pushed
    second = Artifact.objects.get(repository__name="private/other", digest=IMAGE.digest())
    actions.delete_artifact(cast.alice.actor, second)
    assert booked(cast) == books.used(cast.private.pk) == size(OTHER)
    actions.delete_repository(cast.alice.actor, Repository.objects.get(name="private/other"))
    assert booked(cast) == books.used(cast.private.pk) == 0
    assert Quota.objects.get(project=cast.public).used == size(IMAGE)
    assert list(fsck.quotas()) == []


def size(image: Pushable) -> int:
    return sum(len(blob.content) for blob in (image, *image.blobs))


def test_a_drift_is_named_and_put_right(cast: Cast, pushed: int) -> None:
    assert recount() == "everything is as it should be\n"
    Quota.objects.filter(project=cast.private).update(used=5)
    assert list(fsck.quotas()) == [f"I3 private: 5 bytes are booked, {pushed} are used"]
    assert booked(cast) == 5

    assert recount() == f"private: {pushed} bytes are used, not 5\n1 put right\n"

    assert booked(cast) == pushed and list(fsck.quotas()) == []
    entry = Entry.objects.get(operation="update", resource_type="quota")
    assert (entry.username, entry.project_id) == ("system", cast.private.pk)
    assert recount() == "everything is as it should be\n"


def test_what_only_lies_about_is_not_used(cast: Cast, registry: FakeRegistry) -> None:
    registry.add_blob("private/app", b"of no image")
    assert books.used(cast.private.pk) == 0
    assert not books.pays_for(cast.private.pk, IMAGE.blobs[0].digest())
