from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from artifacts.counting import forget_days
from artifacts.models import Artifact, PullDay, Repository, Tag
from artifacts.tasks import flush_pulls
from audit.models import Entry
from audit.pulls import PullRecord, count_pull
from configuration import values
from tests.artifacts.conftest import door_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE
from tests.stack import content

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def artifact(cast: Cast, registry: FakeRegistry) -> Artifact:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    return Artifact.objects.get(digest=IMAGE.digest())


def pull(artifact: Artifact, tag: str = "", time: datetime = NOW, **fields: object) -> PullRecord:
    record = PullRecord(
        event_id=uuid.uuid4(),
        artifact_id=artifact.pk,
        digest=artifact.digest,
        tag=tag,
        repository="private/app",
        project_id=artifact.project_id,
        username="guest",
        time=time,
        address="127.0.0.1",
    )
    count_pull(record)
    return record


def counts(artifact: Artifact) -> tuple[int, int]:
    artifact.refresh_from_db()
    return artifact.pull_count, Repository.objects.get(pk=artifact.repository_id).pull_count


def test_a_get_counts_and_a_head_does_not(cast: Cast, artifact: Artifact) -> None:
    door = door_of(cast.guest)
    door.get("private/app", "v1")
    door.get("private/app", artifact.digest)
    door.get("private/app", "v1", "HEAD")
    door.get("private/app", "v1", HTTP_IF_NONE_MATCH=f'"{artifact.digest}"')

    assert counts(artifact) == (0, 0)  # nothing on the pull's own path
    assert flush_pulls() == 2
    assert counts(artifact) == (2, 2)
    assert artifact.pull_time is not None
    assert set(Entry.objects.filter(operation="pull").values_list("resource", flat=True)) == {
        "private/app:v1",
        f"private/app@{artifact.digest}",
    }


def test_what_the_edge_sends_again_is_one_pull(cast: Cast, artifact: Artifact) -> None:
    """It asked a process that died between counting and answering."""
    for edge_id in ("a" * 32, "a" * 32, "b" * 32, "", "no id"):
        assert door_of(cast.guest).get("private/app", "v1", HTTP_X_EDGE_ID=edge_id).status_code == 200

    flush_pulls()
    assert counts(artifact) == (4, 4)


def test_what_came_twice_counts_once(artifact: Artifact) -> None:
    record = pull(artifact, "v1")
    count_pull(record)
    flush_pulls()
    count_pull(record)
    flush_pulls()

    assert counts(artifact) == (1, 1)
    assert Entry.objects.filter(operation="pull").count() == 1


@pytest.mark.usefixtures("no_redis")
def test_without_redis(artifact: Artifact) -> None:
    pull(artifact, "v1")

    assert Entry.objects.filter(operation="pull").count() == 1
    flush_pulls()
    flush_pulls()
    assert counts(artifact) == (1, 1)


def test_times_never_go_back(artifact: Artifact) -> None:
    for hours in (2, 0, 1):
        pull(artifact, "v1", NOW + timedelta(hours=hours))
        flush_pulls()

    artifact.refresh_from_db()
    assert artifact.pull_time == Tag.objects.get().pull_time == NOW + timedelta(hours=2)


def test_a_tag_has_its_own_time(cast: Cast, artifact: Artifact) -> None:
    door_of(cast.developer).put("private/app", "v2", IMAGE)
    pull(artifact, "v1")
    flush_pulls()

    assert dict(Tag.objects.values_list("name", "pull_time")) == {"v1": NOW, "v2": None}


def test_an_index_is_pulled_with_its_child(cast: Cast, registry: FakeRegistry, artifact: Artifact) -> None:
    index = content.index(IMAGE)
    door_of(cast.developer).push(registry, "private/app", "multi", index)
    pull(artifact)
    flush_pulls()

    row = Artifact.objects.get(digest=index.digest())
    assert (row.pull_time, row.pull_count) == (NOW, 0)


def test_what_has_been_deleted_is_left_out(cast: Cast, artifact: Artifact) -> None:
    pull(artifact, "v1")
    door_of(cast.maintainer).get("private/app", artifact.digest, "DELETE")

    assert flush_pulls() == 1
    assert Entry.objects.filter(operation="pull").count() == 1
    assert Repository.objects.get().pull_count == 0


@pytest.mark.parametrize("switch", ["pull_count_update_disable", "pull_time_update_disable"])
def test_switches(artifact: Artifact, switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(switch.upper(), "true")
    values.fixed.cache_clear()
    values.forget()
    try:
        pull(artifact, "v1")
        flush_pulls()
    finally:
        monkeypatch.undo()
        values.fixed.cache_clear()
    artifact.refresh_from_db()

    assert (artifact.pull_count, artifact.pull_time) == ((0, NOW) if "count" in switch else (1, None))


def test_each_day_has_its_own_count(artifact: Artifact) -> None:
    pull(artifact, "v1")
    pull(artifact, "v1")
    flush_pulls()
    pull(artifact, "v1", NOW + timedelta(hours=13))
    flush_pulls()

    days = PullDay.objects.filter(project=artifact.project)
    first, second = NOW.date(), NOW.date() + timedelta(days=1)
    assert days.per_day(first) == {first: 2, second: 1}
    assert days.per_day(second) == {second: 1}
    assert forget_days(second) == 1
    assert days.per_day(first) == {second: 1}
