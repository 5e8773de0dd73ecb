"""The registry's storage as a heap of objects with names, sizes and ages: all that cleaning it up needs to know.

The names are those of `distribution` (registry/storage/paths.go), below `docker/registry/v2/`; what differs between a
folder and a bucket is only how they are listed and removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from registry.references import is_digest, is_name
from registry.storage import LAYOUT, StorageError

BATCH = 1000
"""Objects that one request to a bucket may remove."""


@dataclass(frozen=True, slots=True)
class Object:
    """One object: its name below the layout's root, its bytes, when it was last written (seconds since the epoch)."""

    key: str
    size: int
    touched: float


class Heap(Protocol):
    """A storage that can be listed and cleaned."""

    def objects(self) -> Iterator[Object]:
        """All objects."""
        ...

    def remove(self, keys: Iterable[str]) -> None:
        """Remove these objects for good; fine if some have gone."""
        ...


class Folder:
    """A storage of the filesystem driver, whose `rootdirectory` is `root`."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root) / LAYOUT

    def objects(self) -> Iterator[Object]:
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = Path(folder, name)
                try:
                    status = path.stat()
                except FileNotFoundError:
                    continue
                yield Object(path.relative_to(self.root).as_posix(), status.st_size, status.st_mtime)

    def remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self.root / key
            path.unlink(missing_ok=True)
            for parent in path.parents:
                if parent == self.root or not _remove_empty(parent):
                    break


class Bucket:
    """A storage of the s3 driver: `client` is boto3's, `root` the driver's `rootdirectory`."""

    def __init__(self, client: Any, bucket: str, root: str = "") -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = "/".join(filter(None, [root.strip("/"), LAYOUT])) + "/"

    def objects(self) -> Iterator[Object]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        for page in pages:
            for entry in page.get("Contents", ()):
                yield Object(entry["Key"].removeprefix(self.prefix), entry["Size"], entry["LastModified"].timestamp())

    def remove(self, keys: Iterable[str]) -> None:
        names = [{"Key": self.prefix + key} for key in keys]
        for start in range(0, len(names), BATCH):
            answer = self.client.delete_objects(
                Bucket=self.bucket, Delete={"Objects": names[start : start + BATCH], "Quiet": True}
            )
            if failed := answer.get("Errors"):
                raise StorageError(f"the bucket keeps {failed[0].get('Key')}: {failed[0].get('Message')}")


def heap_for(driver: str, root: str, options: Mapping[str, str]) -> Heap:
    """The storage of a registry with this driver and these options. Raises StorageError for one we cannot clean."""
    if driver == "filesystem":
        return Folder(root)
    if driver == "s3":
        return Bucket(_s3_client(options), options["bucket"], options.get("rootdirectory", ""))
    raise StorageError(
        f"the registry keeps its bytes in {driver}, which Haven cannot clean up: it can for filesystem and s3, "
        "and for what speaks S3, such as OSS, by REGISTRY_STORAGE=s3"
    )


def _s3_client(options: Mapping[str, str]) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise StorageError("cleaning up a bucket needs boto3: pip install boto3") from error
    style = (
        "path" if options.get("forcepathstyle", "true" if options.get("regionendpoint") else "") == "true" else "auto"
    )
    endpoint = options.get("regionendpoint") or None
    if endpoint and "://" not in endpoint:
        endpoint = f"{'http' if options.get('secure') == 'false' else 'https'}://{endpoint}"
    return boto3.client(
        "s3",
        region_name=options.get("region") or "us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=options.get("accesskey") or None,
        aws_secret_access_key=options.get("secretkey") or None,
        aws_session_token=options.get("sessiontoken") or None,
        verify=options.get("skipverify") != "true",
        config=Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 3}, s3={"addressing_style": style}),
    )


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Part:
    """What an object's name says: `kind` is blob, layer, revision, upload, or tag."""

    kind: str
    repository: str = ""
    identifier: str = ""
    """The digest, or the upload's id."""


def part_of(key: str) -> Part | None:
    """What the object `key` belongs to; None for a name that is none of `distribution`'s."""
    match key.split("/"):
        case ["blobs", algorithm, _, hexadecimal, "data"] if is_digest(f"{algorithm}:{hexadecimal}"):
            return Part("blob", identifier=f"{algorithm}:{hexadecimal}")
        case ["repositories", *path]:
            return _part_of_repository(path)
    return None


def _part_of_repository(path: list[str]) -> Part | None:
    # No segment of a name begins with "_".
    length = next((index for index, segment in enumerate(path) if segment.startswith("_")), 0)
    name = "/".join(path[:length])
    if not is_name(name):
        return None
    match path[length:]:
        case ["_layers", algorithm, hexadecimal, "link"] if is_digest(f"{algorithm}:{hexadecimal}"):
            return Part("layer", name, f"{algorithm}:{hexadecimal}")
        case ["_manifests", "revisions", algorithm, hexadecimal, "link"] if is_digest(f"{algorithm}:{hexadecimal}"):
            return Part("revision", name, f"{algorithm}:{hexadecimal}")
        case ["_manifests", "tags", tag, *_]:
            return Part("tag", name, tag)
        case ["_uploads", identifier, *_]:
            return Part("upload", name, identifier)
    return None
