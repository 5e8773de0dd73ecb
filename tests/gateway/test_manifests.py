"""A manifest pushed and pulled, and who may."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from artifacts.models import Artifact, Manifest, Tag
from audit.models import Entry
from projects.models import Member, Project, Quota
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, door_of, nothing_happened
from tests.stack import content
from tokens.scopes import Scope
from tokens.signing import mint


def test_a_push_is_stored_and_recorded(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 201
    assert answer["Location"] == f"/v2/private/app/manifests/{IMAGE.digest()}"
    assert answer["Docker-Content-Digest"] == IMAGE.digest()
    assert registry.manifests == {("private/app", IMAGE.digest()): (IMAGE.media_type, IMAGE.content)}
    assert registry.known_tags == {}  # tags are ours
    artifact = Artifact.objects.get()
    assert (artifact.digest, artifact.type, artifact.media_type) == (IMAGE.digest(), "IMAGE", IMAGE.media_type)
    assert artifact.size == len(IMAGE.content) + sum(len(blob.content) for blob in IMAGE.blobs)
    assert artifact.extra_attrs["architecture"] == "amd64"
    assert bytes(artifact.manifest.content) == IMAGE.content
    assert [tag.name for tag in artifact.tags.all()] == ["v1"]
    assert Quota.objects.get(project=cast.private).used == artifact.size
    entry = Entry.objects.get()
    assert (entry.username, entry.operation, entry.resource_type, entry.resource, entry.project_id) == (
        "developer",
        "create",
        "artifact",
        "private/app:v1",
        cast.private.pk,
    )


def test_what_was_pushed_is_pulled_byte_for_byte(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    for reference in ("v1", IMAGE.digest()):
        got = door_of(cast.guest).get("private/app", reference)
        assert (got.status_code, got.content) == (200, IMAGE.content)
        assert got["Content-Type"] == IMAGE.media_type
        assert got["Docker-Content-Digest"] == IMAGE.digest()
        assert got["ETag"] == f'"{IMAGE.digest()}"'
        head = door_of(cast.guest).get("private/app", reference, "HEAD")
        assert (head.status_code, head.content) == (200, b"")
        assert head["Content-Length"] == str(len(IMAGE.content))


@pytest.mark.parametrize("header", ['"{}"', 'W/"{}"', '"x", "{}"'])
def test_if_none_match(cast: Cast, registry: FakeRegistry, header: str) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    got = door_of(cast.guest).get("private/app", "v1", HTTP_IF_NONE_MATCH=header.format(IMAGE.digest()))

    assert (got.status_code, got.content) == (304, b"")
    assert door_of(cast.guest).get("private/app", "v1", HTTP_IF_NONE_MATCH='"sha256:other"').status_code == 200


@pytest.mark.parametrize("who", ["stranger", None])
def test_an_old_token_does_not_tell_a_new_project(cast: Cast, registry: FakeRegistry, who: str | None) -> None:
    door = door_of(getattr(cast, who) if who else None)
    long_ago = int(time.time()) - 600

    def refused(project: str) -> tuple[int, bytes, str]:
        scope = Scope("repository", f"{project}/app", frozenset({"pull"}))
        answer = door.get(f"{project}/app", "v1", token=mint(door.actor, [scope], 1800, now=long_ago))
        told = answer.content.replace(project.encode(), b"it")
        return answer.status_code, told, answer.headers.get("WWW-Authenticate", "").replace(project, "it")

    assert refused("private") == refused("nothing")
    assert refused("public")[0] == 401  # everybody may see that one; the token is older than it all the same


@pytest.mark.parametrize("who", ["guest", "limited_guest", "stranger"])
def test_who_may_not_push_changes_nothing(cast: Cast, registry: FakeRegistry, who: str) -> None:
    answer = door_of(getattr(cast, who)).push(registry, "private/app", "v1", IMAGE)

    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "DENIED"
    nothing_happened(registry)


def test_a_guest_reads_why(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.guest, "pull").push(registry, "private/app", "v1", IMAGE)

    assert "you may pull from private/app, but not push" in answer.json()["errors"][0]["message"]


def test_a_token_for_something_else_changes_nothing(cast: Cast, registry: FakeRegistry) -> None:
    door = door_of(cast.developer)
    answer = door.put("private/app", "v1", IMAGE, token=door.token("private/other"))

    assert answer.status_code == 401
    assert 'scope="repository:private/app:pull,push"' in answer["WWW-Authenticate"]
    assert 'error="insufficient_scope"' in answer["WWW-Authenticate"]
    nothing_happened(registry)


def test_without_a_token_there_is_a_challenge(cast: Cast, registry: FakeRegistry) -> None:
    for path in ("public/app/manifests/v1", "nowhere/app/manifests/v1", "private/app/manifests/v1"):
        answer = door_of(None)("GET", path, token="")
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == (
            'Bearer realm="http://haven.test:8080/service/token",service="harbor-registry",'
            f'scope="repository:{path.partition("/manifests")[0]}:pull"'
        )


def test_a_stranger_cannot_tell_a_private_project_from_none(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)

    def seen(answer: Any) -> tuple[Any, ...]:
        headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
        return answer.status_code, headers, answer.content.replace(b"private", b"nowhere")

    for user in (cast.stranger, None):
        door = door_of(user)
        there, not_there = (door.get(f"{project}/app", "v1") for project in ("private", "nowhere"))
        assert there.status_code in (401, 403)
        assert [value.replace("private", "nowhere") for value in map(str, seen(there))] == list(
            map(str, seen(not_there))
        )


@pytest.mark.parametrize(
    "change",
    [
        lambda cast: Member.objects.filter(user=cast.developer).delete(),
        lambda cast: type(cast.developer).objects.filter(pk=cast.developer.pk).update(is_active=False),
        lambda cast: type(cast.developer).objects.filter(pk=cast.developer.pk).update(deleted=True),
        lambda cast: type(cast.developer).objects.filter(pk=cast.developer.pk).update(auth_epoch=7),
    ],
    ids=["removed", "disabled", "deleted", "new password"],
)
def test_a_token_is_worth_what_its_owner_is_now(
    cast: Cast, registry: FakeRegistry, change: Callable[[Cast], object]
) -> None:
    door = door_of(cast.developer)
    door.push(registry, "private/app", "v1", IMAGE)
    assert door.get("private/app", "v1").status_code == 200

    change(cast)

    for method in ("GET", "HEAD", "DELETE"):
        assert door.get("private/app", "v1", method).status_code in (401, 403)
    assert door.put("private/app", "v2", IMAGE).status_code in (401, 403)
    assert list(Tag.objects.values_list("name", flat=True)) == ["v1"]


def test_a_project_made_private(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.alice).push(registry, "public/app", "v1", IMAGE)
    assert door_of(None).get("public/app", "v1").status_code == 200
    assert door_of(cast.stranger).get("public/app", "v1").status_code == 200

    Project.objects.filter(pk=cast.public.pk).update(public=False)

    assert door_of(None).get("public/app", "v1").status_code == 401
    assert door_of(cast.stranger).get("public/app", "v1").status_code == 403


def test_a_corrupt_row_is_not_served(cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    Manifest.objects.update(content=IMAGE.content + b" ")

    answer = door_of(cast.guest).get("private/app", "v1")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (503, "UNAVAILABLE")


def test_the_read_only_mode(cast: Cast, registry: FakeRegistry, settings: Any) -> None:
    from configuration import values

    door = door_of(cast.developer)
    door.push(registry, "private/app", "v1", IMAGE)
    values.set_values({"read_only": True})
    values.forget()

    for answer in (
        door.push(registry, "private/app", "v2", IMAGE),
        door("POST", "private/app/blobs/uploads/"),
        door_of(cast.maintainer).get("private/app", "v1", "DELETE"),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")
        assert "read only mode" in answer.json()["errors"][0]["message"]
    assert door.get("private/app", "v1").status_code == 200
    assert list(Tag.objects.values_list("name", flat=True)) == ["v1"]


def test_a_tag_moves(cast: Cast, registry: FakeRegistry) -> None:
    door, newer = door_of(cast.developer), content.image(text="newer")
    door.push(registry, "private/app", "v1", IMAGE)
    door.push(registry, "private/app", "v1", newer)

    assert door.get("private/app", "v1").content == newer.content
    assert door.get("private/app", IMAGE.digest()).content == IMAGE.content
    assert Tag.objects.get().artifact.digest == newer.digest()
