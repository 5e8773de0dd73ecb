from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from artifacts.models import Artifact, Manifest, Tag
from jobs.models import Execution, Job, Status
from projects.models import Quota
from registry.storage import FilesystemStorage
from tests.artifacts.conftest import Shelf, door_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.stack import content

IMAGE = content.image(text="hello")
LAYER = IMAGE.blobs[1]


@pytest.fixture
def pushed(cast: Cast, registry: FakeRegistry, shelf: Shelf) -> Shelf:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    shelf.add_image("private/app", IMAGE)
    return shelf


def run(command: str, *arguments: str) -> tuple[int, str]:
    """The exit status and what was printed."""
    output = io.StringIO()
    try:
        call_command(command, *arguments, stdout=output)
    except SystemExit as end:
        return int(str(end.code)), output.getvalue()
    return 0, output.getvalue()


def damage(shelf: Shelf, registry: FakeRegistry, blob: content.Blob, bytes_left: bytes) -> Path:
    """In the storage and, as the registry reads it from there, in what it serves."""
    if ("private/app", blob.digest()) in registry.manifests:
        registry.manifests["private/app", blob.digest()] = (IMAGE.media_type, bytes_left)
    else:
        registry.blobs["private/app", blob.digest()] = bytes_left
    path = FilesystemStorage(shelf.root).path_of(blob.digest())
    path.write_bytes(bytes_left)
    return path


def test_nothing_is_wrong(pushed: Shelf, registry: FakeRegistry) -> None:
    assert run("scrub") == (0, "3 blobs read, 0 damaged\n")
    assert run("fsck") == (0, "everything is as it should be\n")


@pytest.mark.parametrize("left", [b"", b"other bytes", LAYER.content + b"!"])
def test_a_damaged_layer(pushed: Shelf, registry: FakeRegistry, left: bytes) -> None:
    path = damage(pushed, registry, LAYER, left)

    status, output = run("fsck")
    assert status == 1
    assert f"I1 private/app@{LAYER.digest()}" in output
    status, output = run("scrub")

    assert status == 1
    assert output.startswith(f"{LAYER.digest()}: blob of private/app: ")
    assert "moved to" in output
    assert not path.exists()
    assert [moved.read_bytes() for moved in (pushed.root / "quarantine").iterdir()] == [left]


def test_a_damaged_manifest_is_written_anew(pushed: Shelf, registry: FakeRegistry) -> None:
    path = damage(pushed, registry, IMAGE, b"")

    assert run("fsck")[0] == 1
    status, output = run("scrub")

    assert status == 1
    assert "written anew from the database" in output
    assert registry.manifests["private/app", IMAGE.digest()] == (IMAGE.media_type, IMAGE.content)
    assert not path.exists()  # this fake registry writes elsewhere


def test_damage_that_nobody_references(pushed: Shelf, registry: FakeRegistry) -> None:
    path = pushed.add_blob("private/app", b"whole")
    path.write_bytes(b"half")

    assert run("scrub")[0] == 1
    assert not path.exists()


def test_a_storage_out_of_reach(pushed: Shelf, registry: FakeRegistry, settings: object) -> None:
    settings.REGISTRY_STORAGE = {"driver": "gcs", "root": "", "options": {}}  # type: ignore[attr-defined]
    damage(pushed, registry, LAYER, b"other")

    status, output = run("scrub")

    assert status == 1
    hexadecimal = LAYER.digest().partition(":")[2]
    assert f"docker/registry/v2/blobs/sha256/{hexadecimal[:2]}/{hexadecimal}/data" in output


def test_a_damaged_manifest_is_mended_by_the_next_push(pushed: Shelf, registry: FakeRegistry, cast: Cast) -> None:
    """As after a full disk: the registry says 201 and serves 500, until the empty file is moved away."""
    path = FilesystemStorage(pushed.root).path_of(IMAGE.digest())
    path.write_bytes(b"")
    for _ in range(8):  # longer than anybody's patience
        registry.fail("GET", f"/manifests/{IMAGE.digest()}", 500)
    while_damaged = len(registry.failures)

    answer = door_of(cast.developer).put("private/app", "v2", IMAGE)

    assert (answer.status_code, while_damaged > len(registry.failures)) == (201, True)
    assert not path.exists()
    assert Tag.objects.filter(name="v2").exists()


def test_a_truncated_layer_asks_for_another_push(cast: Cast, registry: FakeRegistry, shelf: Shelf) -> None:
    door = door_of(cast.developer)
    for blob in IMAGE.blobs:
        registry.add_blob("private/app", blob.content)
    shelf.add_image("private/app", IMAGE)
    path = FilesystemStorage(shelf.root).path_of(LAYER.digest())
    path.write_bytes(b"")
    headers = {"Content-Length": "0", "Docker-Content-Digest": LAYER.digest()}
    registry.failures.append(("HEAD", f"/blobs/{LAYER.digest()}", (200, headers, b"")))

    answer = door.put("private/app", "v1", IMAGE)

    assert answer.status_code == 503
    assert "push it again" in answer.json()["errors"][0]["message"]
    assert not path.exists()
    assert not Artifact.objects.exists()


def test_invariants(pushed: Shelf, registry: FakeRegistry, cast: Cast) -> None:
    Quota.objects.filter(project=cast.private).update(used=7)
    registry.blobs.pop(("private/app", LAYER.digest()))
    Manifest.objects.update(content=b"{}")
    pushed.write("repositories/private/app/_manifests/tags/v1/current/link", b"sha256:...")
    pushed.write(f"repositories/private/app/_layers/sha256/{'0' * 64}/link", b"")
    execution = Execution.objects.create(vendor_type="X", trigger="MANUAL", start_time="2026-01-01T00:00:00Z")
    Job.objects.create(
        execution=execution,
        kind="X",
        status=Status.RUNNING,
        due_at="2026-01-01T00:00:00Z",
        lease_until="2026-01-01T00:00:00Z",
    )

    status, output = run("fsck")

    assert status == 1
    assert [line[:2] for line in output.splitlines()[:-1]] == ["I1", "I1", "I1", "I3", "I4", "I2", "I5"]
    assert output.endswith("7 problems\n")


def test_fsck_without_a_registry(pushed: Shelf, registry: FakeRegistry) -> None:
    for _ in range(20):
        registry.fail("GET", "/", 503)
        registry.fail("HEAD", "/", 503)

    assert run("fsck")[0] == 1
