"""The referrers API: what says something about a manifest, whether or not the manifest is there."""

from __future__ import annotations

import pytest

from tests.conformance.conftest import Place
from tests.stack import content
from tests.stack.content import OCI_INDEX, Blob, Pushable, digest_of
from tests.stack.wire import Answer

pytestmark = pytest.mark.stack

SIGNATURE = "application/vnd.haven.signature"
SBOM = "application/vnd.haven.sbom"


def referrers(place: Place, subject: Blob, algorithm: str, query: str = "") -> Answer:
    answer = place("GET", f"referrers/{subject.digest(algorithm)}{query}")
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == OCI_INDEX
    assert (answer.json["schemaVersion"], answer.json["mediaType"]) == (2, OCI_INDEX)
    return answer


def test_of_a_repository_that_is_not_there(place: Place, algorithm: str) -> None:
    assert referrers(place, Blob(b"nothing"), algorithm).json["manifests"] == []


def test_of_nothing_in_a_repository(place: Place, image: Pushable, algorithm: str) -> None:
    place.push("1", image)

    assert referrers(place, Blob(b"nothing"), algorithm).json["manifests"] == []


@pytest.mark.parametrize("order", ["subject-first", "subject-last", "subject-never"])
def test_all_kinds(place: Place, algorithm: str, order: str) -> None:
    subject = content.image(text=f"subject {order}", algorithm=algorithm)
    described = {"mediaType": subject.media_type, "digest": subject.digest(algorithm), "size": len(subject.content)}
    signed = content.artifact(SIGNATURE, subject=subject, algorithm=algorithm, annotations={"org.haven.by": "somebody"})
    listed = content.artifact(SBOM, Blob(b"sbom", "text/plain"), subject=subject, algorithm=algorithm)
    copied = content.image(text="another", algorithm=algorithm, subject=described)
    indexed = content.index(
        content.image(text="child", algorithm=algorithm),
        algorithm=algorithm,
        subject=described,
        annotations={"org.haven.of": "an index"},
    )
    if order == "subject-first":
        assert place.push("subject", subject).status == 201
    for pushed in (signed, listed, copied, indexed):
        answer = place.push(pushed.digest(algorithm), pushed)
        assert (answer.status, answer.headers["OCI-Subject"]) == (201, subject.digest(algorithm)), answer
    if order == "subject-last":
        assert place.push("subject", subject).status == 201

    found = referrers(place, subject, algorithm)

    assert "OCI-Filters-Applied" not in found.headers
    by_digest = {entry["digest"]: entry for entry in found.json["manifests"]}
    assert by_digest == {
        signed.digest(algorithm): signed.descriptor(
            algorithm, artifactType=SIGNATURE, annotations={"org.haven.by": "somebody"}
        ),
        listed.digest(algorithm): listed.descriptor(algorithm, artifactType=SBOM),
        copied.digest(algorithm): copied.descriptor(algorithm, artifactType=content.OCI_CONFIG),
        indexed.digest(algorithm): indexed.descriptor(algorithm, annotations={"org.haven.of": "an index"}),
    }

    filtered = referrers(place, subject, algorithm, f"?artifactType={SIGNATURE}")
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
    assert [entry["digest"] for entry in filtered.json["manifests"]] == [signed.digest(algorithm)]
    none = referrers(place, subject, algorithm, "?artifactType=application/vnd.nobody")
    assert none.json["manifests"] == []


def test_a_deleted_referrer_is_gone(maintainer_place: Place, image: Pushable, algorithm: str) -> None:
    signature = content.artifact(SIGNATURE, subject=image, algorithm=algorithm)
    assert maintainer_place.push(signature.digest(algorithm), signature).status == 201
    assert len(referrers(maintainer_place, image, algorithm).json["manifests"]) == 1

    assert maintainer_place("DELETE", f"manifests/{signature.digest(algorithm)}").status == 202

    assert referrers(maintainer_place, image, algorithm).json["manifests"] == []


@pytest.mark.parametrize("digest", ["sha256:bad", "latest", "sha256:" + "G" * 64, "md5:" + "0" * 32])
def test_a_malformed_digest_is_400(place: Place, digest: str) -> None:
    answer = place("GET", f"referrers/{digest}")

    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"]), answer


def test_signatures_by_tag_are_referrers_too(place: Place, image: Pushable) -> None:
    """Old clients keep referrers below the tag `sha256-<hex>`; what they wrote is answered as well."""
    place.push("1", image)
    signature = content.artifact(SIGNATURE, subject=image)
    place.push(signature.digest(), signature)
    fallback = content.manifest(
        {
            "schemaVersion": 2,
            "mediaType": OCI_INDEX,
            "manifests": [signature.descriptor(artifactType=SIGNATURE)],
        }
    )
    assert place.put_as(image.digest().replace(":", "-"), fallback).status == 201

    found = [entry["digest"] for entry in referrers(place, image, "sha256").json["manifests"]]

    assert found == [signature.digest()]


def test_only_of_this_repository(place: Place, image: Pushable) -> None:
    signature = content.artifact(SIGNATURE, subject=image)
    place.push(signature.digest(), signature)
    elsewhere = Place(place.client, f"{place.repository}-elsewhere")
    elsewhere.push("1", image)

    assert referrers(elsewhere, image, "sha256").json["manifests"] == []
    assert digest_of(signature.content) in referrers(place, image, "sha256").content.decode()
