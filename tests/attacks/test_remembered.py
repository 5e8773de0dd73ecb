"""What lists remember in Redis is a hint where to look: who can write there shows nobody what they may not see."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.cache import cache

from artifacts.totals import with_counts
from audit.memory import remember
from audit.models import Entry
from audit.totals import Counted
from projects.models import Project
from tests.api.calling import Caller, caller
from tests.api.stage import make_image, make_repository
from tests.audit.test_pages import settle
from tests.cast import Cast, make_project

pytestmark = pytest.mark.django_db
NEWEST = ("-op_time", "-pk")


@pytest.fixture
def foreign(cast: Cast) -> Project:
    return make_project("foreign", cast.admin)


def poison(pattern: str, value: object) -> int:
    """Put `value` in the place of all that is remembered under such keys; how many there are."""
    redis: Any = cache._cache.get_client()  # type: ignore[attr-defined]
    keys = redis.keys(f"*{pattern}*")
    for key in keys:
        redis.set(key, json.dumps(value))
    return len(keys)


def ids(who: Caller, address: str) -> set[int]:
    answer = who.get(address)
    assert answer.status_code == 200, (address, answer.content)
    return {row["id"] for row in answer.json()}


def test_artifacts_of_others_are_not_shown(cast: Cast, foreign: Project) -> None:
    own, others = make_repository(cast.private, "app"), make_repository(foreign, "app")
    image, hidden = make_image(own, "v1"), make_image(others, "secret")
    who = caller(cast.guest)
    for address in ("/projects/private/repositories/app/artifacts", "/projects/private/artifacts"):
        asked = f"{address}?q=type%3DIMAGE"
        assert ids(who, asked) == {image.pk}
        assert poison("artifacts.total", [hidden.pk, image.pk])
        assert ids(who, asked) == {image.pk}


def test_entries_of_others_are_not_shown(cast: Cast, foreign: Project) -> None:
    made = [
        Entry.objects.create(
            op_time="2026-01-01T00:00:00Z",
            username="x",
            operation="pull",
            resource_type="artifact",
            resource="x",
            project_id=project.pk,
        )
        for project in (cast.private, foreign)
    ]
    settle()
    rows = Entry.objects.of_projects([cast.private.pk]).filter(resource="x")
    name = f"{Counted(rows).key}:{','.join(NEWEST)}"
    remember("marks", name, [made[1].pk, 1, 1, [made[1].pk]], 60)
    who = caller(cast.alice)
    assert ids(who, "/projects/private/auditlog-exts?q=resource%3Dx") <= {made[0].pk}


def test_nonsense_is_no_answer(cast: Cast) -> None:
    repository = make_repository(cast.private, "app")
    image, who = make_image(repository, "v1"), caller(cast.guest)
    entry = Entry.objects.create(
        op_time="2026-01-01T00:00:00Z", username="x", operation="pull", resource_type="artifact", resource="x"
    )
    settle()
    everything = caller(cast.admin)
    artifacts = "/projects/private/repositories/app/artifacts"
    for nonsense in ("text", [["text"]], {"value": 1}, [1, "x"], True, -1, [None]):
        assert ids(who, f"{artifacts}?q=type%3DIMAGE") == ids(who, artifacts) == {image.pk}
        assert entry.pk in ids(everything, "/auditlog-exts")
        [row] = with_counts([repository])
        assert row.artifact_count == 1  # type: ignore[attr-defined]
        assert poison("artifacts.total", nonsense) and poison("artifacts.count", nonsense)
        assert poison("audit.", nonsense)
        assert ids(who, f"{artifacts}?q=type%3DIMAGE") == ids(who, artifacts) == {image.pk}
        assert entry.pk in ids(everything, "/auditlog-exts")
        [row] = with_counts([repository])
        assert row.artifact_count == 1  # type: ignore[attr-defined]
