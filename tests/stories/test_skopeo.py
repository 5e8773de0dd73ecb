"""skopeo copies in and out again: what comes back is what went in, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stack import content
from tests.stack.people import People
from tests.stack.skopeo import SkopeoFailed, layout_digests, skopeo, write_layout
from tests.stack.stack import Stack

pytestmark = pytest.mark.stack

Copy = Callable[..., str]


@pytest.fixture
def to_haven(stack: Stack, people: People) -> Copy:
    """Copy `source` to a repository, as `who`."""

    def copy(source: str, repository: str, who: str = "developer") -> str:
        return skopeo(
            *("copy", "--all", "--dest-tls-verify=false", "--dest-creds", ":".join(people.secrets[who])),
            *(source, f"docker://{stack.host}/{repository}"),
        )

    return copy


@pytest.fixture
def from_haven(stack: Stack, people: People) -> Copy:
    def copy(repository: str, target: str, who: str = "guest") -> str:
        return skopeo(
            *("copy", "--all", "--src-tls-verify=false", "--src-creds", ":".join(people.secrets[who])),
            *(f"docker://{stack.host}/{repository}", target),
        )

    return copy


KINDS = {
    "image": content.image(text="by skopeo"),
    "two-layers": content.image(content.layer({"a": b"a"}), content.layer({"b": b"b" * 100_000})),
    "index": content.index(content.image(text="one"), content.image(text="two", architecture="arm64")),
    "nested": content.index(content.index(content.image(text="deep"))),
    "chart": content.chart(),
}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "nested"])
def test_round_trip(to_haven: Copy, from_haven: Copy, tmp_path: Path, kind: str) -> None:
    source = write_layout(tmp_path / "source", KINDS[kind])

    to_haven(source, f"private/trip-{kind}:1")
    from_haven(f"private/trip-{kind}:1", f"oci:{tmp_path}/target:1")

    assert layout_digests(tmp_path / "target") == layout_digests(tmp_path / "source")


def test_a_guest_copies_nothing_in(to_haven: Copy, tmp_path: Path) -> None:
    source = write_layout(tmp_path / "source", KINDS["image"])

    with pytest.raises(SkopeoFailed, match="denied"):
        to_haven(source, "private/by-guest:1", who="guest")


def test_inspect_and_list_tags(to_haven: Copy, people: People, stack: Stack, tmp_path: Path) -> None:
    source = write_layout(tmp_path / "source", KINDS["image"])
    for tag in ("b", "a", "c"):
        to_haven(source, f"private/listed:{tag}")

    credentials = ("--tls-verify=false", "--creds", ":".join(people.secrets["guest"]))
    listed = skopeo("list-tags", *credentials, f"docker://{stack.host}/private/listed")
    inspected = skopeo("inspect", *credentials, f"docker://{stack.host}/private/listed:a")

    assert [line.strip(' ",') for line in listed.splitlines() if line.startswith("  " * 4)] == ["a", "b", "c"]
    assert KINDS["image"].digest() in inspected


def test_delete_by_the_maintainer(to_haven: Copy, people: People, stack: Stack, tmp_path: Path) -> None:
    to_haven(write_layout(tmp_path / "source", KINDS["image"]), "private/deleted:1")
    name = f"docker://{stack.host}/private/deleted:1"

    with pytest.raises(SkopeoFailed):
        skopeo("delete", "--tls-verify=false", "--creds", ":".join(people.secrets["developer"]), name)
    assert people.client("guest").pull("private/deleted", "1").status == 200

    skopeo("delete", "--tls-verify=false", "--creds", ":".join(people.secrets["maintainer"]), name)
    assert people.client("guest").pull("private/deleted", "1").status == 404


def test_copy_inside_haven(to_haven: Copy, people: People, stack: Stack, tmp_path: Path) -> None:
    to_haven(write_layout(tmp_path / "source", KINDS["index"]), "private/inside:1")

    skopeo(
        *("copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"),
        *("--src-creds", ":".join(people.secrets["guest"]), "--dest-creds", ":".join(people.secrets["pusher"])),
        *(f"docker://{stack.host}/private/inside:1", f"docker://{stack.host}/private/inside-too:1"),
    )

    assert people.client("guest").pull("private/inside-too", "1").content == KINDS["index"].content
