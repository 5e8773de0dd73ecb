"""Where the registry behind us keeps its bytes, for the work that its protocol has no word for.

The layout is that of `distribution` (registry/storage/paths.go), the same in 2.8 and 3.x:

    docker/registry/v2/blobs/sha256/<2 hex>/<64 hex>/data
    docker/registry/v2/repositories/<name>/_layers/sha256/<hex>/link
    docker/registry/v2/repositories/<name>/_manifests/revisions/sha256/<hex>/link
    docker/registry/v2/repositories/<name>/_uploads/<id>/...
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from registry.references import is_digest, is_name, parse_digest, parse_name

LAYOUT = "docker/registry/v2"


class StorageError(Exception):
    """The storage is somewhere that Haven cannot reach; the message says what a person can do."""


@dataclass(frozen=True)
class Upload:
    """An unfinished upload: where it stands, its bytes so far, and when it last grew (seconds since the epoch)."""

    repository: str
    identifier: str
    size: int
    touched: float


class Storage:
    """A storage that Haven cannot reach by itself, such as a bucket. It knows names of objects and nothing else."""

    is_reachable = False

    def __init__(self, driver: str, root: str = "") -> None:
        self.driver = driver
        self.root = root

    def key_of(self, digest: str) -> str:
        """The object that holds the blob, by its name in the storage. Raises DigestInvalid."""
        algorithm, _, hexadecimal = parse_digest(digest).partition(":")
        key = f"{LAYOUT}/blobs/{algorithm}/{hexadecimal[:2]}/{hexadecimal}/data"
        return f"{self.root.strip('/')}/{key}" if self.root.strip("/") else key

    def upload(self, repository: str, identifier: str) -> Upload | None:
        """An unfinished upload; None where there is none, or none that can be seen from here."""
        return None

    def quarantine(self, digest: str) -> Path:
        """Move the blob away. Raises StorageError: a person must do it here."""
        raise StorageError(
            f"the registry keeps its bytes in {self.driver}, where Haven cannot move them: "
            f"move the object {self.key_of(digest)} away, then push the image again"
        )


class FilesystemStorage(Storage):
    """The storage of a registry with the filesystem driver, in the folder `root` (its `rootdirectory`)."""

    is_reachable = True

    def __init__(self, root: str | Path) -> None:
        super().__init__("filesystem", str(root))
        self.folder = Path(root)
        self.blobs_folder = self.folder / LAYOUT / "blobs"
        self.repositories_folder = self.folder / LAYOUT / "repositories"

    def path_of(self, digest: str) -> Path:
        """The file that holds the blob's bytes, whether it is there or not. Raises DigestInvalid."""
        algorithm, _, hexadecimal = parse_digest(digest).partition(":")
        return self.blobs_folder / algorithm / hexadecimal[:2] / hexadecimal / "data"

    def open(self, digest: str) -> BinaryIO:
        """The blob's bytes. Raises FileNotFoundError."""
        return self.path_of(digest).open("rb")

    def size_of(self, digest: str) -> int | None:
        """The blob's bytes on the disk; None where it is missing."""
        try:
            return self.path_of(digest).stat().st_size
        except FileNotFoundError:
            return None

    def blobs(self) -> Iterator[str]:
        """The digests of all blobs, damaged ones too."""
        for algorithm in _folders(self.blobs_folder):
            for prefix in _folders(algorithm):
                for folder in _folders(prefix):
                    digest = f"{algorithm.name}:{folder.name}"
                    if is_digest(digest):
                        yield digest

    def repositories(self) -> Iterator[str]:
        """The names of all repositories that the registry has a folder for."""
        yield from self._repositories_below(self.repositories_folder)

    def layers(self, repository: str) -> Iterator[str]:
        """The digests that `repository` may serve as blobs."""
        yield from self._links(repository, "_layers")

    def revisions(self, repository: str) -> Iterator[str]:
        """The digests that `repository` may serve as manifests."""
        yield from self._links(repository, "_manifests/revisions")

    def uploads(self) -> Iterator[Upload]:
        """All unfinished uploads."""
        for repository in self.repositories():
            for folder in _folders(self._repository(repository) / "_uploads"):
                files = [path.stat() for path in folder.rglob("*") if path.is_file()]
                touched = max((file.st_mtime for file in files), default=folder.stat().st_mtime)
                yield Upload(repository, folder.name, sum(file.st_size for file in files), touched)

    def upload(self, repository: str, identifier: str) -> Upload | None:
        """An unfinished upload by its id; None where there is none."""
        if "/" in identifier or identifier.startswith("."):
            return None
        try:
            status = (self._repository(repository) / "_uploads" / identifier / "data").stat()
        except OSError:
            return None
        return Upload(repository, identifier, status.st_size, status.st_mtime)

    def empty_links(self) -> Iterator[Path]:
        """Links without content, which a full disk leaves behind; the registry answers 500 for them."""
        if self.repositories_folder.is_dir():
            yield from (path for path in self.repositories_folder.rglob("link") if path.stat().st_size == 0)

    def quarantine(self, digest: str) -> Path:
        """Move the blob out of the registry's sight, so that the next push writes it anew; where it went.

        Raises FileNotFoundError where there is none.
        """
        source = self.path_of(digest)
        target = self.folder / "quarantine" / f"{digest.replace(':', '-')}.{time.time_ns()}"
        target.parent.mkdir(mode=0o700, exist_ok=True)
        os.rename(source, target)
        return target

    def remove_blob(self, digest: str) -> int:
        """Delete the blob's bytes for good; how many there were, 0 where it was gone already."""
        path = self.path_of(digest)
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            size = 0
        shutil.rmtree(path.parent, ignore_errors=True)
        return size

    def remove_links(self, repository: str, digest: str) -> None:
        """Make `repository` forget the blob or manifest, so that the registry answers 404 for it."""
        algorithm, _, hexadecimal = parse_digest(digest).partition(":")
        for kind in ("_layers", "_manifests/revisions"):
            shutil.rmtree(self._repository(repository) / kind / algorithm / hexadecimal, ignore_errors=True)

    def remove_upload(self, upload: Upload) -> None:
        """Delete what an unfinished upload left."""
        folder = self._repository(upload.repository) / "_uploads"
        if upload.identifier in {entry.name for entry in _folders(folder)}:
            shutil.rmtree(folder / upload.identifier, ignore_errors=True)

    def remove_repository(self, repository: str) -> None:
        """Delete the links and uploads of `repository`, not those of repositories whose names begin with its name."""
        for kind in ("_layers", "_manifests", "_uploads"):
            shutil.rmtree(self._repository(repository) / kind, ignore_errors=True)

    def free(self) -> int:
        """The bytes that the disk has left."""
        return shutil.disk_usage(self.folder).free

    def _repository(self, name: str) -> Path:
        return self.repositories_folder / parse_name(name)

    def _links(self, repository: str, kind: str) -> Iterator[str]:
        for algorithm in _folders(self._repository(repository) / kind):
            for folder in _folders(algorithm):
                digest = f"{algorithm.name}:{folder.name}"
                if is_digest(digest):
                    yield digest

    def _repositories_below(self, folder: Path) -> Iterator[str]:
        entries = _folders(folder)
        if any(entry.name in ("_layers", "_manifests", "_uploads") for entry in entries):
            yield folder.relative_to(self.repositories_folder).as_posix()
        for entry in entries:
            if is_name(entry.name):
                yield from self._repositories_below(entry)


def storage_for(driver: str, root: str) -> Storage:
    """The storage of a registry with this driver; `root` is its `rootdirectory`."""
    return FilesystemStorage(root) if driver == "filesystem" else Storage(driver, root)


def _folders(folder: Path) -> list[Path]:
    """The folders in `folder`, sorted; none where it does not exist or has just gone."""
    try:
        return sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
