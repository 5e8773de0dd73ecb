"""A project's quota, asked before bytes come: at an upload's start, at what says how large it is, and at a mount."""

from __future__ import annotations

from typing import Any

import pytest

from artifacts import aliases
from configuration import values
from projects.models import Quota
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, Door, door_of
from tests.gateway.test_blobs import UPLOAD, state, to_both

UPLOADS = "private/app/blobs/uploads/"
OTHER = f"sha256:{'0' * 64}"


@pytest.fixture
def used(cast: Cast, registry: FakeRegistry) -> int:
    """The bytes that `private` uses, of 100 more."""
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    registry.calls.clear()
    quota = cast.private.quota
    quota.refresh_from_db()
    quota.hard = quota.used + 100
    quota.save()
    return quota.used


def send(cast: Cast, method: str, path: str, length: int, **headers: Any) -> int:
    """The status of what web says to a body of this length; 200 lets it pass."""
    answer = door_of(cast.developer)(method, path, HTTP_X_UPLOAD_LENGTH=str(length), **headers)
    if answer.status_code == 403:
        error = answer.json()["errors"][0]
        assert error["code"] == "DENIED"
        assert error["message"].startswith("Quota exceeded when processing the request of adding ")
        assert "X-Accel-Redirect" not in answer
    else:
        assert answer["X-Accel-Redirect"] == "@registry"
    return int(answer.status_code)


def test_what_says_that_it_is_too_large_does_not_come(cast: Cast, registry: FakeRegistry, used: int) -> None:
    chunk = {"HTTP_CONTENT_RANGE": "0-100"}
    for length, status in ((100, 200), (101, 403), (10**30, 403)):
        assert send(cast, "POST", UPLOADS, length) == status
        assert send(cast, "PATCH", f"{UPLOAD}?_state={state()}", length) == status
        assert send(cast, "PUT", f"{UPLOAD}?_state={state()}&digest={OTHER}", length) == status
    assert send(cast, "PATCH", f"{UPLOAD}?_state={state()}", 101, **chunk) == 403
    for last, status in ((99, 200), (100, 403)):
        later = {"HTTP_CONTENT_RANGE": f"90-{last}"}
        assert send(cast, "PATCH", f"{UPLOAD}?_state={state(90)}", last - 89, **later) == status
    assert registry.calls == []


def test_what_is_paid_for_may_come_again(cast: Cast, used: int) -> None:
    blob = IMAGE.blobs[-1]
    assert send(cast, "PUT", f"{UPLOAD}?_state={state()}&digest={blob.digest()}", 10**9) == 200
    assert send(cast, "POST", f"private/another/blobs/uploads/?digest={blob.digest()}", 10**9) == 200
    by_sha512 = f"{UPLOAD}?_state={state()}&digest={blob.digest('sha512')}"
    assert send(cast, "PUT", by_sha512, 10**9) == 403  # by that name nobody knows it
    aliases.remember(blob.digest("sha512"), blob.digest())
    assert send(cast, "PUT", by_sha512, 10**9) == 200


def test_a_full_project_still_takes_what_it_has(cast: Cast, registry: FakeRegistry, used: int) -> None:
    """Full is not over: the layers may all be there."""
    Quota.objects.filter(project=cast.private).update(hard=used)
    assert send(cast, "POST", UPLOADS, 0) == 200
    assert door_of(cast.developer).push(registry, "private/again", "v1", IMAGE).status_code == 201
    Quota.objects.filter(project=cast.private).update(hard=used - 1)
    assert send(cast, "POST", UPLOADS, 0) == 403


def test_a_mount_that_does_not_fit(cast: Cast, registry: FakeRegistry, used: int) -> None:
    large, small = (registry.add_blob("public/source", b"x" * size) for size in (101, 100))
    actor = cast.developer.actor
    token = to_both(actor, "private/app", "public/source")
    answers = [
        Door(actor)("POST", f"{UPLOADS}?mount={digest}&from=public/source", token=token) for digest in (large, small)
    ]
    assert [answer.status_code for answer in answers] == [403, 201]
    assert "adding 101 B of storage resource" in answers[0].json()["errors"][0]["message"]
    assert ("private/app", large) not in registry.blobs and ("private/app", small) in registry.blobs


def test_without_enforcement_all_may_come(cast: Cast, used: int) -> None:
    values.set_values({"quota_per_project_enable": False})
    assert send(cast, "POST", UPLOADS, 10**12) == 200
    assert send(cast, "PATCH", f"{UPLOAD}?_state={state()}", 10**12) == 200
