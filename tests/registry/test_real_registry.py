"""The client, the tokens and the storage against a real `distribution`: `REGISTRY_BIN`, or Debian's 2.8."""

from __future__ import annotations

import hashlib
import os

import pytest

from registry import http
from registry.client import Body, Registry
from registry.errors import (
    BlobUnknown,
    Damaged,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestUnknown,
    Unauthorized,
    Unavailable,
)
from registry.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST, Manifest
from registry.references import Reference
from registry.storage import FilesystemStorage
from tests.registry.documents import descriptor, image, index, manifest, sha256
from tests.registry.server import RegistryServer

LAYER = os.urandom(3_000_000)


@pytest.fixture
def storage(server: RegistryServer) -> FilesystemStorage:
    return FilesystemStorage(server.root)


def push(registry: Registry, repository: str, content: Manifest, *blobs: bytes) -> Reference:
    """Push by digest, as the gateway does."""
    for blob in blobs:
        registry.put_blob(repository, sha256(blob), blob)
    reference = Reference(repository, content.digest)
    registry.put_manifest(reference, content)
    return reference


def test_an_image_goes_in_and_comes_back(real: Registry) -> None:
    wanted = manifest(image(b"one", LAYER, annotations={"x": "y"}))
    reference = push(real, "library/app", wanted, b"{}", b"one", LAYER)
    assert real.get_manifest(reference).content == wanted.content
    head = real.head_manifest(reference)
    assert head is not None and (head.media_type, head.digest, head.size) == (
        OCI_MANIFEST,
        wanted.digest,
        len(wanted.content),
    )
    with real.get_blob("library/app", sha256(LAYER)) as stream:
        assert stream.size == len(LAYER) and b"".join(stream) == LAYER
    with real.get_blob("library/app", sha256(LAYER), offset=2_999_990) as stream:
        assert b"".join(stream) == LAYER[-10:]


@pytest.mark.parametrize("media_type", [DOCKER_MANIFEST, DOCKER_LIST])
def test_docker_s_types(real: Registry, media_type: str) -> None:
    child = push(real, "library/docker", manifest(image(mediaType=DOCKER_MANIFEST)), b"{}")
    if media_type == DOCKER_LIST:
        platform = {"os": "linux", "architecture": "amd64"}
        size = len(manifest(image(mediaType=DOCKER_MANIFEST)).content)
        entry = {"mediaType": DOCKER_MANIFEST, "digest": child.identifier, "size": size, "platform": platform}
        push(real, "library/docker", manifest(index(entry, mediaType=DOCKER_LIST)))


def test_what_is_missing(real: Registry) -> None:
    missing = Reference("library/none", sha256(b""))
    assert real.head_manifest(missing) is None
    assert real.head_blob("library/none", sha256(b"")) is None
    assert real.delete_manifest(missing) is False
    assert real.delete_blob("library/none", sha256(b"")) is False
    with pytest.raises(ManifestUnknown):
        real.get_manifest(missing)
    with pytest.raises(BlobUnknown), real.get_blob("library/none", sha256(b"")):
        pass
    with pytest.raises(ManifestBlobUnknown):
        push(real, "library/none", manifest(image(b"nowhere")))


def test_a_blob_from_an_iterable_in_chunks_and_by_mount(real: Registry) -> None:
    real.put_blob(
        "library/a",
        sha256(LAYER),
        Body((LAYER[start : start + 100_000] for start in range(0, 3_000_000, 100_000)), 3_000_000),
    )
    assert real.mount_blob("library/a", "library/b", sha256(LAYER)) is True
    assert real.mount_blob("library/a", "library/b", sha256(b"nowhere")) is False
    found = real.head_blob("library/b", sha256(LAYER))
    assert found is not None and found.size == len(LAYER)
    location = real.upload_chunk("library/c", real.start_upload("library/c"), b"0123", 0)
    assert real.upload_status("library/c", location) == 4
    real.finish_upload("library/c", location, sha256(b"01234567"), b"4567")
    assert real.head_blob("library/c", sha256(b"01234567")) is not None


def test_content_of_another_digest_is_refused(real: Registry) -> None:
    with pytest.raises(DigestInvalid):
        real.put_blob("library/wrong", sha256(b"one"), b"two")


def test_sha512_is_stored_by_sha256(real: Registry) -> None:
    digest = f"sha512:{hashlib.sha512(b'long').hexdigest()}"
    real.put_blob("library/long", digest, b"long")
    found = real.head_blob("library/long", digest)
    assert found is not None and (found.size, found.digest) == (4, sha256(b"long"))


def test_lists(real: Registry) -> None:
    wanted = manifest(image())
    real.put_blob("library/listed", sha256(b"{}"), b"{}")
    for tag in ("v2", "v1"):
        real.put_manifest(Reference("library/listed", tag), wanted)
    assert sorted(real.tags("library/listed")) == ["v1", "v2"]
    assert "library/listed" in list(real.catalog())


def test_nobody_comes_in_without_a_token(server: RegistryServer) -> None:
    with pytest.raises(Unauthorized):
        Registry(server.url, http.session_to(server.url)).ping()


def test_deleted_manifests_and_blobs_are_gone(real: Registry) -> None:
    reference = push(real, "library/gone", manifest(image(b"gone")), b"{}", b"gone")
    assert real.delete_manifest(reference) is True and real.head_manifest(reference) is None
    assert real.delete_blob("library/gone", sha256(b"gone")) is True
    assert real.head_blob("library/gone", sha256(b"gone")) is None


def test_a_damaged_blob_is_noticed_quarantined_and_healed_by_a_push(real: Registry, storage: FilesystemStorage) -> None:
    content = b"precious bytes"
    digest = sha256(content)
    real.put_blob("library/damaged", digest, content)
    storage.path_of(digest).write_bytes(b"damaged  bytes")
    with pytest.raises(Damaged), real.get_blob("library/damaged", digest) as stream:
        list(stream)
    real.put_blob("library/damaged", digest, content)
    assert storage.path_of(digest).read_bytes() == b"damaged  bytes", "a push alone mends nothing"
    moved = storage.quarantine(digest)
    assert moved.read_bytes() == b"damaged  bytes"
    assert real.head_blob("library/damaged", digest) is None
    real.put_blob("library/damaged", digest, content)
    with real.get_blob("library/damaged", digest) as stream:
        assert b"".join(stream) == content


def test_a_damaged_manifest_is_noticed_and_healed(real: Registry, storage: FilesystemStorage) -> None:
    wanted = manifest(image(b"one", annotations={"a": "damaged"}))
    reference = push(real, "library/hurt", wanted, b"{}", b"one")
    storage.path_of(wanted.digest).write_bytes(b"")
    with pytest.raises((Damaged, Unavailable)):
        real.get_manifest(reference)
    storage.quarantine(wanted.digest)
    real.put_manifest(reference, wanted)
    assert real.get_manifest(reference).content == wanted.content


def test_the_storage_knows_what_the_registry_holds(real: Registry, storage: FilesystemStorage) -> None:
    wanted = manifest(image(b"stored"))
    push(real, "library/deep/er", wanted, b"{}", b"stored")
    location = real.upload_chunk("library/deep", real.start_upload("library/deep"), b"half", 0)
    assert {"library/deep/er", "library/deep"} <= set(storage.repositories())
    assert set(storage.layers("library/deep/er")) == {sha256(b"{}"), sha256(b"stored")}
    assert set(storage.revisions("library/deep/er")) == {wanted.digest}
    assert {wanted.digest, sha256(b"stored")} <= set(storage.blobs())
    assert storage.size_of(sha256(b"stored")) == 6 and storage.open(sha256(b"stored")).read() == b"stored"
    [upload] = [upload for upload in storage.uploads() if upload.repository == "library/deep"]
    assert upload.size >= 4 and upload.identifier in location
    storage.remove_upload(upload)
    assert [upload for upload in storage.uploads() if upload.repository == "library/deep"] == []
    assert list(storage.empty_links()) == []


def test_what_the_storage_removes_the_registry_no_longer_serves(real: Registry, storage: FilesystemStorage) -> None:
    wanted = manifest(image(b"removed"))
    reference = push(real, "library/removed", wanted, b"{}", b"removed")
    push(real, "library/removed/not", wanted, b"{}", b"removed")
    storage.remove_links("library/removed", wanted.digest)
    assert real.head_manifest(reference) is None
    storage.remove_repository("library/removed")
    assert real.head_blob("library/removed", sha256(b"removed")) is None
    assert real.get_manifest(Reference("library/removed/not", wanted.digest)).content == wanted.content
    assert storage.remove_blob(sha256(b"removed")) == len(b"removed")
    assert storage.remove_blob(sha256(b"removed")) == 0
    assert real.head_blob("library/removed/not", sha256(b"removed")) is None


def test_an_index_of_children_that_are_there(real: Registry) -> None:
    child = manifest(image(b"child"))
    push(real, "library/index", child, b"{}", b"child")
    entry = {"mediaType": OCI_MANIFEST, "digest": child.digest, "size": len(child.content)}
    reference = push(real, "library/index", manifest(index(entry)))
    assert real.get_manifest(reference).children[0].digest == child.digest
    with pytest.raises(ManifestBlobUnknown):
        push(real, "library/index", manifest(index(descriptor(b"nowhere", OCI_MANIFEST))))


def test_layers_that_live_elsewhere(real: Registry) -> None:
    away = descriptor(
        b"away", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", urls=["https://elsewhere.test/layer"]
    )
    wanted = manifest(image(layers=[away]))
    assert real.get_manifest(push(real, "library/away", wanted, b"{}")).content == wanted.content
