from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from artifacts import collecting
from artifacts.models import Blob
from configuration import values
from projects.models import Quota
from registry.objects import Bucket, Folder
from registry.storage import LAYOUT, StorageError
from tests.artifacts.conftest import Shelf, door_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.stack import content

FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
IMAGE = content.image(text="kept")
GONE = content.image(text="deleted")


@pytest.fixture
def deleted(cast: Cast, registry: FakeRegistry, shelf: Shelf) -> Shelf:
    """One image that is there, and one that was deleted three hours ago."""
    door = door_of(cast.maintainer)
    for tag, image in (("kept", IMAGE), ("gone", GONE)):
        door.push(registry, "private/app", tag, image)
        shelf.add_image("private/app", image)
    door.get("private/app", GONE.digest(), "DELETE")
    Blob.objects.update(touched=timezone.now() - timedelta(hours=3))
    return shelf


def collect(shelf: Shelf, now: datetime | None = None) -> int:
    heap = Folder(shelf.root)
    found = collecting.find(heap, now or timezone.now())
    collecting.remove(heap, found)
    return found.freed


def test_what_nothing_references_goes(deleted: Shelf) -> None:
    before = deleted.files

    freed = collect(deleted)

    assert freed == len(GONE.content) + sum(len(blob.content) for blob in GONE.blobs)
    left = deleted.files
    assert len(before - left) == 2 * (1 + len(GONE.blobs))  # each with its link
    for blob in (IMAGE, *IMAGE.blobs):
        assert any(blob.digest().partition(":")[2] in key and key.endswith("/data") for key in left)
    assert set(Blob.objects.values_list("digest", flat=True)) == {blob.digest() for blob in IMAGE.blobs}


def test_a_dry_run_removes_nothing(deleted: Shelf) -> None:
    before, output = deleted.files, io.StringIO()

    call_command("collect", "--dry-run", stdout=output)

    expected = len(GONE.content) + sum(len(blob.content) for blob in GONE.blobs)
    assert f"would free {expected} bytes: 3 blobs" in output.getvalue()
    assert deleted.files == before


def test_only_in_read_only_mode(deleted: Shelf) -> None:
    before = deleted.files

    with pytest.raises(CommandError, match="read-only mode"):
        call_command("collect")

    assert deleted.files == before


def test_the_command(deleted: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    values.set_values({"read_only": True})
    output = io.StringIO()

    call_command("collect", stdout=output)

    assert output.getvalue().startswith("freed ")
    assert collecting.find(Folder(deleted.root), timezone.now()).freed == 0


def test_what_a_push_touched_stays(deleted: Shelf) -> None:
    """Another push may be about to rely on it."""
    Blob.objects.update(touched=timezone.now())
    before = deleted.files

    assert collect(deleted) == len(GONE.content)  # its manifest alone
    assert len(before - deleted.files) == 2


def test_what_was_just_uploaded_stays(cast: Cast, shelf: Shelf) -> None:
    shelf.add_blob("private/new", b"no manifest yet", age=60)
    mounted = shelf.add_blob("private/old", b"mounted a minute ago")
    shelf.add_blob("private/other", b"mounted a minute ago", age=60)
    shelf.write(mounted.relative_to(shelf.layout).as_posix(), b"mounted a minute ago")  # the bytes are old
    before = shelf.files

    collect(shelf)

    assert len(before - shelf.files) == 1  # the old repository forgets it, the bytes stay
    assert mounted.exists()


def test_a_layer_that_another_repository_holds(cast: Cast, registry: FakeRegistry, shelf: Shelf) -> None:
    door = door_of(cast.maintainer)
    for name in ("private/one", "private/two"):
        door.push(registry, name, "v1", IMAGE)
        shelf.add_image(name, IMAGE)
    door.get("private/one", IMAGE.digest(), "DELETE")
    Blob.objects.update(touched=timezone.now() - timedelta(hours=3))

    assert collect(shelf) == 0

    assert not any(key.startswith("repositories/private/one/") for key in shelf.files)
    assert len([key for key in shelf.files if key.startswith("repositories/private/two/")]) == 3


def test_a_layer_that_is_kept_elsewhere_and_was_pushed_all_the_same(
    cast: Cast, registry: FakeRegistry, shelf: Shelf
) -> None:
    here, away = content.layer({"here": b"1"}), content.layer({"away": b"2"})
    plain = content.image(here)
    foreign = [
        {**blob.descriptor(), "mediaType": FOREIGN, "urls": ["https://elsewhere.test/layer"]} for blob in (here, away)
    ]
    image = content.manifest({**plain.document, "layers": foreign}, plain.blobs)
    assert door_of(cast.developer).push(registry, "private/app", "v1", image).status_code == 201
    shelf.add_image("private/app", image)
    Blob.objects.update(touched=timezone.now() - timedelta(hours=3))

    assert collect(shelf) == 0
    assert set(Blob.objects.values_list("digest", flat=True)) == {blob.digest() for blob in plain.blobs}
    assert Quota.objects.get(project=cast.private).used == sum(len(part.content) for part in (image, *image.blobs))


def test_upload_leftovers(cast: Cast, shelf: Shelf) -> None:
    shelf.write("repositories/private/app/_uploads/old/data", b"x" * 100)
    shelf.write("repositories/private/app/_uploads/old/startedat", b"now")
    shelf.write("repositories/private/app/_uploads/growing/data", b"x" * 10, age=60)
    shelf.write("repositories/private/app/_uploads/growing/startedat", b"then")

    assert collect(shelf) == 103

    assert {key.split("/")[4] for key in shelf.files} == {"growing"}


def test_what_is_not_the_registrys_is_left_alone(cast: Cast, shelf: Shelf) -> None:
    for key in ("blobs/sha256/aa/README", "repositories/../secret", "other/file", "blobs/sha256/aa/bb/data"):
        shelf.write(key, b"mine")
    before = shelf.files

    collect(shelf)

    assert shelf.files == before


def test_sha512_names(cast: Cast, registry: FakeRegistry, shelf: Shelf) -> None:
    image = content.image(text="longer", algorithm="sha512")
    door_of(cast.maintainer).push(registry, "private/app", image.digest("sha512"), image)
    shelf.add_image("private/app", image)
    for blob in image.blobs:
        shelf.write(f"repositories/private/app/_layers/sha512/{blob.digest('sha512')[7:]}/link", b"sha256:...")
    before = shelf.files
    Blob.objects.update(touched=timezone.now() - timedelta(hours=3))

    assert collect(shelf) == 0
    # The manifest is kept as a plain blob: a revision of it would be a leftover, and is.
    assert {key.split("/")[3] for key in before - shelf.files} <= {"_manifests"}


class FakeBucket:
    """What boto3's client does of S3, as far as collecting needs it."""

    def __init__(self, objects: dict[str, tuple[bytes, datetime]]) -> None:
        self.objects = objects
        self.refuses = ""

    def get_paginator(self, name: str) -> FakeBucket:
        assert name == "list_objects_v2"
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Any:
        for key, (body, modified) in sorted(self.objects.items()):
            if key.startswith(Prefix):
                yield {"Contents": [{"Key": key, "Size": len(body), "LastModified": modified}]}
        yield {}

    def delete_objects(self, Bucket: str, Delete: dict[str, Any]) -> dict[str, Any]:
        assert len(Delete["Objects"]) <= 1000
        if self.refuses:
            return {"Errors": [{"Key": self.refuses, "Message": "no"}]}
        for entry in Delete["Objects"]:
            self.objects.pop(entry["Key"], None)
        return {}


def in_bucket(shelf: Shelf, root: str) -> FakeBucket:
    prefix = f"{root}/{LAYOUT}" if root else LAYOUT
    then = timezone.now() - timedelta(hours=3)
    return FakeBucket({f"{prefix}/{key}": ((shelf.layout / key).read_bytes(), then) for key in shelf.files})


@pytest.mark.parametrize("root", ["", "some/where"])
def test_a_bucket(deleted: Shelf, root: str) -> None:
    client = in_bucket(deleted, root)
    heap = Bucket(client, "haven", root)

    found = collecting.find(heap, timezone.now())
    collecting.remove(heap, found)

    assert found.freed == len(GONE.content) + sum(len(blob.content) for blob in GONE.blobs)
    collect(deleted)
    assert len(client.objects) == len(deleted.files)


def test_a_bucket_that_refuses(deleted: Shelf) -> None:
    client = in_bucket(deleted, "")
    client.refuses = "some/key"
    heap = Bucket(client, "haven")

    with pytest.raises(StorageError, match="some/key"):
        collecting.remove(heap, collecting.find(heap, timezone.now()))


def test_another_driver_is_refused(db: None, settings: Settings) -> None:
    settings.REGISTRY_STORAGE = {"driver": "gcs", "root": "", "options": {}}

    with pytest.raises(CommandError, match="gcs, which Haven cannot clean up"):
        call_command("collect", "--dry-run")
