from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any

import pytest

from artifacts.contents import PAUSES
from artifacts.models import Accessory, Artifact, ArtifactBlob, Blob, Manifest, Reference, Repository, Tag
from audit.models import Entry
from projects.models import Member, Project, Quota
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import door_of
from tests.stack import content
from tokens.scopes import Scope
from tokens.signing import mint

IMAGE = content.image(text="a picture")


def nothing_happened(registry: FakeRegistry) -> None:
    assert registry.manifests == {}
    assert not registry.called("PUT")
    assert not Artifact.objects.exists()
    assert not Repository.objects.exists()
    assert not Entry.objects.exists()
    assert set(Quota.objects.values_list("used", flat=True)) <= {0}


def test_a_push_is_stored_and_recorded(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 201
    assert answer["Location"] == f"/v2/private/app/manifests/{IMAGE.digest()}"
    assert answer["Docker-Content-Digest"] == IMAGE.digest()
    assert registry.manifests == {("private/app", IMAGE.digest()): (IMAGE.media_type, IMAGE.content)}
    assert registry.known_tags == {}  # tags are ours
    artifact = Artifact.objects.get()
    assert (artifact.digest, artifact.type, artifact.media_type) == (IMAGE.digest(), "IMAGE", IMAGE.media_type)
    assert artifact.size == len(IMAGE.content) + sum(len(blob.content) for blob in IMAGE.blobs)
    assert artifact.extra_attrs["architecture"] == "amd64"
    assert bytes(artifact.manifest.content) == IMAGE.content
    assert [tag.name for tag in artifact.tags.all()] == ["v1"]
    assert Quota.objects.get(project=cast.private).used == artifact.size
    entry = Entry.objects.get()
    assert (entry.username, entry.operation, entry.resource_type, entry.resource, entry.project_id) == (
        "developer",
        "create",
        "artifact",
        "private/app:v1",
        cast.private.pk,
    )


def test_what_was_pushed_is_pulled_byte_for_byte(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    for reference in ("v1", IMAGE.digest()):
        got = door_of(cast.guest).get("private/app", reference)
        assert (got.status_code, got.content) == (200, IMAGE.content)
        assert got["Content-Type"] == IMAGE.media_type
        assert got["Docker-Content-Digest"] == IMAGE.digest()
        assert got["ETag"] == f'"{IMAGE.digest()}"'
        head = door_of(cast.guest).get("private/app", reference, "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert head["Content-Length"] == str(len(IMAGE.content))


@pytest.mark.parametrize("header", ['"{}"', 'W/"{}"', '"x", "{}"'])
def test_if_none_match(cast: Cast, registry: FakeRegistry, header: str) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    got = door_of(cast.guest).get("private/app", "v1", HTTP_IF_NONE_MATCH=header.format(IMAGE.digest()))

    assert (got.status_code, got.content) == (304, b"")
    assert door_of(cast.guest).get("private/app", "v1", HTTP_IF_NONE_MATCH='"sha256:other"').status_code == 200


@pytest.mark.parametrize("who", ["stranger", None])
def test_an_old_token_does_not_tell_a_new_project(cast: Cast, registry: FakeRegistry, who: str | None) -> None:
    door = door_of(getattr(cast, who) if who else None)
    long_ago = int(time.time()) - 600

    def refused(project: str) -> tuple[int, bytes, str]:
        scope = Scope("repository", f"{project}/app", frozenset({"pull"}))
        answer = door.get(f"{project}/app", "v1", token=mint(door.actor, [scope], 1800, now=long_ago))
        told = answer.content.replace(project.encode(), b"it")
        return answer.status_code, told, answer.headers.get("WWW-Authenticate", "").replace(project, "it")

    assert refused("private") == refused("nothing")
    assert refused("public")[0] == 401  # everybody may see that one; the token is older than it all the same


@pytest.mark.parametrize("who", ["guest", "limited_guest", "stranger"])
def test_who_may_not_push_changes_nothing(cast: Cast, registry: FakeRegistry, who: str) -> None:
    answer = door_of(getattr(cast, who)).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "DENIED"
    nothing_happened(registry)


def test_a_guest_reads_why(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.guest, "pull").push(registry, "private/app", "v1", IMAGE)

    assert "you may pull from private/app, but not push" in answer.json()["errors"][0]["message"]


def test_a_token_for_something_else_changes_nothing(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.developer)
    answer = door.put("private/app", "v1", IMAGE, token=door.token("private/other"))

    assert answer.status_code == 401
    assert 'scope="repository:private/app:pull,push"' in answer["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
    nothing_happened(registry)


def test_without_a_token_there_is_a_challenge(cast: Cast, registry: FakeRegistry) -> None:
    for path in ("public/app/manifests/v1", "nowhere/app/manifests/v1", "private/app/manifests/v1"):
        answer = door_of(None)("GET", path, token="")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == (
            'Bearer realm="http://haven.test:8080/service/token",service="harbor-registry",'
            f'scope="repository:{path.partition("/manifests")[0]}:pull"'
        )


def test_a_stranger_cannot_tell_a_private_project_from_none(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    def seen(answer: Any) -> tuple[Any, ...]:
        headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
        return answer.status_code, headers, answer.content.replace(b"private", b"nowhere")

    for user in (cast.stranger, None):
        door = door_of(user)
        there, not_there = (door.get(f"{project}/app", "v1") for project in ("private", "nowhere"))
        assert there.status_code in (401, 403)
        assert [value.replace("private", "nowhere") for value in map(str, seen(there))] == list(
            map(str, seen(not_there))
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda cast: Member.objects.filter(user=cast.developer).delete(),
        lambda cast: type(cast.developer).objects.filter(pk=cast.developer.pk).update(is_active=False),
        lambda cast: type(cast.developer).objects.filter(pk=cast.developer.pk).update(deleted=True),
        lambda cast: type(cast.developer).objects.filter(pk=cast.developer.pk).update(auth_epoch=7),
    ],
    ids=["removed", "disabled", "deleted", "new password"],
)
def test_a_token_is_worth_what_its_owner_is_now(
    cast: Cast, registry: FakeRegistry, change: Callable[[Cast], object]
) -> None:
    door = door_of(cast.developer)
    door.push(registry, "private/app", "v1", IMAGE)
    assert door.get("private/app", "v1").status_code == 200

    change(cast)

    for method in ("GET", "HEAD", "DELETE"):
        assert door.get("private/app", "v1", method).status_code in (401, 403)
    assert door.put("private/app", "v2", IMAGE).status_code in (401, 403)
    assert list(Tag.objects.values_list("name", flat=True)) == ["v1"]


def test_a_project_made_private(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.alice).push(registry, "public/app", "v1", IMAGE)
    assert door_of(None).get("public/app", "v1").status_code == 200
    assert door_of(cast.stranger).get("public/app", "v1").status_code == 200

    Project.objects.filter(pk=cast.public.pk).update(public=False)

    assert door_of(None).get("public/app", "v1").status_code == 401
    assert door_of(cast.stranger).get("public/app", "v1").status_code == 403


def test_a_corrupt_row_is_not_served(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    Manifest.objects.update(content=IMAGE.content + b" ")

    answer = door_of(cast.guest).get("private/app", "v1")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "UNAVAILABLE")


def digest_of(artifact: Artifact | None) -> str:
    return artifact.digest if artifact else ""


# What a push is checked for


def test_an_unknown_blob(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer).put("private/app", "v1", IMAGE)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
    nothing_happened(registry)


@pytest.mark.parametrize("size", [0, 99999, 2**63 - 1])
def test_a_size_that_is_not_the_blobs(cast: Cast, registry: FakeRegistry, size: int) -> None:
    document = {**IMAGE.document, "layers": [{**IMAGE.document["layers"][0], "size": size}]}
    lie = content.manifest(document, IMAGE.blobs)

    answer = door_of(cast.developer).push(registry, "private/app", "v1", lie)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "SIZE_INVALID")
    nothing_happened(registry)


def test_another_digest(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer).push(registry, "private/app", "sha256:" + "0" * 64, IMAGE)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    nothing_happened(registry)


@pytest.mark.parametrize("reference", ["-v1", "sha256:short", "v" * 129])
def test_a_reference_that_is_none(cast: Cast, registry: FakeRegistry, reference: str) -> None:
    door = door_of(cast.developer)

    assert door.push(registry, "private/app", reference, IMAGE).status_code == 400
    assert door.get("private/app", reference).status_code in (400, 404)
    nothing_happened(registry)


def test_a_manifest_that_is_too_large(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer)("PUT", "private/app/manifests/v1", b" " * (4 * 2**20 + 1), IMAGE.media_type)

    assert answer.status_code == 413
    nothing_happened(registry)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'{"schemaVersion":2}', b'{"a":1,"a":2}'])
def test_what_is_no_manifest(cast: Cast, registry: FakeRegistry, body: bytes) -> None:
    answer = door_of(cast.developer)("PUT", "private/app/manifests/v1", body, IMAGE.media_type)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "MANIFEST_INVALID")
    nothing_happened(registry)


def test_an_unknown_child(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer).put("private/app", "v1", content.index(IMAGE))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "MANIFEST_BLOB_UNKNOWN")
    nothing_happened(registry)


def test_a_child_of_another_repository(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.developer)
    door.push(registry, "private/other", "v1", IMAGE)

    assert door.put("private/app", "v1", content.index(IMAGE)).status_code == 400
    assert not Repository.objects.filter(name="private/app").exists()


TRIES = len(PAUSES) + 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_registry_that_fails(cast: Cast, registry: FakeRegistry, status: int) -> None:
    for _ in range(TRIES):
        registry.fail("PUT", "/manifests/", status)

    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert not Artifact.objects.exists()
    assert not Entry.objects.exists()


def test_a_registry_that_forgets(cast: Cast, registry: FakeRegistry) -> None:
    """After a full disk `distribution` says 201 for a manifest that it will never serve again."""
    for _ in range(2 * TRIES):
        registry.fail("GET", "/manifests/", 500)

    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 503
    assert not Artifact.objects.exists()
    assert not Tag.objects.exists()


def test_a_registry_that_returns_other_bytes(cast: Cast, registry: FakeRegistry) -> None:
    other = content.image(text="other").content
    registry.failures += [("GET", "/manifests/", (200, {"Content-Type": IMAGE.media_type}, other))] * 2 * TRIES

    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 503
    assert not Artifact.objects.exists()


@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_registry_that_stumbles(cast: Cast, registry: FakeRegistry, method: str) -> None:
    """As it does when the same manifest is pushed by somebody else at the same time."""
    registry.fail(method, "/manifests/", 500)

    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 201
    assert Entry.objects.filter(operation="create", resource_type="artifact").count() == 1


def test_the_read_only_mode(cast: Cast, registry: FakeRegistry, settings: Any) -> None:
    from configuration import values

    door = door_of(cast.developer)
    door.push(registry, "private/app", "v1", IMAGE)
    values.set_values({"read_only": True})
    values.forget()

    for answer in (
        door.push(registry, "private/app", "v2", IMAGE),
        door("POST", "private/app/blobs/uploads/"),
        door_of(cast.maintainer).get("private/app", "v1", "DELETE"),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")
        assert "read only mode" in answer.json()["errors"][0]["message"]
    assert door.get("private/app", "v1").status_code == 200
    assert list(Tag.objects.values_list("name", flat=True)) == ["v1"]


# Tags, indexes, sha512


def test_a_tag_moves(cast: Cast, registry: FakeRegistry) -> None:
    door, newer = door_of(cast.developer), content.image(text="newer")
    door.push(registry, "private/app", "v1", IMAGE)
    door.push(registry, "private/app", "v1", newer)

    assert door.get("private/app", "v1").content == newer.content
    assert door.get("private/app", IMAGE.digest()).content == IMAGE.content
    assert Tag.objects.get().artifact.digest == newer.digest()


def test_a_second_push_asks_the_registry_for_no_blob(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.developer)
    door.push(registry, "private/app", "v1", IMAGE)
    registry.calls.clear()
    door.put("private/app", "v2", IMAGE)

    assert registry.called("HEAD") == []
    assert Artifact.objects.count() == 1
    assert Tag.objects.count() == 2
    assert ArtifactBlob.objects.count() == len(IMAGE.blobs)


def test_layers_count_once_in_a_project(cast: Cast, registry: FakeRegistry) -> None:
    door, layer = door_of(cast.developer), content.layer({"big": b"x" * 1000})
    first, second = content.image(layer, text="1"), content.image(layer, text="2")
    door.push(registry, "private/app", "v1", first)
    used = Quota.objects.get(project=cast.private).used
    door.push(registry, "private/other", "v1", second)

    config = second.blobs[0]
    assert Quota.objects.get(project=cast.private).used == used + len(second.content) + len(config.content)


def test_the_quota(cast: Cast, registry: FakeRegistry) -> None:
    Quota.objects.filter(project=cast.private).update(hard=100)

    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")
    assert "Quota exceeded" in answer.json()["errors"][0]["message"]
    assert not Artifact.objects.exists()
    assert not Repository.objects.exists()
    assert Quota.objects.get(project=cast.private).used == 0


def test_an_index(cast: Cast, registry: FakeRegistry) -> None:
    other = content.image(text="arm", architecture="arm64")
    index = content.index(IMAGE, other)
    nested = content.index(index)

    assert door_of(cast.developer).push(registry, "private/app", "v1", nested).status_code == 201

    row = Artifact.objects.get(digest=index.digest())
    assert [reference.platform["architecture"] for reference in row.references.order_by("position")] == [
        "amd64",
        "arm64",
    ]
    children = Artifact.objects.filter(digest__in=[IMAGE.digest(), other.digest()])
    assert row.size == len(index.content) + sum(child.size for child in children)
    assert [shown.digest for shown in Artifact.objects.listed()] == [nested.digest()]


def test_buildkit_attestations_are_no_platform(cast: Cast, registry: FakeRegistry) -> None:
    about = content.image(content.layer({"provenance": b"{}"}), text="attestation")
    annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": IMAGE.digest()}
    document = {
        **content.index(IMAGE).document,
        "manifests": [
            IMAGE.descriptor(platform={"os": "linux", "architecture": "amd64"}),
            about.descriptor(platform={"os": "unknown", "architecture": "unknown"}, annotations=annotations),
        ],
    }
    index = content.manifest(document, children=(IMAGE, about))
    door_of(cast.developer).push(registry, "private/app", "v1", index)

    accessory = Accessory.objects.get()
    assert (accessory.type, digest_of(accessory.subject), accessory.artifact.digest) == (
        "attestation.buildkit",
        IMAGE.digest(),
        about.digest(),
    )
    assert [reference.platform for reference in Reference.objects.order_by("position")] == [
        {"os": "linux", "architecture": "amd64"},
        {},
    ]


def test_sha512(cast: Cast, registry: FakeRegistry) -> None:
    image = content.image(text="longer", algorithm="sha512")
    index = content.index(image, algorithm="sha512")
    door = door_of(cast.developer)

    answer = door.push(registry, "private/app", index.digest("sha512"), index)

    assert answer.status_code == 201, answer.content
    assert answer["Docker-Content-Digest"] == index.digest("sha512")
    for pushed in (image, index):
        got = door.get("private/app", pushed.digest("sha512"))
        assert (got.status_code, got.content) == (200, pushed.content)
        row = Artifact.objects.get(digest=pushed.digest("sha512"))
        assert (row.stored_digest, row.kept) == (pushed.digest(), "blob")
        assert registry.blobs["private/app", pushed.digest()] == pushed.content
    assert Blob.objects.get(digest=image.blobs[0].digest("sha512")).stored_digest == image.blobs[0].digest()


# Subjects


SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


@pytest.mark.parametrize("subject_first", [True, False])
def test_a_subject_may_come_later(cast: Cast, registry: FakeRegistry, subject_first: bool) -> None:
    door, signature = door_of(cast.developer), content.artifact(SIGNATURE, subject=IMAGE)
    pushes = [("v1", IMAGE), (signature.digest(), signature)]
    for reference, pushed in pushes if subject_first else reversed(pushes):
        answer = door.push(registry, "private/app", reference, pushed)
        assert answer.get("OCI-Subject") == (IMAGE.digest() if pushed is signature else None)

    accessory = Accessory.objects.get()
    assert (accessory.type, digest_of(accessory.subject), accessory.subject_digest) == (
        "signature.cosign",
        IMAGE.digest(),
        IMAGE.digest(),
    )
    assert [shown.digest for shown in Artifact.objects.listed()] == [IMAGE.digest()]


def test_cosigns_tag(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.developer)
    door.push(registry, "private/app", "v1", IMAGE)
    layer = content.Blob(b"{}signed", "application/vnd.dev.cosign.simplesigning.v1+json")
    signature = content.image(layer, text="signature")
    tag = IMAGE.digest().replace(":", "-") + ".sig"
    door.push(registry, "private/app", tag, signature)

    accessory = Accessory.objects.get()
    assert (accessory.type, digest_of(accessory.subject)) == ("signature.cosign", IMAGE.digest())


def test_referrers(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.developer)
    one = content.artifact(SIGNATURE, subject=IMAGE, annotations={"by": "me"})
    two = content.artifact("application/vnd.sbom", content.Blob(b"bill"), subject=IMAGE)
    for pushed in (one, two):
        door.push(registry, "private/app", pushed.digest(), pushed)

    everything = door("GET", f"private/app/referrers/{IMAGE.digest()}")
    assert everything["Content-Type"] == content.OCI_INDEX
    assert "OCI-Filters-Applied" not in everything
    assert everything.json() == {
        "schemaVersion": 2,
        "mediaType": content.OCI_INDEX,
        "manifests": [
            {
                "mediaType": one.media_type,
                "digest": one.digest(),
                "size": len(one.content),
                "artifactType": SIGNATURE,
                "annotations": {"by": "me"},
            },
            {
                "mediaType": two.media_type,
                "digest": two.digest(),
                "size": len(two.content),
                "artifactType": "application/vnd.sbom",
            },
        ],
    }
    some = door("GET", f"private/app/referrers/{IMAGE.digest()}?artifactType=application/vnd.sbom")
    assert some["OCI-Filters-Applied"] == "artifactType"
    assert [entry["digest"] for entry in some.json()["manifests"]] == [two.digest()]
    nothing = door("GET", f"private/nowhere/referrers/sha256:{'0' * 64}")
    assert (nothing.status_code, nothing.json()["manifests"]) == (200, [])
    assert door("GET", "private/app/referrers/sha256:bad").status_code == 400


# Deleting


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


def test_digests_are_those_of_the_bytes() -> None:
    assert IMAGE.digest() == f"sha256:{hashlib.sha256(IMAGE.content).hexdigest()}"
