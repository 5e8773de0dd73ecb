"""What a push is checked for, and what a refused one leaves: nothing."""

from __future__ import annotations

import json

import pytest

from artifacts.contents import PAUSES
from artifacts.models import Artifact, Repository, Tag
from audit.models import Entry
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, door_of, nothing_happened
from tests.stack import content


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


def test_nobody_hears_where_the_registry_keeps_its_files(cast: Cast, registry: FakeRegistry) -> None:
    failure = {"code": "UNKNOWN", "message": "unknown error", "detail": {"Path": "/srv/blobs/data", "Err": 28}}
    refusal = (500, {"Content-Type": "application/json"}, json.dumps({"errors": [failure]}).encode())
    registry.failures += [("PUT", "/manifests/", refusal)] * TRIES

    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 503
    assert b"/srv" not in answer.content
    assert "storage" in answer.json()["errors"][0]["message"]


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
