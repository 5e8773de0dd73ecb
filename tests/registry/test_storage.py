from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from registry.errors import DigestInvalid, NameInvalid
from registry.storage import FilesystemStorage, Storage, StorageError, storage_for

DIGEST = f"sha256:{hashlib.sha256(b'x').hexdigest()}"
HEX = DIGEST.removeprefix("sha256:")


def test_a_bucket_is_named_and_not_reached() -> None:
    bucket = storage_for("s3", "/haven/")
    assert not bucket.is_reachable
    assert bucket.key_of(DIGEST) == f"haven/docker/registry/v2/blobs/sha256/{HEX[:2]}/{HEX}/data"
    with pytest.raises(StorageError, match=f"(?s)s3.*{HEX}"):
        bucket.quarantine(DIGEST)


@pytest.mark.parametrize("root", ["", "/"])
def test_a_bucket_without_a_root(root: str) -> None:
    assert Storage("gcs", root).key_of(DIGEST).startswith("docker/registry/v2/blobs/")


@pytest.mark.parametrize("digest", ["", "sha256:../../x", "sha256:abc", "../x", "md5:" + "a" * 32])
def test_digests_are_checked_before_they_become_paths(tmp_path: Path, digest: str) -> None:
    storage = FilesystemStorage(tmp_path)
    for act in (
        storage.path_of,
        storage.key_of,
        storage.open,
        storage.size_of,
        storage.quarantine,
        storage.remove_blob,
    ):
        with pytest.raises(DigestInvalid):
            act(digest)


@pytest.mark.parametrize("repository", ["../x", "a/../b", "/etc", "", "A/b"])
def test_so_are_names(tmp_path: Path, repository: str) -> None:
    storage = FilesystemStorage(tmp_path)
    with pytest.raises(NameInvalid):
        list(storage.layers(repository))
    with pytest.raises(NameInvalid):
        storage.remove_repository(repository)
    with pytest.raises(NameInvalid):
        storage.remove_links(repository, DIGEST)


def test_a_storage_that_holds_nothing_yet(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path / "new")
    assert [*storage.blobs(), *storage.repositories(), *storage.uploads(), *storage.empty_links()] == []
    assert storage.size_of(DIGEST) is None and storage.remove_blob(DIGEST) == 0
    with pytest.raises(FileNotFoundError):
        storage.open(DIGEST)


def test_what_is_strange_is_left_out(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    for name in (
        "blobs/sha256/zz/not-a-digest",
        "blobs/md5/aa/bb",
        "repositories/Upper/_layers",
        "repositories/ok/_layers",
    ):
        (tmp_path / "docker/registry/v2" / name).mkdir(parents=True)
    (tmp_path / "docker/registry/v2/blobs/stray").write_text("x")
    assert list(storage.blobs()) == []
    assert list(storage.repositories()) == ["ok"]


def test_links_that_a_full_disk_left_empty(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    links = [storage.repositories_folder / f"library/app/_layers/sha256/{number}/link" for number in "ab"]
    for link, text in zip(links, ["", DIGEST], strict=True):
        link.parent.mkdir(parents=True)
        link.write_text(text)
    assert list(storage.empty_links()) == links[:1]


def test_quarantine_keeps_what_it_moves(tmp_path: Path) -> None:
    storage = FilesystemStorage(tmp_path)
    for content in (b"one", b"two"):
        storage.path_of(DIGEST).parent.mkdir(parents=True, exist_ok=True)
        storage.path_of(DIGEST).write_bytes(content)
        assert storage.quarantine(DIGEST).read_bytes() == content
    assert storage.size_of(DIGEST) is None
    assert len(list((tmp_path / "quarantine").iterdir())) == 2
    with pytest.raises(FileNotFoundError):
        storage.quarantine(DIGEST)
