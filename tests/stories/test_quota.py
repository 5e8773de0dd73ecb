"""A quota that docker and skopeo run into, and that lets them go on once it is raised; and copies that cost nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack import content
from tests.stack.engine import Docker, Refused
from tests.stack.people import People
from tests.stack.skopeo import SkopeoFailed, skopeo, write_layout
from tests.stack.stack import Stack
from tests.stack.wire import Client

pytestmark = pytest.mark.stack

MIB = 1024 * 1024


@pytest.fixture
def room(people: People) -> Callable[[str, int], int]:
    """Gives a project of alice, made if it is not there, room for so many bytes. The quota's id."""

    def give(project: str, limit: int) -> int:
        if people.client("alice").api("GET", f"/projects/{project}").status != 200:
            people.make_project(project)
        found = people.api("alice", "GET", f"/projects/{project}", None, 200).json["project_id"]
        [quota] = people.api("admin", "GET", f"/quotas?reference=project&reference_id={found}", None, 200).json
        people.api("admin", "PUT", f"/quotas/{quota['id']}", {"hard": {"storage": limit}}, 200)
        return int(quota["id"])

    return give


def used(people: People, quota: int) -> int:
    return int(people.api("admin", "GET", f"/quotas/{quota}", None, 200).json["used"]["storage"])


def test_docker_is_told_why_and_goes_on_once_there_is_room(
    people: People, docker_of: Callable[[str], Docker], room: Callable[[str, int], int], stack: Stack
) -> None:
    alice, quota = docker_of("alice"), room("tight", 2 * MIB)
    alice.make("tight/app:1", {"large": os.urandom(3 * MIB)})

    with pytest.raises(Refused) as refused:
        alice.push("tight/app:1")
    assert "adding 3.0 MiB of storage resource" in str(refused.value)
    assert "current usage of 0 B will exceed the configured upper limit of 2.0 MiB" in str(refused.value)
    assert used(people, quota) == 0
    assert people.client("alice").pull("tight/app", "1").status == 404

    room("tight", 10 * MIB)
    alice.push("tight/app:1")
    alice.pull("tight/app:1")
    assert 3 * MIB < used(people, quota) < 4 * MIB

    before = used(people, quota)
    alice("tag", alice.name("tight/app:1"), alice.name("tight/again:1"))
    room("tight", before + 10)
    alice.push("tight/again:1")  # the same layers
    assert used(people, quota) == before
    stack.manage("fsck")


def test_skopeo_is_told_too(people: People, stack: Stack, room: Callable[[str, int], int], tmp_path: Path) -> None:
    quota = room("narrow", MIB)
    source = write_layout(tmp_path / "source", content.image(content.layer({"large": os.urandom(2 * MIB)})))
    copy = (
        *("copy", "--dest-tls-verify=false", "--dest-creds", ":".join(people.secrets["alice"])),
        *(source, f"docker://{stack.host}/narrow/app:1"),
    )
    with pytest.raises(SkopeoFailed, match="will exceed the configured upper limit of 1.0 MiB"):
        skopeo(*copy)
    room("narrow", 3 * MIB)
    skopeo(*copy)
    assert used(people, quota) > 2 * MIB
    warnings = "/projects/narrow/auditlog-exts?q=operation=warn"
    assert people.api("alice", "GET", warnings, None, 200).json == []

    room("narrow", (used(people, quota) + 100) * 100 // 85)
    small = write_layout(tmp_path / "small", content.image(text="nearly full"))
    skopeo(*copy[:-2], small, f"docker://{stack.host}/narrow/small:1")
    [warning] = people.api("alice", "GET", warnings, None, 200).json
    assert "the project uses 85% of its quota: 2.0 MiB of 2.4 MiB" in warning["operation_description"]


def test_what_says_that_it_is_too_large_is_refused_at_once(people: People, room: Callable[[str, int], int]) -> None:
    """A body of twelve million bytes, of which the registry gets none."""
    quota = room("closed", MIB)
    client: Client = people.client("alice")
    blob = content.Blob(os.urandom(12_000_000))
    answer = client.push_blob("closed/app", blob)
    assert (answer.status, answer.codes) == (403, ["DENIED"]), answer
    assert "11.4 MiB" in answer.json["errors"][0]["message"]
    room("closed", -1)
    assert client.push_blob("closed/app", blob).status == 201
    assert used(people, quota) == 0


def test_a_copy_by_the_api(people: People, stack: Stack, room: Callable[[str, int], int]) -> None:
    """It is pulled like the original, from the registry behind the edge, and moved nothing."""
    quota = room("copies", -1)
    image = content.image(content.layer({"layer": os.urandom(100_000)}), text="copied")
    index = content.index(image, content.image(text="copied, too", architecture="arm64"))
    signature = content.artifact("application/vnd.dev.cosign.artifact.sig.v1+json", subject=image)
    alice = people.client("alice")
    for tag, pushed in (("1", index), (signature.digest(), signature)):
        assert people.client("developer").push("private/origin", tag, pushed).status == 201
    origin = "/projects/copies/repositories/team%252Fapp/artifacts?from=private/origin:1"
    people.api("stranger", "POST", origin, None, 403)

    made = people.api("alice", "POST", origin, None, 201)
    again = people.api("alice", "POST", origin, None, 201)

    assert made.headers["Location"] == again.headers["Location"]
    for part in (index, image, signature):
        assert alice.pull("copies/team/app", part.digest()).content == part.content
    assert alice.pull("copies/team/app", "1").content == index.content
    for blob in image.blobs:
        assert alice("GET", f"/v2/copies/team/app/blobs/{blob.digest()}").content == blob.content
    before = used(people, quota)
    people.api("alice", "DELETE", "/projects/copies/repositories/team%252Fapp", None, 200)
    assert used(people, quota) == 0 < before
    assert people.client("guest").pull("private/origin", "1").content == index.content
    stack.manage("fsck")
