"""Dry runs and verifications: what they find, and that they move nothing."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.errors import NotFound, PreconditionFailed
from jobs.models import Execution, Job
from replication import runs
from replication.models import Finding
from tests.replication.conftest import Scene, work
from tests.replication.test_runs import image_of

pytestmark = pytest.mark.django_db(transaction=True)


def looked(execution: Execution) -> dict[str, Any]:
    """The totals of a look, done to its end."""
    work(execution)
    job = Job.objects.get(execution=execution)
    assert job.status == "Success", job.status_message
    found: dict[str, Any] = job.progress
    return found


def test_a_dry_run_says_what_would_move_and_moves_nothing(scene: Scene) -> None:
    image = image_of("one")
    scene.push("private/app", "v1", image)
    scene.push("private/app", "v2", image)
    scene.push("private/app", "there", image_of("there"))
    scene.put_there("private/app", "there", image_of("there"))
    scene.push("private/app", "other", image_of("ours"))
    scene.put_there("private/app", "other", image_of("theirs"))

    found = looked(runs.dry_run(scene.cast.admin.actor, scene.rule()))

    assert (found["matched"], found["missing"], found["there"], found["different"]) == (3, 1, 1, 1)
    blobs = sum(len(blob.content) for blob in image.blobs) + len(image.content)
    assert found["bytes"] >= blobs
    missing = Finding.objects.get(state="missing")
    assert (missing.source, missing.bytes) == ("private/app:v1,v2", blobs)
    assert ("private/app", "v1") not in scene.there.known_tags
    assert scene.there.called("POST") + scene.there.called("PUT") == []


def test_drift_is_found_and_its_repair_copies_nothing_else(scene: Scene) -> None:
    scene.push("private/app", "v1", image_of("one"))
    scene.push("private/app", "v2", image_of("two"))
    policy, actor = scene.rule(), scene.cast.admin.actor
    scene.run(policy)
    verified = runs.verify(actor, policy)
    assert looked(verified)["there"] == 2
    with pytest.raises(PreconditionFailed):
        runs.repair(actor, policy, verified)

    del scene.there.known_tags["private/app", "v1"]
    verified = runs.verify(actor, policy)
    found = looked(verified)
    assert (found["there"], found["missing"]) == (1, 1)

    repair = runs.repair(actor, policy, verified)
    work(repair)
    assert [job.spec["tags"] for job in runs.jobs_of(repair)] == [["v1"]]
    assert ("private/app", "v1") in scene.there.known_tags
    with pytest.raises(NotFound):
        runs.repair(actor, policy, repair)


def test_a_blob_that_the_target_lost_is_drift_too(scene: Scene) -> None:
    image = image_of("one")
    scene.push("private/app", "v1", image)
    policy = scene.rule()
    scene.run(policy)
    del scene.there.blobs["private/app", image.blobs[-1].digest()]

    verified = runs.verify(scene.cast.admin.actor, policy)

    assert looked(verified)["incomplete"] == 1
    work(runs.repair(scene.cast.admin.actor, policy, verified))
    assert looked(runs.verify(scene.cast.admin.actor, policy))["there"] == 1
