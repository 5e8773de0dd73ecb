"""Storage that is full or damaged, and what mends it."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import content
from tests.stack.content import Blob, Pushable
from tests.stack.fixtures import MakeStack
from tests.stack.people import People, settle

pytestmark = pytest.mark.stack

MIB = 2**20


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A small disk."""
    folder = tmp_path_factory.mktemp("disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def people(make_stack: MakeStack, disk: Path) -> Iterator[People]:
    """A stack whose registry keeps everything on the small disk."""
    stack = make_stack(REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=str(disk))
    yield settle(stack.start())
    stack.remove()


class Filler:
    """Takes what is left of a disk."""

    def __init__(self, disk: Path) -> None:
        self.file = disk / "filler"
        with self.file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while filler.write(b"\0" * 4096):
                pass

    def __enter__(self) -> Filler:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.unlink()


def data_file(disk: Path, digest: str) -> Path:
    algorithm, _, hexadecimal = digest.partition(":")
    return disk / "docker/registry/v2/blobs" / algorithm / hexadecimal[:2] / hexadecimal / "data"


def push_blobs(people: People, repository: str, image: Pushable) -> None:
    for blob in image.blobs:
        assert people.client("developer").push_blob(repository, blob).status == 201


def test_a_blob_that_does_not_fit(people: People, disk: Path) -> None:
    developer = people.client("developer")
    old = content.image(text="there before the disk was full")
    assert developer.push("private/full", "old", old).status == 201
    large = Blob(os.urandom(4 * MIB))

    with Filler(disk):
        refused = developer.push_blob("private/full", large)
        assert (refused.status, refused.codes) == (503, ["UNAVAILABLE"]), refused
        assert str(disk).encode() not in refused.content
        assert developer.pull("private/full", "old").content == old.content
        assert developer("GET", f"/v2/private/full/blobs/{old.blobs[1].digest()}").content == old.blobs[1].content

    assert developer("HEAD", f"/v2/private/full/blobs/{large.digest()}").status == 404
    assert developer.push_blob("private/full", large).status == 201
    assert developer("GET", f"/v2/private/full/blobs/{large.digest()}").content == large.content
    people.stack.manage("fsck")


def test_a_manifest_that_does_not_fit(people: People, disk: Path) -> None:
    """The registry leaves an empty file behind and would answer 201 to the next try without ever serving it."""
    developer = people.client("developer")
    image = content.image(text="put on a full disk", annotations={"org.haven.long": "x" * 60_000})
    push_blobs(people, "private/poisoned", image)

    with Filler(disk):
        refused = developer.put_manifest("private/poisoned", "1", image)
        assert refused.status >= 500, refused
        assert refused.json["errors"][0]["message"]
        assert str(disk).encode() not in refused.content
        assert developer.pull("private/poisoned", "1").status == 404

    statuses = [developer.put_manifest("private/poisoned", "1", image).status]
    if statuses[-1] != 201:
        people.stack.manage("scrub", check=False)
        statuses.append(developer.put_manifest("private/poisoned", "1", image).status)
    assert statuses[-1] == 201, statuses
    assert developer.pull("private/poisoned", "1").content == image.content
    assert data_file(disk, image.digest()).read_bytes() == image.content
    people.stack.manage("fsck")
    assert people.stack.manage("scrub").returncode == 0


@pytest.mark.parametrize("damage", ["truncated", "emptied", "altered", "longer"])
def test_a_damaged_layer_is_found_and_healed(people: People, disk: Path, damage: str) -> None:
    developer = people.client("developer")
    image = content.image(text=f"to be {damage}")
    layer = image.blobs[1]
    assert developer.push(f"private/{damage}", "1", image).status == 201
    path, healthy = data_file(disk, layer.digest()), layer.content
    path.write_bytes(
        {
            "truncated": healthy[:-10],
            "emptied": b"",
            "altered": bytes([healthy[0] ^ 1]) + healthy[1:],
            "longer": healthy + b"\0",
        }[damage]
    )

    found = people.stack.manage("scrub", check=False)

    assert found.returncode != 0
    assert layer.digest() in found.stdout + found.stderr
    assert not path.exists()
    assert developer("HEAD", f"/v2/private/{damage}/blobs/{layer.digest()}").status == 404
    assert people.stack.manage("fsck", check=False).returncode != 0

    assert developer.push(f"private/{damage}", "1", image).status == 201
    assert developer("GET", f"/v2/private/{damage}/blobs/{layer.digest()}").content == healthy
    assert people.stack.manage("scrub").returncode == 0
    people.stack.manage("fsck")


def test_a_damaged_manifest_is_still_served_and_healed(people: People, disk: Path) -> None:
    developer = people.client("developer")
    image = content.image(text="whose manifest rots")
    assert developer.push("private/rotten", "1", image).status == 201
    data_file(disk, image.digest()).write_bytes(image.content[:-1] + b" ")

    assert developer.pull("private/rotten", "1").content == image.content
    found = people.stack.manage("scrub", check=False)
    assert image.digest() in found.stdout + found.stderr

    assert developer.put_manifest("private/rotten", "1", image).status == 201
    assert data_file(disk, image.digest()).read_bytes() == image.content
    assert people.stack.manage("scrub").returncode == 0
    people.stack.manage("fsck")
