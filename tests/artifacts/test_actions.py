from __future__ import annotations

import pytest

from accounts.errors import BadRequest, Conflict, Denied, Forbidden, NotFound
from artifacts import actions
from artifacts.models import Accessory, Artifact, Blob, Repository, Tag
from artifacts.removal import InUse
from audit.models import Entry
from configuration import values
from projects.models import Quota
from tests.artifacts.conftest import door_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, SIGNATURE
from tests.stack import content


@pytest.fixture
def artifact(cast: Cast, registry: FakeRegistry) -> Artifact:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    Entry.objects.all().delete()
    return Artifact.objects.get()


def entries() -> list[tuple[str, str, str]]:
    return list(Entry.objects.values_list("operation", "resource_type", "resource"))


def test_create_tag(cast: Cast, artifact: Artifact) -> None:
    tag = actions.create_tag(cast.developer.actor, artifact, "v2")

    assert tag.artifact == artifact
    assert entries() == [("create", "tag", "private/app:v2")]
    with pytest.raises(Conflict):
        actions.create_tag(cast.developer.actor, artifact, "v2")
    for name in ("", "-x", "a b", "x" * 129, "a\n"):
        with pytest.raises(BadRequest):
            actions.create_tag(cast.developer.actor, artifact, name)
    with pytest.raises(Forbidden):
        actions.create_tag(cast.guest.actor, artifact, "v3")
    assert set(Tag.objects.values_list("name", flat=True)) == {"v1", "v2"}


def test_delete_tag(cast: Cast, artifact: Artifact) -> None:
    tag = Tag.objects.get()
    with pytest.raises(Forbidden):
        actions.delete_tag(cast.developer.actor, tag)
    actions.delete_tag(cast.maintainer.actor, tag)

    assert Artifact.objects.filter(pk=artifact.pk).exists()
    assert entries() == [("delete", "tag", "private/app:v1")]
    tag.pk = 1_000_000
    with pytest.raises(NotFound):
        actions.delete_tag(cast.maintainer.actor, tag)


def test_delete_artifact(cast: Cast, artifact: Artifact) -> None:
    with pytest.raises(Forbidden):
        actions.delete_artifact(cast.developer.actor, artifact)
    actions.delete_artifact(cast.maintainer.actor, artifact)

    assert not Artifact.objects.exists()
    assert Repository.objects.exists()
    assert Blob.objects.exists()  # their bytes are there until collection
    assert Quota.objects.get(project=cast.private).used == 0
    assert entries() == [("delete", "artifact", f"private/app@{IMAGE.digest()}")]
    with pytest.raises(NotFound):
        actions.delete_artifact(cast.maintainer.actor, artifact)


def test_delete_what_an_index_names(cast: Cast, registry: FakeRegistry, artifact: Artifact) -> None:
    door_of(cast.developer).push(registry, "private/app", "multi", content.index(IMAGE))

    with pytest.raises(InUse) as refused:
        actions.delete_artifact(cast.maintainer.actor, artifact)
    assert refused.value.code == "VIOLATE_FOREIGN_KEY_CONSTRAINT"


def test_delete_repository(cast: Cast, registry: FakeRegistry, artifact: Artifact) -> None:
    door = door_of(cast.developer)
    signature = content.artifact(SIGNATURE, subject=IMAGE)
    door.push(registry, "private/app", "multi", content.index(content.index(IMAGE)))
    door.push(registry, "private/app", signature.digest(), signature)
    door.push(registry, "private/other", "v1", IMAGE)
    repository = artifact.repository

    with pytest.raises(Forbidden):
        actions.delete_repository(cast.developer.actor, repository)
    actions.delete_repository(cast.maintainer.actor, repository)

    assert [left.name for left in Repository.objects.all()] == ["private/other"]
    assert Artifact.objects.count() == 1
    assert not Accessory.objects.exists()
    left = len(IMAGE.content) + sum(len(blob.content) for blob in IMAGE.blobs)
    assert Quota.objects.get(project=cast.private).used == left
    with pytest.raises(NotFound):
        actions.delete_repository(cast.maintainer.actor, repository)


def test_update_repository(cast: Cast, artifact: Artifact) -> None:
    with pytest.raises(Forbidden):
        actions.update_repository(cast.guest.actor, artifact.repository, "no")
    actions.update_repository(cast.developer.actor, artifact.repository, "An <app>")

    assert Repository.objects.get().description == "An <app>"
    assert entries() == [("update", "repository", "private/app")]


def test_nothing_is_written_in_read_only_mode(cast: Cast, artifact: Artifact) -> None:
    values.set_values({"read_only": True})
    actor = cast.maintainer.actor
    for act in (
        lambda: actions.create_tag(actor, artifact, "v2"),
        lambda: actions.delete_tag(actor, Tag.objects.get()),
        lambda: actions.delete_artifact(actor, artifact),
        lambda: actions.delete_repository(actor, artifact.repository),
        lambda: actions.update_repository(actor, artifact.repository, "x"),
    ):
        with pytest.raises(Denied):
            act()
    assert entries() == []


def test_lists(cast: Cast, registry: FakeRegistry, artifact: Artifact) -> None:
    door = door_of(cast.developer)
    index, signature = content.index(content.image(text="child")), content.artifact(SIGNATURE, subject=IMAGE)
    door.push(registry, "private/app", "multi", index)
    door.push(registry, "private/app", signature.digest(), signature)
    untagged = content.image(text="untagged")
    door.push(registry, "private/app", untagged.digest(), untagged)

    shown = {row.digest for row in Artifact.objects.listed()}
    assert shown == {IMAGE.digest(), index.digest(), untagged.digest()}
    rows = Artifact.objects.listed().with_tags().with_references().with_accessories().order_by("pk")
    assert [[tag.name for tag in row.tags.all()] for row in rows] == [["v1"], ["multi"], []]
    assert [len(row.references.all()) for row in rows] == [0, 1, 0]
    assert [len(row.accessories.all()) for row in rows] == [1, 0, 0]
    assert vars(Repository.objects.with_counts().get())["artifact_count"] == 3


@pytest.mark.parametrize("who", ["admin", "guest", "stranger", None])
def test_who_sees_which_repositories(cast: Cast, registry: FakeRegistry, artifact: Artifact, who: str | None) -> None:
    from accounts.actors import ANONYMOUS

    door_of(cast.alice).push(registry, "public/app", "v1", IMAGE)
    actor = getattr(cast, who).actor if who else ANONYMOUS

    seen = set(Repository.objects.visible_to(actor).values_list("name", flat=True))

    assert seen == ({"private/app", "public/app"} if who in ("admin", "guest") else {"public/app"})
