"""Blobs: what is judged here, before the edge and the registry move bytes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from artifacts.history import build_history
from artifacts.models import Alias, Artifact
from projects.models import Quota
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, Door, door_of
from tests.stack import content
from tests.stack.content import Blob
from tokens.scopes import Scope
from tokens.signing import mint
from tokens.upstream import registry as upstream

BLOB = Blob(bytes(range(250)) * 4)
UPLOAD = "private/app/blobs/uploads/3f0a1b2c-0000-4000-8000-1234567890ab"


def state(offset: Any = 0) -> str:
    """The address of an upload as the registry writes it: a signature, then JSON."""
    return base64.urlsafe_b64encode(b"s" * 32 + json.dumps({"Offset": offset}).encode()).decode()


def to_both(actor: Any, *repositories: str) -> str:
    """A token for all of them."""
    return mint(actor, [Scope("repository", name, frozenset({"pull", "push"})) for name in repositories], 300)


# Reading


@pytest.mark.parametrize("asked", ["0-0", "0-", "999-", "-1", "-5000", "0-999", "0-5000", "0-1,5-9", "0-1, 998-"])
def test_a_range_within_the_blob(cast: Cast, registry: FakeRegistry, asked: str) -> None:
    digest = registry.add_blob("private/app", BLOB.content)

    answer = door_of(cast.guest)("GET", f"private/app/blobs/{digest}", HTTP_RANGE=f"bytes={asked}")

    assert (answer.status_code, answer["X-Accel-Redirect"], answer.content) == (200, "@registry", b"")


@pytest.mark.parametrize("asked", ["1000-", "500-0", "5000-10000", "-0", "-", "a-b", "0-1,1000-", "0-1,5-2", "", "0"])
def test_a_range_that_cannot_be(cast: Cast, registry: FakeRegistry, asked: str) -> None:
    digest = registry.add_blob("private/app", BLOB.content)

    answer = door_of(cast.guest)("GET", f"private/app/blobs/{digest}", HTTP_RANGE=f"bytes={asked}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (416, "RANGE_INVALID")
    assert answer["Content-Range"] == "bytes */1000"
    assert "X-Accel-Redirect" not in answer


def test_a_sha512_name_is_read_by_its_sha256(cast: Cast, registry: FakeRegistry) -> None:
    registry.add_blob("private/app", BLOB.content)

    for method in ("GET", "HEAD"):
        answer = door_of(cast.guest)(method, f"private/app/blobs/{BLOB.digest('sha512')}")
        assert answer["X-Accel-Redirect"] == f"/_registry/v2/private/app/blobs/{BLOB.digest()}"


def test_a_missing_blob(cast: Cast, registry: FakeRegistry) -> None:
    registry.add_blob("private/other", BLOB.content)

    answer = door_of(cast.guest)("GET", f"private/app/blobs/{BLOB.digest('sha512')}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "BLOB_UNKNOWN")


@pytest.mark.parametrize("digest", ["sha256:short", "md5:" + "0" * 32, "sha256:" + "A" * 64])
def test_what_is_no_digest(cast: Cast, registry: FakeRegistry, digest: str) -> None:
    answer = door_of(cast.guest)("GET", f"private/app/blobs/{digest}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")
    assert registry.calls == []


def test_nobody_deletes_a_blob(cast: Cast, registry: FakeRegistry) -> None:
    digest = registry.add_blob("private/app", BLOB.content)

    answer = door_of(cast.maintainer)("DELETE", f"private/app/blobs/{digest}")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")
    assert registry.calls == []


# Starting


def test_an_upload_begins_at_the_registry(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer)("POST", "private/app/blobs/uploads/")

    assert (answer.status_code, answer["X-Accel-Redirect"]) == (200, "@registry")
    assert registry.calls == []


@pytest.mark.parametrize("who", ["guest", "stranger"])
def test_who_may_not_push_starts_nothing(cast: Cast, registry: FakeRegistry, who: str) -> None:
    for query in ("", f"?mount={BLOB.digest()}&from=public/app"):
        answer = door_of(getattr(cast, who))("POST", f"private/app/blobs/uploads/{query}")
        assert answer.status_code == 403
    assert registry.calls == []


def test_a_project_over_its_quota_starts_nothing(cast: Cast, registry: FakeRegistry) -> None:
    Quota.objects.filter(project=cast.private).update(hard=10, used=11)

    answer = door_of(cast.developer)("POST", "private/app/blobs/uploads/")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")


def test_too_many_parameters(cast: Cast, registry: FakeRegistry) -> None:
    answer = door_of(cast.developer)("POST", "private/app/blobs/uploads/?" + "&".join("a=1" for _ in range(2000)))

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "UNSUPPORTED")


# Mounting


def test_an_image_of_mounted_sha512_blobs(cast: Cast, registry: FakeRegistry) -> None:
    """What is mounted goes by its sha256 in the registry."""
    image, actor = content.image(text="mounted", algorithm="sha512"), cast.developer.actor
    for blob in image.blobs:
        registry.add_blob("public/source", blob.content)
        path = f"private/app/blobs/uploads/?mount={blob.digest('sha512')}&from=public/source"
        assert Door(actor)("POST", path, token=to_both(actor, "private/app", "public/source")).status_code == 201

    answer = door_of(cast.developer).put("private/app", "v1", image)

    assert answer.status_code == 201, answer.content
    artifact = Artifact.objects.get()
    assert artifact.extra_attrs["architecture"] == "amd64"
    assert len(build_history(upstream(), artifact)) == 1


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_mount(cast: Cast, registry: FakeRegistry, algorithm: str) -> None:
    registry.add_blob("public/source", BLOB.content)
    actor, digest = cast.developer.actor, BLOB.digest(algorithm)

    answer = Door(actor)(
        "POST",
        f"private/app/blobs/uploads/?mount={digest}&from=public/source",
        token=to_both(actor, "private/app", "public/source"),
    )

    assert (answer.status_code, answer["Location"]) == (201, f"/v2/private/app/blobs/{digest}")
    assert registry.blobs["private/app", BLOB.digest()] == BLOB.content
    assert Alias.objects.filter(digest=digest, stored_digest=BLOB.digest()).exists() == (algorithm == "sha512")


@pytest.mark.parametrize(
    "query",
    [
        "?mount={digest}&from=private/secret",
        "?mount={digest}&from=nowhere/secret",
        "?mount={digest}&from=public/source&from=private/secret",
        "?mount={digest}&from=private/secret&from=public/source",
        "?mount={digest}&mount={digest}&from=private/secret",
        "?mount={digest}&from=private%2Fsecret",
        "?mount={digest}&from=PRIVATE/secret",
        "?mount={digest}&from=private/secret/",
        "?mount={digest}",
        "?mount=sha256:short&from=public/source",
        "?mount=&from=private/secret",
    ],
)
def test_what_may_not_be_pulled_is_not_mounted(cast: Cast, registry: FakeRegistry, query: str) -> None:
    """A stranger who pushes to a project of theirs wants a blob of a private one."""
    registry.add_blob("private/secret", BLOB.content)
    actor = cast.stranger.actor
    from projects.models import Member, Role

    Member.objects.create(project=cast.public, user=cast.stranger, role=Role.DEVELOPER)

    answer = Door(actor)(
        "POST",
        f"public/app/blobs/uploads/{query.format(digest=BLOB.digest())}",
        token=to_both(actor, "public/app", "private/secret", "public/source"),
    )

    assert answer.status_code == 202
    assert ("public/app", BLOB.digest()) not in registry.blobs
    assert answer["Location"].startswith("/v2/public/app/blobs/uploads/")
    assert answer["Docker-Upload-UUID"] in registry.uploads


@pytest.mark.parametrize("with_token", [True, False])
def test_a_mount_asks_for_a_token_for_both(cast: Cast, registry: FakeRegistry, with_token: bool) -> None:
    registry.add_blob("public/source", BLOB.content)

    answer = door_of(cast.developer)(
        "POST",
        f"private/app/blobs/uploads/?mount={BLOB.digest()}&from=public/source",
        token=None if with_token else "",
    )

    assert answer.status_code == 401
    assert 'scope="repository:private/app:pull,push repository:public/source:pull"' in answer["WWW-Authenticate"]
    assert ("private/app", BLOB.digest()) not in registry.blobs


def test_a_missing_blob_is_not_mounted(cast: Cast, registry: FakeRegistry) -> None:
    actor = cast.developer.actor
    answer = Door(actor)(
        "POST",
        f"private/app/blobs/uploads/?mount={BLOB.digest()}&from=public/source",
        token=to_both(actor, "private/app", "public/source"),
    )

    assert answer.status_code == 202
    assert not registry.blobs


def test_a_mounted_sha512_layer_can_be_pushed(cast: Cast, registry: FakeRegistry) -> None:
    """In the target the registry knows the blob by its sha256 alone."""
    actor = cast.developer.actor
    registry.add_blob("public/source", BLOB.content)
    Door(actor)(
        "POST",
        f"private/app/blobs/uploads/?mount={BLOB.digest('sha512')}&from=public/source",
        token=to_both(actor, "private/app", "public/source"),
    )
    registry.fail("HEAD", f"/v2/private/app/blobs/{BLOB.digest('sha512')}", 404)

    answer = door_of(cast.developer)("HEAD", f"private/app/blobs/{BLOB.digest('sha512')}")

    assert answer["X-Accel-Redirect"] == f"/_registry/v2/private/app/blobs/{BLOB.digest()}"


# Chunks


def chunk(cast: Cast, content_range: str, length: int, offset: Any = 0, method: str = "PATCH", query: str = "") -> Any:
    return door_of(cast.developer)(
        method,
        f"{UPLOAD}?_state={state(offset)}{query}",
        HTTP_CONTENT_RANGE=content_range,
        HTTP_X_UPLOAD_LENGTH=str(length),
    )


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(("content_range", "offset"), [("0-99", 0), ("500-599", 500), ("bytes 500-599/*", 500)])
def test_a_chunk_in_order(cast: Cast, content_range: str, offset: int, method: str) -> None:
    assert chunk(cast, content_range, 100, offset, method)["X-Accel-Redirect"] == "@registry"


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("content_range", "length", "offset"),
    [("100-199", 100, 0), ("0-99", 100, 100), ("600-699", 100, 500), ("0-98", 100, 0), ("9-1", 100, 9), ("x", 100, 0)],
)
def test_a_chunk_out_of_order(cast: Cast, content_range: str, length: int, offset: int, method: str) -> None:
    answer = chunk(cast, content_range, length, offset, method)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (416, "RANGE_INVALID")
    assert answer["Range"] == f"0-{max(offset - 1, 0)}"
    assert answer["Location"].startswith(f"/v2/{UPLOAD}?_state=")
    assert "X-Accel-Redirect" not in answer


@pytest.mark.parametrize("wrong", ["", "%%%", "e30=", base64.urlsafe_b64encode(b"s" * 32 + b"[]").decode()])
def test_an_address_that_is_not_complete(cast: Cast, wrong: str) -> None:
    answer = door_of(cast.developer)(
        "PATCH", f"{UPLOAD}?_state={wrong}", HTTP_CONTENT_RANGE="0-9", HTTP_X_UPLOAD_LENGTH="10"
    )

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "BLOB_UPLOAD_INVALID")


def test_the_end_of_an_upload_by_sha512(cast: Cast) -> None:
    door = door_of(cast.developer)

    assert door("PUT", f"{UPLOAD}?digest={BLOB.digest('sha512')}")["X-Accel-Redirect"] == "@registry"
    assert door("PUT", f"{UPLOAD}?digest=sha512:short").status_code == 400


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_who_may_not_push_goes_on_with_nothing(cast: Cast, registry: FakeRegistry, method: str) -> None:
    answer = door_of(cast.guest)(method, f"{UPLOAD}?_state={state()}")

    assert answer.status_code == 403
    assert registry.calls == []


def test_cancelling(cast: Cast, registry: FakeRegistry) -> None:
    identifier = "3f0a1b2c-0000-4000-8000-1234567890ab"
    registry.uploads[identifier] = bytearray(b"half")
    door = door_of(cast.developer)

    assert door("DELETE", f"{UPLOAD}?_state={state()}").status_code == 204
    assert registry.uploads == {}
    gone = door("DELETE", f"{UPLOAD}?_state={state()}")
    assert (gone.status_code, gone.json()["errors"][0]["code"]) == (404, "BLOB_UPLOAD_UNKNOWN")


def test_an_image_needs_none_of_this(cast: Cast, registry: FakeRegistry) -> None:
    assert door_of(cast.developer).push(registry, "private/app", "v1", IMAGE).status_code == 201
    assert not Alias.objects.exists()
