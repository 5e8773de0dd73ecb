"""An artifact copied into another repository, with the registry in a dictionary."""

from __future__ import annotations

from functools import partial

import pytest

from accounts.actors import Actor
from accounts.errors import BadRequest, Denied, Forbidden
from accounts.models import User
from artifacts import actions, books, copying
from artifacts.models import Accessory, Artifact, Blob, Tag
from audit.models import Entry
from projects.models import Member, Project, Quota, Role
from registry.errors import ManifestBlobUnknown, RegistryError
from tests.artifacts.conftest import door_of
from tests.cast import Cast, make_project, make_robot, make_user
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, SIGNATURE, Door
from tests.races import at_once
from tests.stack import content
from tests.stack.content import Pushable
from tokens.upstream import registry as upstream

INDEX = content.index(IMAGE, content.image(text="arm", architecture="arm64"))


@pytest.fixture
def source(cast: Cast, registry: FakeRegistry) -> Artifact:
    """`private/app:v1`, which alice may copy to the project `public`."""
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    registry.calls.clear()
    return artifact_at("private/app", IMAGE)


def artifact_at(repository: str, pushed: Pushable) -> Artifact:
    rows = Artifact.objects.select_related("repository__project")
    return rows.get(repository__name=repository, digest=pushed.digest(pushed.algorithm))


def copy(actor: Actor, source: Artifact, project: Project, name: str = "copied", *tags: str) -> None:
    copies = copying.prepare(upstream(), source, project.pk, f"{project.name}/{name}", tags)
    actions.record_copy(actor, source, project, copies)


def size_of(*parts: Pushable) -> int:
    """Bytes of all that `parts` are made of, each once."""
    blobs = {blob.digest(): len(blob.content) for part in parts for blob in (part, *part.blobs)}
    return sum(blobs.values())


def used(project: Project) -> int:
    booked = Quota.objects.get(project=project).used
    assert booked == books.used(project.pk)
    return booked


def test_a_copy_is_pulled_like_the_original(cast: Cast, registry: FakeRegistry, source: Artifact) -> None:
    Entry.objects.all().delete()
    copy(cast.alice.actor, source, cast.public, "copied", "v1", "latest")

    door = door_of(cast.alice)
    for reference in ("v1", "latest", IMAGE.digest()):
        assert door.get("public/copied", reference).content == IMAGE.content
    made = artifact_at("public/copied", IMAGE)
    for name in ("type", "media_type", "config_media_type", "size", "extra_attrs", "annotations", "kept"):
        assert getattr(made, name) == getattr(source, name), name
    assert used(cast.public) == size_of(IMAGE)
    for blob in IMAGE.blobs:
        assert ("public/copied", blob.digest()) in registry.blobs
    assert not [call for call in registry.called("PUT") if "/blobs/" in call.path]
    entry = Entry.objects.get(operation="create", resource_type="artifact")
    assert (entry.resource, entry.project_id, entry.username) == ("public/copied:v1", cast.public.pk, "alice")
    assert entry.details["copied_from"] == f"private/app@{IMAGE.digest()}"
    assert (entry.details["tag"], entry.details["tags"]) == ("v1", ["v1", "latest"])


def test_a_copy_of_a_copy_costs_nothing(cast: Cast, registry: FakeRegistry, source: Artifact) -> None:
    for name in ("one", "two", "one"):
        copy(cast.alice.actor, source, cast.public, name, "v1")
    copy(cast.alice.actor, source, cast.private, "app", "v2")
    assert used(cast.public) == used(cast.private) == size_of(IMAGE)
    assert Tag.objects.filter(artifact=source).count() == 2
    registry.calls.clear()
    copy(cast.alice.actor, source, cast.public, "one", "v1")
    assert registry.calls == []


def test_children_and_accessories_come_along(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.developer)
    nested = content.index(INDEX)
    signature = content.artifact(SIGNATURE, subject=IMAGE)
    about = content.artifact("application/vnd.test.about", subject=signature)
    door.push(registry, "private/app", "multi", nested)
    for accessory in (signature, about):
        assert door.push(registry, "private/app", accessory.digest(), accessory).status_code == 201
    door.push(registry, "private/app", "other", content.image(text="not this one"))

    copy(cast.alice.actor, artifact_at("private/app", nested), cast.public, "copied", "multi")

    made = {row.digest for row in Artifact.objects.filter(repository__name="public/copied")}
    everything = (nested, INDEX, *INDEX.children, signature, about)
    assert made == {part.digest() for part in everything}
    kin = Accessory.objects.filter(repository__name="public/copied").select_related("subject", "artifact")
    assert {(row.artifact.digest, row.subject and row.subject.digest) for row in kin} == {
        (signature.digest(), IMAGE.digest()),
        (about.digest(), signature.digest()),
    }
    assert set(Tag.objects.filter(repository__name="public/copied").values_list("name", flat=True)) == {"multi"}
    assert used(cast.public) == size_of(*everything)
    assert Entry.objects.filter(operation="create", project_id=cast.public.pk).count() == 1


def test_a_signature_by_tag_stays_one(cast: Cast, registry: FakeRegistry, source: Artifact) -> None:
    tag = f"{IMAGE.digest().replace(':', '-')}.sig"
    layer = content.layer({"signature": b"x"})
    signed = content.manifest(
        {
            **content.image(layer, text="signature").document,
            "layers": [
                {
                    "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
                    "digest": layer.digest(),
                    "size": len(layer.content),
                }
            ],
        },
        blobs=content.image(layer, text="signature").blobs,
    )
    assert door_of(cast.developer).push(registry, "private/app", tag, signed).status_code == 201

    copy(cast.alice.actor, source, cast.public, "copied", "v1")

    kin = Accessory.objects.get(repository__name="public/copied")
    assert kin.subject == artifact_at("public/copied", IMAGE)
    assert set(Tag.objects.filter(repository__name="public/copied").values_list("name", flat=True)) == {"v1", tag}


def test_by_sha512(cast: Cast, registry: FakeRegistry) -> None:
    image = content.image(text="by sha512", algorithm="sha512")
    door = door_of(cast.developer)
    assert door.push(registry, "private/app", image.digest("sha512"), image).status_code == 201
    copy(cast.alice.actor, artifact_at("private/app", image), cast.public, "copied", "v1")
    assert door_of(cast.alice).get("public/copied", "v1").content == image.content
    assert used(cast.public) == used(cast.private)


def test_who_may(cast: Cast, registry: FakeRegistry, source: Artifact) -> None:
    """Pull here and push there, asked in the moment of writing."""
    may_read = ("repository:pull", "artifact:read")
    may_write = ("repository:push", "artifact:create")
    reader, _ = make_robot("reader", cast.private, *may_read)
    lister, _ = make_robot("lister", cast.private, "artifact:read", "artifact:create")
    pusher, _ = make_robot("pusher", cast.private, *may_read, *may_write)
    for actor in (cast.stranger.actor, cast.guest.actor, reader.actor, lister.actor):
        with pytest.raises(Forbidden):
            copy(actor, source, cast.private)
    with pytest.raises(Forbidden):
        copy(cast.developer.actor, source, cast.public)
    with pytest.raises(Forbidden):
        copy(make_member(cast.public, "outsider").actor, source, cast.public)
    assert Artifact.objects.count() == 1 and used(cast.public) == 0
    copy(pusher.actor, source, cast.private)
    assert Artifact.objects.count() == 2


def make_member(project: Project, name: str) -> User:
    user = make_user(name)
    Member.objects.create(project=project, user=user, role=Role.DEVELOPER)
    return user


def test_the_quota(cast: Cast, registry: FakeRegistry, source: Artifact) -> None:
    Quota.objects.filter(project=cast.public).update(hard=size_of(IMAGE) - 1)
    with pytest.raises(Denied, match=f"adding {size_of(IMAGE)} B of storage resource, which when updated to current"):
        copy(cast.alice.actor, source, cast.public)
    assert registry.calls == []
    assert Artifact.objects.count() == 1 and Blob.objects.filter(repository__project=cast.public).count() == 0

    copies = copying.prepare(upstream(), source, cast.private.pk, "private/copied", ())
    Quota.objects.filter(project=cast.private).update(hard=1)
    actions.record_copy(cast.alice.actor, source, cast.private, copies)  # paid for already
    Quota.objects.filter(project=cast.public).update(hard=size_of(IMAGE))
    copies = copying.prepare(upstream(), source, cast.public.pk, "public/copied", ())
    Quota.objects.filter(project=cast.public).update(hard=1)
    with pytest.raises(Denied):
        actions.record_copy(cast.alice.actor, source, cast.public, copies)
    assert not Artifact.objects.filter(project=cast.public).exists() and used(cast.public) == 0


def test_what_the_registry_lost_is_not_copied(cast: Cast, registry: FakeRegistry, source: Artifact) -> None:
    lost = IMAGE.blobs[0].digest()
    del registry.blobs["private/app", lost]
    with pytest.raises(ManifestBlobUnknown):
        copy(cast.alice.actor, source, cast.public)
    registry.blobs["private/app", lost] = IMAGE.blobs[0].content
    registry.failures += [("PUT", ".*/manifests/.*", (500, {}, b""))] * 20
    with pytest.raises(RegistryError):
        copy(cast.alice.actor, source, cast.public)
    assert Artifact.objects.count() == 1 and used(cast.public) == 0
    registry.failures.clear()
    copy(cast.alice.actor, source, cast.public)
    assert Artifact.objects.count() == 2


def test_too_much_at_once(cast: Cast, registry: FakeRegistry, source: Artifact) -> None:
    Artifact.objects.filter(pk=source.pk).update(manifest_size=copying.MOST_BYTES + 1)
    with pytest.raises(BadRequest):
        copy(cast.alice.actor, source, cast.public)
    assert registry.calls == []


@pytest.mark.django_db(transaction=True)
def test_copies_and_pushes_at_once_are_counted_once(registry: FakeRegistry) -> None:
    owner = make_user("owner")
    origin, target = make_project("origin", owner), make_project("target", owner)
    door = Door(owner.actor)
    for number in range(4):
        image = content.image(content.layer({"shared": b"x" * 3000}), text=str(number))
        assert door.push(registry, "origin/app", f"v{number}", image).status_code == 201
        source = artifact_at("origin/app", image)
        outcomes = at_once(
            [
                partial(copy, owner.actor, source, target, "one", "v1"),
                partial(copy, owner.actor, source, target, "two", "v1"),
                partial(copy, owner.actor, source, target, "one", "v2"),
                partial(door.push, registry, "target/three", "v1", image),
            ]
        )
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
        assert Artifact.objects.filter(project=target, digest=image.digest()).count() == 3
        used(target)

    image = content.image(text="at the edge")
    door.push(registry, "origin/app", "edge", image)
    source = artifact_at("origin/app", image)
    other = content.image(text="the other at the edge")
    Quota.objects.filter(project=target).update(hard=used(target) + size_of(image) + 10)
    outcomes = at_once(
        [
            partial(copy, owner.actor, source, target, "one", "edge"),
            partial(door.push, registry, "target/three", "edge", other),
        ]
    )
    assert sum(isinstance(one, Denied) or getattr(one, "status_code", 0) == 403 for one in outcomes) == 1, outcomes
    used(target)
    used(origin)
