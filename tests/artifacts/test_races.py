"""What two do at once: one after the other. On SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.actors import SYSTEM
from accounts.errors import DomainError
from artifacts import actions, books
from artifacts.contents import Push
from artifacts.counting import count
from artifacts.models import Artifact, Repository, Tag
from artifacts.survey import SeenBlob
from audit.models import Entry
from audit.pulls import PullRecord
from configuration import values
from projects.models import Project, Quota
from registry.manifests import parse
from registry.references import Reference
from tests.cast import make_project, make_user
from tests.races import at_once
from tests.stack import content
from tests.stack.content import Pushable

pytestmark = pytest.mark.django_db(transaction=True)
LAYER = content.layer({"shared": b"x" * 5000})


@pytest.fixture
def project() -> Project:
    return make_project("race", make_user("owner", is_admin=True))


def image(number: int) -> Pushable:
    return content.image(LAYER, text=str(number))


def push_of(pushed: Pushable, name: str, tag: str) -> Push:
    blobs = tuple(SeenBlob(blob.digest(), blob.digest(), len(blob.content)) for blob in pushed.blobs)
    return Push(Reference(name, tag), pushed.digest(), parse(pushed.content, pushed.media_type), blobs)


def push(project: Project, pushed: Pushable, name: str = "race/app", tag: str = "v1") -> Artifact:
    return actions.record_push(SYSTEM, project, push_of(pushed, name, tag))


def assert_sound(project: Project) -> None:
    assert Quota.objects.get(project=project).used == books.used(project.pk)


def test_one_tag(project: Project) -> None:
    outcomes = at_once([partial(push, project, image(number)) for number in range(8)])

    assert all(isinstance(outcome, Artifact) for outcome in outcomes), outcomes
    assert Repository.objects.count() == 1
    assert Artifact.objects.count() == 8
    last = Entry.objects.order_by("-pk").first()
    assert last is not None
    assert Tag.objects.get().artifact.digest == last.details["digest"]
    assert_sound(project)


def test_one_image_to_many_repositories(project: Project) -> None:
    names = [f"race/app{number % 3}" for number in range(9)]
    outcomes = at_once([partial(push, project, image(0), name) for name in names])

    assert all(isinstance(outcome, Artifact) for outcome in outcomes), outcomes
    assert Artifact.objects.count() == 3
    assert_sound(project)


def test_a_quota_that_fits_three(project: Project) -> None:
    size = len(image(1).content) + len(image(1).blobs[0].content)
    Quota.objects.update(hard=len(LAYER.content) + 3 * size)

    outcomes = at_once([partial(push, project, image(number), tag=f"v{number}") for number in range(1, 9)])

    assert sum(isinstance(outcome, Artifact) for outcome in outcomes) == 3
    assert Artifact.objects.count() == Tag.objects.count() == 3
    assert_sound(project)


def test_pushing_and_deleting(project: Project) -> None:
    for _ in range(5):
        artifact = push(project, image(0))
        outcomes = at_once(
            [
                partial(push, project, image(0), tag="v2"),
                partial(actions.delete_artifact, SYSTEM, artifact),
                partial(push, project, image(1), tag="v3"),
                partial(actions.delete_artifact, SYSTEM, artifact),
            ]
        )
        assert all(outcome is None or isinstance(outcome, Artifact | DomainError) for outcome in outcomes), outcomes
        for tag in Tag.objects.select_related("artifact"):
            assert tag.artifact.manifest.content
        assert_sound(project)


def test_an_index_and_its_child(project: Project) -> None:
    """Either the child went first and the index is refused, or the index came first and the child stays."""
    for number in range(5):
        child = push(project, image(number), tag=f"v{number}")
        index = content.index(image(number))
        at_once(
            [
                partial(push, project, index, tag=f"index{number}"),
                partial(actions.delete_artifact, SYSTEM, child),
            ]
        )
        has_child = Artifact.objects.filter(digest=image(number).digest()).exists()
        assert Artifact.objects.filter(digest=index.digest()).exists() == has_child
        assert_sound(project)


def test_deleting_a_repository_under_a_push(project: Project) -> None:
    for number in range(5):
        push(project, image(0))
        repository = Repository.objects.get()
        at_once(
            [
                partial(actions.delete_repository, SYSTEM, repository),
                partial(push, project, image(number), tag="new"),
            ]
        )
        assert Repository.objects.count() <= 1
        assert_sound(project)
        Repository.objects.filter(artifacts=None).delete()
        for left in Repository.objects.all():
            actions.delete_repository(SYSTEM, left)


@pytest.fixture
def only_times(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pulls are not counted, only their times are kept."""
    monkeypatch.setenv("PULL_COUNT_UPDATE_DISABLE", "true")
    values.fixed.cache_clear()
    values.forget()
    yield
    monkeypatch.undo()
    values.fixed.cache_clear()


def test_a_tag_moves_while_its_pulls_are_counted(project: Project) -> None:
    let_a_tag_move_while_its_pulls_are_counted(project)


def test_a_tag_moves_while_the_times_of_its_pulls_are_kept(project: Project, only_times: None) -> None:
    let_a_tag_move_while_its_pulls_are_counted(project)


def let_a_tag_move_while_its_pulls_are_counted(project: Project) -> None:
    """The second image is held until both, the counting and the push, have as many rows as they get meanwhile."""
    first, second = push(project, image(1)), push(project, image(2))
    pulls = [pull_of(first, "v1"), pull_of(second, "v1")]
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Artifact.objects.select_for_update().get(pk=second.pk)
            held.set()
            go_on.wait(20)

    def after(seconds: float, call: Callable[[], Any]) -> Any:
        assert held.wait(20)
        time.sleep(seconds)
        return call()

    outcomes = at_once(
        [
            hold,
            partial(after, 0.1, lambda: transaction.atomic(count)(pulls)),
            partial(after, 0.4, partial(push, project, image(1))),
            partial(after, 0.7, go_on.set),
        ]
    )
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert Tag.objects.get().artifact == first


def pull_of(artifact: Artifact, tag: str) -> PullRecord:
    return PullRecord(
        event_id=uuid.uuid4(),
        artifact_id=artifact.pk,
        digest=artifact.digest,
        tag=tag,
        repository="race/app",
        project_id=artifact.project_id,
        username="guest",
        time=timezone.now(),
        address="127.0.0.1",
    )
