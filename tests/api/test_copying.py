"""Copying an artifact by the API, with the registry in a dictionary."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from artifacts.models import Artifact, Repository, Tag
from audit.models import Entry
from projects.models import Quota
from tests.api.calling import Caller, caller, code, message
from tests.cast import Cast, make_robot
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE, SIGNATURE, door_of
from tests.stack import content
from tokens.signing import key_folder
from tokens.upstream import registry as upstream

TARGET = "/projects/public/repositories/deep%252Fapp/artifacts"


@pytest.fixture
def registry(settings: Settings) -> Iterator[FakeRegistry]:
    key_folder().prepare()
    fake = FakeRegistry(url=f"https://{uuid.uuid4().hex}.test")
    settings.REGISTRY_URL = fake.url
    upstream().session.mount(fake.url, fake)
    yield fake


@pytest.fixture
def ask(cast: Cast, registry: FakeRegistry) -> Caller:
    """Alice, who has `private/app` with an image of three tags."""
    door = door_of(cast.developer)
    door.push(registry, "private/app", "v1", IMAGE)
    for tag in ("v2", "latest"):
        door.put("private/app", tag, IMAGE)
    registry.calls.clear()
    return caller(cast.alice)


def tags(repository: str) -> set[str]:
    return set(Tag.objects.filter(repository__name=repository).values_list("name", flat=True))


def test_by_tag_and_by_digest(ask: Caller) -> None:
    response = ask.post(f"{TARGET}?from=private/app:v1")
    assert (response.status_code, response.content) == (201, b"")
    assert response["Location"] == f"/api/v2.0{TARGET}/v1"
    assert tags("public/deep/app") == {"v1"}

    response = ask.post(f"{TARGET}?from=private/app@{IMAGE.digest()}")
    assert response.status_code == 201
    assert response["Location"] == f"/api/v2.0{TARGET}/{IMAGE.digest()}"
    assert tags("public/deep/app") == {"v1", "v2", "latest"}
    assert ask.get(f"{TARGET}/v2").json()["digest"] == IMAGE.digest()
    assert Artifact.objects.count() == 2


def test_a_repository_appears_with_the_first_push_and_is_as_new_as_the_last(
    ask: Caller, cast: Cast, registry: FakeRegistry
) -> None:
    path, door = "/projects/private/repositories/app", door_of(cast.developer)
    assert ask.get(path.replace("app", "fresh")).status_code == 404
    for again in (True, False):
        Repository.objects.update(update_time="2024-01-20T09:18:50.783Z")
        door.push(registry, "private/app", "v1", IMAGE if again else content.image(text="another"))
        shown = ask.get(path).json()
        assert shown["update_time"] > "2024-01-20T09:18:50.783Z" and shown["artifact_count"] == 2 - again
        assert shown["creation_time"] < shown["update_time"]
    door.push(registry, "private/fresh", "v1", IMAGE)
    assert ask.get(path.replace("app", "fresh")).json()["artifact_count"] == 1


def test_a_new_tag_on_a_copy(ask: Caller) -> None:
    """Re-tagging: copy, then name."""
    assert ask.post(f"{TARGET}?from=private/app:v1").status_code == 201
    assert ask.post(f"{TARGET}/v1/tags", {"name": "release"}).status_code == 201
    assert tags("public/deep/app") == {"v1", "release"} and tags("private/app") == {"v1", "v2", "latest"}


def test_a_tag_that_is_there_moves(ask: Caller, cast: Cast, registry: FakeRegistry) -> None:
    door_of(cast.alice).push(registry, "public/deep/app", "v1", content.image(text="older"))
    assert ask.post(f"{TARGET}?from=private/app:v1").status_code == 201
    assert ask.get(f"{TARGET}/v1").json()["digest"] == IMAGE.digest()


def test_what_is_refused(ask: Caller, cast: Cast, registry: FakeRegistry) -> None:
    signature = content.artifact(SIGNATURE, subject=IMAGE)
    door_of(cast.developer).push(registry, "private/app", signature.digest(), signature)
    robot, secret = make_robot("lister", cast.private, "artifact:read", "artifact:create")
    lister, here = Caller("robot$private+lister", secret), "/projects/private/repositories/copied/artifacts"
    stranger, admin, before = caller(cast.stranger), caller(cast.admin), Entry.objects.count()
    answers = [
        (Caller().post(f"{TARGET}?from=private/app:v1"), 401),
        (stranger.post(f"{TARGET}?from=private/app:v1"), 403),
        (caller(cast.developer).post(f"{TARGET}?from=private/app:v1"), 403),
        (lister.post(f"{here}?from=private/app:v1"), 403),
        (stranger.post(f"{TARGET}?from=missing/app:v1"), 403),
        (admin.post(f"{TARGET}?from=missing/app:v1"), 404),
        (ask.post(f"{TARGET}?from=private/app:none"), 404),
        (ask.post(f"{TARGET}?from=private/none:v1"), 404),
        (ask.post(f"{TARGET}?from=private/app@{signature.digest()}"), 403),
        (ask.post(f"{TARGET}"), 422),
        *((ask.post(f"{TARGET}?from={bad}"), 400) for bad in ("", "private", "private:v1", "private/app", "a/b:v@x")),
        *((ask.post(f"{TARGET}?from={bad}"), 400) for bad in ("private/app:", "Private/App:v1", "private//app:v1")),
        (ask.post("/projects/public/repositories/Upper/artifacts?from=private/app:v1"), 400),
        (ask.post(f"/projects/public/repositories/{'x' * 260}/artifacts?from=private/app:v1"), 400),
        (admin.post("/projects/none/repositories/x/artifacts?from=private/app:v1"), 404),
    ]
    assert [(number, response.status_code) for number, (response, _) in enumerate(answers)] == [
        (number, status) for number, (_, status) in enumerate(answers)
    ]
    assert code(answers[8][0]) == "DENIED"
    assert tags("public/deep/app") == set() and Entry.objects.count() == before


def test_over_the_quota(ask: Caller, cast: Cast, registry: FakeRegistry) -> None:
    Quota.objects.filter(project=cast.public).update(hard=10)
    response = ask.post(f"{TARGET}?from=private/app:v1")
    assert (response.status_code, code(response)) == (403, "DENIED")
    assert message(response).endswith("will exceed the configured upper limit of 10 B.")
    assert registry.calls == [] and tags("public/deep/app") == set()
    Quota.objects.filter(project=cast.public).update(hard=-1)
    assert ask.post(f"{TARGET}?from=private/app:v1").status_code == 201


def test_a_registry_that_is_away(ask: Caller, registry: FakeRegistry) -> None:
    registry.failures += [("POST", ".*", (503, {}, b""))] * 40
    assert ask.post(f"{TARGET}?from=private/app:v1").status_code == 503
    assert tags("public/deep/app") == set()
