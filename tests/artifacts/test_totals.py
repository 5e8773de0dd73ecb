"""Counts of artifacts are remembered for as long as nothing they count has changed, and no longer."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts import actions, totals
from artifacts.models import Artifact, Repository, Tag
from projects.models import Quota
from tests.api.stage import make_image, make_repository
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def test_a_total_follows_what_the_repository_holds(cast: Cast) -> None:
    repository, actor = make_repository(cast.private), cast.admin.actor
    first, second = make_image(repository, "v1"), make_image(repository, "v2")
    here = Repository.objects.filter(pk=repository.pk)
    artifacts, tags = Artifact.objects.filter(repository=repository).listed(), Tag.objects.filter(repository=repository)

    def counted() -> tuple[int, int, int]:
        row: Any = totals.with_counts([here.get()])[0]
        state = row.update_time
        assert totals.found(artifacts.order_by("-pk"), state) == list(
            artifacts.order_by("-pk").values_list("pk", flat=True)
        )
        return totals.total(artifacts, state), totals.total(tags, state), row.artifact_count

    assert counted() == (2, 2, 2)
    actions.create_tag(actor, first, "latest")
    assert counted() == (2, 3, 2)
    actions.delete_tag(actor, tags.get(name="v2"))
    assert counted() == (2, 2, 2)
    actions.delete_artifact(actor, second)
    assert counted() == (1, 2, 1)


def test_what_has_not_changed_is_not_counted_again(cast: Cast) -> None:
    repositories = [make_repository(cast.private, name) for name in ("a", "b", "c")]
    for repository in repositories[:2]:
        make_image(repository, "v1")
    state, artifacts = Quota.objects.get(project=cast.private).update_time, Artifact.objects.all()
    totals.with_counts(repositories)
    assert totals.total(artifacts, state) == 2

    with CaptureQueriesContext(connection) as asked:
        rows: Any = totals.with_counts(repositories)
        assert [row.artifact_count for row in rows] == [1, 1, 0]
        assert totals.total(artifacts, state) == 2
    assert not asked.captured_queries
