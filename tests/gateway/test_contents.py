"""What a push records of what it brings."""

from __future__ import annotations

import pytest

from artifacts.models import Accessory, Artifact, ArtifactBlob, Blob, Reference, Repository, Tag
from projects.models import Quota
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, SIGNATURE, digest_of, door_of
from tests.stack import content


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
