"""Manifests: every data set of the suite pushed, listed, read and deleted; and what must be refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

import pytest

from tests.conformance.conftest import ALGORITHMS, Place
from tests.stack import content
from tests.stack.content import OCI_IMAGE, OCI_INDEX, Blob, Pushable, digest_of

pytestmark = pytest.mark.stack

ABSENT = Blob(b'{"absent": true}', OCI_IMAGE)
FOREIGN = {
    "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "digest": digest_of(b"never pushed"),
    "size": 123456,
    "urls": ["https://store.haven.test/layer"],
}


def uncompressed(algorithm: str) -> Pushable:
    return content.image(Blob(b"no gzip here" * 50, "application/vnd.oci.image.layer.v1.tar"), algorithm=algorithm)


def large(algorithm: str) -> Pushable:
    """3.9 MB of manifest."""
    return content.image(algorithm=algorithm, annotations={"org.haven.large": "x" * 3_900_000})


def nested(algorithm: str) -> Pushable:
    inner = content.index(content.image(text="deep", algorithm=algorithm), algorithm=algorithm)
    return content.index(inner, content.image(text="shallow", algorithm=algorithm), algorithm=algorithm)


def foreign_layer(algorithm: str) -> Pushable:
    image = content.image(algorithm=algorithm)
    return content.manifest(
        {**image.document, "layers": [*image.document["layers"], FOREIGN]}, image.blobs, algorithm=algorithm
    )


def data_field(algorithm: str) -> Pushable:
    return content.manifest(
        {
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "artifactType": "application/vnd.haven.test",
            "config": content.EMPTY.descriptor(algorithm, data="e30="),
            "layers": [content.EMPTY.descriptor(algorithm, data="e30=")],
        },
        [content.EMPTY],
        algorithm=algorithm,
    )


DATA: dict[str, Callable[[str], Pushable]] = {
    "image": lambda algorithm: content.image(text="data", algorithm=algorithm),
    "uncompressed": uncompressed,
    "large": large,
    "index": lambda algorithm: content.index(
        *(content.image(text=each, architecture=each, algorithm=algorithm) for each in ("amd64", "arm64")),
        algorithm=algorithm,
    ),
    "nested-index": nested,
    "empty-index": lambda algorithm: content.index(algorithm=algorithm),
    "artifact": lambda algorithm: content.artifact(
        "application/vnd.haven.test", Blob(b"an artifact", "text/plain"), algorithm=algorithm
    ),
    "artifact-index": lambda algorithm: content.index(
        content.artifact("application/vnd.haven.test", algorithm=algorithm),
        algorithm=algorithm,
        artifactType="application/vnd.haven.test",
    ),
    "artifact-without-layers": lambda algorithm: content.manifest(
        {
            "schemaVersion": 2,
            "mediaType": OCI_IMAGE,
            "artifactType": "application/vnd.haven.test",
            "config": content.EMPTY.descriptor(algorithm),
            "layers": [],
        },
        [content.EMPTY],
        algorithm=algorithm,
    ),
    "no-layers": lambda algorithm: content.manifest(
        {**content.image(algorithm=algorithm).document, "layers": []},
        content.image(algorithm=algorithm).blobs[:1],
        algorithm=algorithm,
    ),
    "data-field": data_field,
    "custom-fields": lambda algorithm: content.image(
        algorithm=algorithm, haven_custom={"kept": ["byte", "for", "byte"]}
    ),
    "foreign-layer": foreign_layer,
    "missing-subject": lambda algorithm: content.artifact(
        "application/vnd.haven.test", subject=ABSENT, algorithm=algorithm
    ),
    "index-with-missing-subject": lambda algorithm: content.index(
        content.image(algorithm=algorithm), algorithm=algorithm, subject=ABSENT.descriptor(algorithm)
    ),
    "chart": lambda algorithm: content.chart(),
    "docker": lambda algorithm: content.image(media_type=content.DOCKER_IMAGE, algorithm=algorithm),
    "docker-list": lambda algorithm: content.index(
        content.image(media_type=content.DOCKER_IMAGE, algorithm=algorithm),
        media_type=content.DOCKER_LIST,
        algorithm=algorithm,
    ),
}


def assert_served(place: Place, reference: str, pushed: Pushable, algorithm: str) -> None:
    got, head = place.get_manifest(reference), place.get_manifest(reference, "HEAD")

    assert (got.status, got.content) == (200, pushed.content), got
    assert (head.status, head.content) == (200, b""), head
    for answer in (got, head):
        assert answer.headers["Content-Type"] == pushed.media_type
        assert answer.headers["Content-Length"] == str(len(pushed.content))
        named = reference.partition(":")[0] if ":" in reference else "sha256"
        assert answer.headers["Docker-Content-Digest"] in (pushed.digest(named), pushed.digest(algorithm))


@pytest.mark.parametrize("kind", DATA)
def test_data_set(place: Place, algorithm: str, kind: str) -> None:
    pushed = DATA[kind](algorithm)
    for reference in ("tagged", pushed.digest(algorithm)):
        answer = place.push(reference, pushed)

        assert answer.status == 201, answer
        assert answer.headers.get("OCI-Subject", "") == pushed.document.get("subject", {}).get("digest", "")
        found = place.client("GET", answer.location, headers={"Accept": "*/*"})
        assert (found.status, found.content) == (200, pushed.content), found
        assert_served(place, reference, pushed, algorithm)

    assert place("GET", "tags/list").json["tags"] == ["tagged"]


@pytest.mark.parametrize("kind", ["image", "index", "artifact", "missing-subject"])
def test_delete(maintainer_place: Place, algorithm: str, kind: str) -> None:
    place, pushed = maintainer_place, DATA[kind](algorithm)
    digest = pushed.digest(algorithm)
    assert place.push("tagged", pushed).status == 201
    assert place.push(digest, pushed).status == 201

    untagged = place("DELETE", "manifests/tagged")
    assert untagged.status == 202, untagged
    assert place.get_manifest("tagged", "HEAD").status == 404
    assert_served(place, digest, pushed, algorithm)

    deleted = place("DELETE", f"manifests/{digest}")
    assert deleted.status == 202, deleted
    for method in ("HEAD", "GET"):
        assert place.get_manifest(digest, method).status == 404
    assert place("DELETE", f"manifests/{digest}").status == 404

    assert place.push("tagged", pushed).status == 201
    assert_served(place, "tagged", pushed, algorithm)


def test_delete_by_digest_takes_the_tags(maintainer_place: Place, image: Pushable) -> None:
    for tag in ("one", "two"):
        assert maintainer_place.push(tag, image).status == 201

    assert maintainer_place("DELETE", f"manifests/{image.digest()}").status == 202

    for tag in ("one", "two"):
        assert maintainer_place.get_manifest(tag).status == 404


@pytest.mark.parametrize("reference", ["absent", digest_of(b"absent"), digest_of(b"absent", "sha512")])
def test_missing_manifest(place: Place, image: Pushable, reference: str) -> None:
    place.push("present", image)

    for method in ("GET", "HEAD"):
        assert place.get_manifest(reference, method).status == 404
    assert place.get_manifest(reference).codes == ["MANIFEST_UNKNOWN"]


def test_missing_repository(place: Place) -> None:
    answer = place.get_manifest("1")

    assert answer.status == 404
    assert answer.codes[0] in ("NAME_UNKNOWN", "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_digest_of_something_else(place: Place, image: Pushable, algorithm: str) -> None:
    place.push("before", image)

    answer = place.put_as(digest_of(b"something else", algorithm), image)

    assert (answer.status, answer.codes) == (400, ["DIGEST_INVALID"]), answer
    assert place.get_manifest(digest_of(b"something else", algorithm)).status == 404


@pytest.mark.parametrize("digest", ["sha256:baddigeststring", "sha256:" + "A" * 64, "sha999:" + "a" * 64, "sha256:"])
def test_a_malformed_digest(place: Place, image: Pushable, digest: str) -> None:
    assert place.put_as(digest, image).status == 400
    assert place.get_manifest(digest).status in (400, 404)


@pytest.mark.parametrize("missing", ["layer", "config", "child"])
def test_missing_content_is_400(place: Place, missing: str) -> None:
    image = content.image(text=f"sparse {missing}")
    if missing == "child":
        pushed = content.manifest({**content.index(image).document})
    else:
        keep = [blob for blob in image.blobs if (blob.media_type == content.OCI_CONFIG) == (missing == "layer")]
        pushed = content.manifest(image.document, keep)

    answer = place.push("sparse", pushed)

    assert answer.status in (400, 404), answer
    assert answer.codes[0] in ("MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN")
    assert place.get_manifest("sparse").status == 404


def changed(**fields: object) -> bytes:
    return json.dumps({**content.image(text="conformance").document, **fields}).encode()


LAYER = content.image(text="conformance").document["layers"][0]
BAD = {
    "not-json": b"{",
    "not-utf8": b'{"schemaVersion": 2, "annotations": {"a": "\xff"}}',
    "a-list": b"[]",
    "null": b"null",
    "empty": b"",
    "schema-1": changed(schemaVersion=1),
    "schema-true": changed(schemaVersion=True),
    "other-media-type": changed(mediaType=OCI_INDEX),
    "both-kinds": changed(manifests=[]),
    "config-null": changed(config=None),
    "size-negative": changed(layers=[{**LAYER, "size": -5}]),
    "size-wrong": changed(layers=[{**LAYER, "size": 99999}]),
    "size-huge": changed(layers=[{**LAYER, "size": 2**63 - 1}]),
    "size-float": changed(layers=[{**LAYER, "size": 1.5}]),
    "digest-short": changed(layers=[{**LAYER, "digest": "sha256:abc"}]),
    "digest-path": changed(layers=[{**LAYER, "digest": "sha256:../../x"}]),
    "digest-md5": changed(layers=[{**LAYER, "digest": "md5:" + "0" * 32}]),
    "subject-bad": changed(subject={**LAYER, "digest": "sha256:x"}),
    "annotations-number": changed(annotations={"a": 1}),
    "surrogate": changed(annotations={"a": "x"}).replace(b'"x"', b'"\\ud800"'),
    "nul": changed(annotations={"a": "x"}).replace(b'"x"', b'"\\u0000"'),
    "nan": changed(custom=1).replace(b'"custom": 1', b'"custom": NaN'),
    "infinite": changed(custom=1).replace(b'"custom": 1', b'"custom": 1e400'),
    "long-number": changed(custom=10**30),
    "deep": changed(custom=0).replace(b'"custom": 0', b'"custom": ' + b"[" * 2000 + b"]" * 2000),
    "duplicate-key": changed().replace(b'"layers":', b'"layers": [], "layers":'),
    "other-case": changed(LAYERS=[]),
    "long-s": changed().replace(b'"layers":', '"layer\u017f": [], "layers":'.encode()),
    "many-layers": changed(layers=[LAYER] * 1001),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_manifest_is_400(place: Place, image: Pushable, bad: str) -> None:
    place.push("good", image)

    answer = place.put_as("bad", Blob(BAD[bad], OCI_IMAGE))

    assert answer.status == 400, answer
    assert answer.codes[0] in ("MANIFEST_INVALID", "SIZE_INVALID", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN")
    assert answer.json["errors"][0]["message"]
    assert place.get_manifest("bad").status == 404


def test_over_4_mib_is_413(place: Place) -> None:
    answer = place.push("large", content.image(annotations={"a": "x" * 4 * 2**20}))

    assert answer.status == 413, answer
    assert answer.codes
    assert place.get_manifest("large").status == 404


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/json", "application/vnd.docker.distribution.manifest.v1+prettyjws", OCI_INDEX],
)
def test_a_wrong_content_type(place: Place, image: Pushable, media_type: str) -> None:
    place.push("good", image)

    answer = place.put_as("bad", Blob(image.content, media_type))

    assert answer.status in (400, 415), answer
    assert answer.codes == ["MANIFEST_INVALID"]
    assert place.get_manifest("bad").status == 404


def test_parameters_of_the_content_type_are_dropped(place: Place, image: Pushable) -> None:
    place.push("good", image)

    answer = place.put_as("parameters", Blob(image.content, f"{OCI_IMAGE}; charset=utf-8"))

    assert answer.status == 201, answer
    assert place.get_manifest("parameters").headers["Content-Type"] == OCI_IMAGE


@pytest.mark.parametrize("tag", ["-x", ".x", "a" * 129, "a%20b", "a:b", "ä", "a+b"])
def test_a_bad_tag(place: Place, image: Pushable, tag: str) -> None:
    place.push("good", image)

    answer = place.put_as(quote(tag, safe=":%+"), image)

    assert answer.status in (400, 404), answer
    assert place("GET", "tags/list").json["tags"] == ["good"]


def test_etag(place: Place, image: Pushable) -> None:
    place.push("1", image)
    etag = place.get_manifest("1").headers["ETag"]

    answer = place("GET", "manifests/1", headers={"Accept": "*/*", "If-None-Match": etag})

    assert (answer.status, answer.content) == (304, b""), answer


def test_a_tag_parameter_is_ignored(place: Place, image: Pushable) -> None:
    """It would be a second way to a tag, past what is checked on the first."""
    place.push("1", image)
    other = content.image(text="by a parameter")
    for blob in other.blobs:
        place.push_blob(blob)

    answer = place.put_as(f"{other.digest()}?tag=1&tag=2", other)

    assert answer.status == 201, answer
    assert "OCI-Tag" not in answer.headers
    assert place("GET", "tags/list").json["tags"] == ["1"]
    assert place.get_manifest("1").content == image.content


def test_push_twice_changes_nothing(place: Place, image: Pushable) -> None:
    assert [place.push("1", image).status for _ in range(2)] == [201, 201]
    assert place("GET", "tags/list").json["tags"] == ["1"]


def test_a_tag_moves(place: Place, image: Pushable) -> None:
    other = content.image(text="moved")
    place.push("1", image)

    assert place.push("1", other).status == 201

    assert place.get_manifest("1").content == other.content
    assert place.get_manifest(image.digest()).content == image.content
