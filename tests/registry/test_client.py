from __future__ import annotations

import hashlib

import pytest

from registry.client import Body, Registry, StoredBlob
from registry.errors import (
    BlobUnknown,
    Damaged,
    Denied,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    RangeInvalid,
    RegistryError,
    TooLarge,
    TooManyRequests,
    Unavailable,
    error_for,
)
from registry.manifests import MAX_MANIFEST, OCI_MANIFEST
from registry.references import Reference
from tests.fakes.registry import FakeRegistry, fake_session
from tests.registry.documents import image, manifest, sha256

REPOSITORY = "library/app"


@pytest.fixture
def fake() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def registry(fake: FakeRegistry) -> Registry:
    session, _ = fake_session(fake)
    return Registry(fake.url, session)


def test_push_and_pull(registry: Registry, fake: FakeRegistry) -> None:
    wanted = manifest(image(b"one"))
    for content in (b"{}", b"one"):
        registry.put_blob(REPOSITORY, sha256(content), content)
    registry.put_manifest(Reference(REPOSITORY, "v1"), wanted)
    found = registry.get_manifest(Reference(REPOSITORY, "v1"))
    assert found.content == wanted.content and found.media_type == OCI_MANIFEST
    assert registry.get_manifest(Reference(REPOSITORY, wanted.digest)).digest == wanted.digest
    head = registry.head_manifest(Reference(REPOSITORY, "v1"))
    assert head is not None and (head.digest, head.size) == (wanted.digest, len(wanted.content))
    assert registry.head_blob(REPOSITORY, sha256(b"one")) == StoredBlob(3, sha256(b"one"))


def test_what_is_missing(registry: Registry) -> None:
    missing = Reference(REPOSITORY, sha256(b""))
    assert registry.head_manifest(missing) is None
    assert registry.head_blob(REPOSITORY, sha256(b"")) is None
    assert registry.delete_manifest(missing) is False
    assert registry.delete_blob(REPOSITORY, sha256(b"")) is False
    with pytest.raises(ManifestUnknown):
        registry.get_manifest(missing)
    with pytest.raises(BlobUnknown), registry.get_blob(REPOSITORY, sha256(b"")):
        pass
    with pytest.raises(ManifestBlobUnknown):
        registry.put_manifest(missing.at(manifest(image(b"x")).digest), manifest(image(b"x")))


def test_delete(registry: Registry, fake: FakeRegistry) -> None:
    digest = fake.add_blob(REPOSITORY, b"x")
    assert registry.delete_blob(REPOSITORY, digest) is True
    assert fake.blobs == {}


@pytest.mark.parametrize("by", ["digest", "tag"])
def test_a_manifest_whose_bytes_are_others_is_damaged(registry: Registry, fake: FakeRegistry, by: str) -> None:
    wanted = manifest(image())
    fake.manifests[REPOSITORY, wanted.digest] = (OCI_MANIFEST, wanted.content + b" ")
    fake.known_tags[REPOSITORY, "v1"] = wanted.digest
    with pytest.raises(Damaged) as damaged:
        registry.get_manifest(Reference(REPOSITORY, wanted.digest if by == "digest" else "v1"))
    assert damaged.value.status == 503 and not damaged.value.temporary


def test_a_manifest_that_is_too_large_or_none(registry: Registry, fake: FakeRegistry) -> None:
    fake.failures.append(("GET", "/manifests/", (200, {"Content-Type": OCI_MANIFEST}, b" " * (MAX_MANIFEST + 1))))
    with pytest.raises(TooLarge):
        registry.get_manifest(Reference(REPOSITORY, "v1"))
    fake.failures.append(("GET", "/manifests/", (200, {"Content-Type": "text/html"}, b"<html>")))
    with pytest.raises(ManifestInvalid):
        registry.get_manifest(Reference(REPOSITORY, "v1"))


def test_put_that_was_understood_otherwise(registry: Registry, fake: FakeRegistry) -> None:
    fake.fail("PUT", "/manifests/", 201, headers={"Docker-Content-Digest": sha256(b"another")})
    with pytest.raises(DigestInvalid):
        registry.put_manifest(Reference(REPOSITORY, "v1"), manifest(image()))


def test_a_blob_that_is_damaged_or_cut(registry: Registry, fake: FakeRegistry) -> None:
    digest = fake.add_blob(REPOSITORY, b"right")
    for answer, error in [((200, {}, b"wrong"), Damaged), ((200, {"Content-Length": "9"}, b"right"), Unavailable)]:
        fake.failures.append(("GET", "/blobs/", answer))
        with pytest.raises(error), registry.get_blob(REPOSITORY, digest) as stream:
            list(stream)


def test_a_blob_from_the_middle(registry: Registry, fake: FakeRegistry) -> None:
    digest = fake.add_blob(REPOSITORY, b"0123456789")
    with registry.get_blob(REPOSITORY, digest, offset=4) as stream:
        assert stream.size == 6 and b"".join(stream) == b"456789"
    fake.failures.append(("GET", "/blobs/", (200, {}, b"0123456789")))  # it does not know Range
    with registry.get_blob(REPOSITORY, digest, offset=4) as stream:
        assert stream.size == 6 and b"".join(stream) == b"456789"
    fake.failures.append(("GET", "/blobs/", (206, {"Content-Range": "bytes 0-9/10"}, b"0123456789")))
    with pytest.raises(Unavailable), registry.get_blob(REPOSITORY, digest, offset=4):
        pass


def test_a_blob_that_is_not_in_memory(registry: Registry, fake: FakeRegistry) -> None:
    registry.put_blob(REPOSITORY, sha256(b"onetwo"), Body(iter([b"one", b"two"]), 6))
    assert fake.blobs[REPOSITORY, sha256(b"onetwo")] == b"onetwo"
    assert fake.called("PUT")[0].headers["Content-Length"] == "6"


def test_sha512_is_stored_by_sha256(registry: Registry, fake: FakeRegistry) -> None:
    digest = f"sha512:{hashlib.sha512(b'x').hexdigest()}"
    registry.put_blob(REPOSITORY, digest, b"x")
    assert registry.head_blob(REPOSITORY, digest) == StoredBlob(1, sha256(b"x"))


def test_content_of_another_digest_is_refused(registry: Registry, fake: FakeRegistry) -> None:
    with pytest.raises(DigestInvalid):
        registry.put_blob(REPOSITORY, sha256(b"one"), b"two")
    assert fake.blobs == {}


@pytest.mark.parametrize("mounts", [True, False])
def test_mount(registry: Registry, fake: FakeRegistry, mounts: bool) -> None:
    fake.mounts = mounts
    digest = fake.add_blob("library/source", b"x")
    assert registry.mount_blob("library/source", REPOSITORY, digest) is mounts
    assert ((REPOSITORY, digest) in fake.blobs) is mounts
    assert fake.uploads == {}, "an upload that nobody will finish was left open"


def test_chunks_and_resuming(registry: Registry, fake: FakeRegistry) -> None:
    start = registry.start_upload(REPOSITORY)
    assert registry.upload_status(REPOSITORY, start) == 0
    location = registry.upload_chunk(REPOSITORY, start, b"0123", 0)
    assert registry.upload_status(REPOSITORY, location) == 4
    with pytest.raises(RangeInvalid):
        registry.upload_chunk(REPOSITORY, location, b"89", 8)
    location = registry.upload_chunk(REPOSITORY, location, b"4567", 4)
    registry.finish_upload(REPOSITORY, location, sha256(b"0123456789"), b"89")
    assert fake.blobs[REPOSITORY, sha256(b"0123456789")] == b"0123456789"


def test_lists_are_read_to_their_end(registry: Registry, fake: FakeRegistry) -> None:
    fake.page = 3
    wanted = [f"v{number}" for number in range(8)]
    for tag in wanted:
        fake.known_tags[REPOSITORY, tag] = sha256(b"")
    fake.blobs = {(f"library/r{number}", sha256(b"")): b"" for number in range(8)}
    assert list(registry.tags(REPOSITORY)) == wanted
    assert list(registry.catalog()) == [f"library/r{number}" for number in range(8)]


def test_lists_hold_nothing_strange(registry: Registry, fake: FakeRegistry) -> None:
    fake.failures.append(("GET", "/tags/list", (200, {}, b'{"tags":["ok","../x",7,null,"a b"]}')))
    fake.failures.append(("GET", "_catalog", (200, {}, b'{"repositories":["a/b","../../etc","A/b"]}')))
    assert list(registry.tags(REPOSITORY)) == ["ok"]
    assert list(registry.catalog()) == ["a/b"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"tags":null}', b'{"tags":"x"}', b"{}"])
def test_empty_lists(registry: Registry, fake: FakeRegistry, body: bytes) -> None:
    fake.failures.append(("GET", "/tags/list", (200, {}, body)))
    assert list(registry.tags(REPOSITORY)) == []


@pytest.mark.parametrize("identifier", ["../x", "a b", "sha256:abc", "sha256:../../x", "md5:" + "a" * 32, "a/b", ""])
def test_bad_references_are_not_sent(registry: Registry, fake: FakeRegistry, identifier: str) -> None:
    with pytest.raises(RegistryError):
        registry.get_manifest(Reference(REPOSITORY, identifier))
    with pytest.raises(RegistryError):
        registry.head_blob(REPOSITORY, identifier)
    with pytest.raises(NameInvalid):
        registry.start_upload("a/../b")
    assert fake.calls == []


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "DENIED", Denied),
        (403, "", Denied),
        (429, "TOOMANYREQUESTS", TooManyRequests),
        (500, "UNKNOWN", Unavailable),
        (502, "", Unavailable),
        (307, "", Unavailable),
        (404, "MANIFEST_UNKNOWN", ManifestUnknown),
        (400, "STRANGE", RegistryError),
        (418, "", RegistryError),
    ],
)
def test_errors(status: int, code: str, kind: type[RegistryError]) -> None:
    error = error_for(status, code, "why", {"a": 1})
    assert type(error) is kind and error.message == "why" and error.detail == {"a": 1}
    assert error.status == (status if kind is RegistryError else kind.status)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"errors":[]}', b'{"errors":[null]}', b'{"errors":{"a":1}}', b"\xff"]
)
def test_errors_without_a_body_that_can_be_read(registry: Registry, fake: FakeRegistry, body: bytes) -> None:
    fake.failures.append(("GET", "/manifests/", (404, {}, body)))
    with pytest.raises(ManifestUnknown):
        registry.get_manifest(Reference(REPOSITORY, "v1"))
    fake.failures.append(("GET", "/manifests/", (500, {}, body)))
    with pytest.raises(Unavailable):
        registry.get_manifest(Reference(REPOSITORY, "v1"))
