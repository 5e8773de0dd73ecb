"""What copies cost besides their bytes: questions to the target and to the database, however many artifacts match."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from artifacts.models import Artifact, Repository, Tag
from jobs import tasks
from jobs.actions import WINDOW
from jobs.models import Execution, Job
from projects.models import Project
from replication import runs
from replication.local import ACTOR
from replication.models import Policy
from tests.fakes.registry import FakeRegistry
from tests.replication.conftest import Scene, work
from tests.stack import content

pytestmark = pytest.mark.django_db(transaction=True)


def layers(*texts: str) -> content.Pushable:
    return content.image(*[content.Blob(text.encode() * 100) for text in texts])


def planned(scene: Scene, **rule: Any) -> tuple[Execution, list[int]]:
    """A run of a rule, planned, and the ids of its jobs."""
    execution = runs.start(scene.cast.admin.actor, scene.rule(**rule))
    tasks.run(Job.objects.get(execution=execution).pk)
    return execution, list(runs.jobs_of(execution).order_by("pk").values_list("pk", flat=True))


def asked(registry: FakeRegistry) -> Counter[str]:
    """How often it was asked what."""
    return Counter(f"{call.method} {call.path.split('/')[-2]}" for call in registry.calls)


def test_a_new_repository_is_not_asked_for_blobs_but_those_on_their_way(scene: Scene) -> None:
    scene.push("private/app", "v1", layers("base", "one"))
    scene.push("private/app", "v2", layers("base", "two"))
    _, ids = planned(scene)
    scene.there.calls.clear()

    for pk in ids:
        tasks.run(pk)

    blobs = 5  # of both images: three layers and two configurations
    assert asked(scene.there)["HEAD blobs"] == 1, "only the base has been sent before"
    assert asked(scene.there)["PUT uploads"] == blobs
    assert {tag for _, tag in scene.there.known_tags} == {"v1", "v2"}


def test_a_repository_that_holds_something_is_asked_and_nothing_is_sent_twice(scene: Scene) -> None:
    scene.push("private/app", "v2", layers("base", "two"))
    scene.put_there("private/app", "v1", layers("base", "one"))
    _, ids = planned(scene)
    scene.there.calls.clear()

    tasks.run(ids[0])

    assert asked(scene.there)["PUT uploads"] == 2, "the base is there"
    assert scene.there.known_tags["private/app", "v2"] == layers("base", "two").digest()


def test_one_copy_asks_and_writes_few_rows(scene: Scene) -> None:
    scene.push("private/app", "v1", layers("a", "b", "c", "d", "e"))
    _, ids = planned(scene)

    with CaptureQueriesContext(connection) as queries:
        tasks.run(ids[0])

    written = [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    job = Job.objects.get(pk=ids[0])
    assert (job.status, job.progress["blobs"]) == ("Success", 6)
    assert [line.line for line in job.log_lines.order_by("pk")][0].startswith("copying private/app")
    assert len(written) <= 3, written  # claimed, its log, its end
    assert len(queries) <= 14, [query["sql"] for query in queries]


def fill(repositories: int, tags: int) -> None:
    """Rows of artifacts that nothing stands behind."""
    project, now = Project.objects.get(name="private"), timezone.now()
    rows = [Repository(project=project, name=f"private/app-{number:03}") for number in range(repositories)]
    for repository in Repository.objects.bulk_create(rows):
        digests = [f"sha256:{repository.pk * 1000 + number:064x}" for number in range(tags)]
        common = {"project": project, "repository": repository, "push_time": now, "size": 1, "manifest_size": 1}
        images = [Artifact(**common, digest=one, stored_digest=one, type="IMAGE", tagged=True) for one in digests]
        images = Artifact.objects.bulk_create(images)
        named = [
            Tag(repository=repository, artifact=one, name=f"v{number}", push_time=now)
            for number, one in enumerate(images)
        ]
        Tag.objects.bulk_create(named)


def test_many_artifacts_are_planned_in_batches_and_stopped_at_once(scene: Scene) -> None:
    fill(repositories=40, tags=30)
    scene.there.calls.clear()

    with CaptureQueriesContext(connection) as queries:
        execution, ids = planned(scene)

    assert len(ids) == 1200
    assert len(queries) <= 60 + 3 * WINDOW, "for each message at most a few, for each artifact none"
    assert asked(scene.there) == {"GET tags": 40}, "one question for each repository that is new"
    assert Job.objects.filter(execution=execution, sent_at__isnull=False, kind="REPLICATION").count() <= WINDOW

    assert runs.stop(ACTOR, Policy.objects.get(pk=execution.vendor_id), execution) == 1200
    work(execution)
    assert set(runs.jobs_of(execution).values_list("status", flat=True)) == {"Stopped"}
    assert scene.there.known_tags == {}
