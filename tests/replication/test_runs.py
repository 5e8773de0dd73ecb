"""Runs of rules, from the plan to what stands at the target."""

from __future__ import annotations

from time import monotonic

import pytest

from accounts.errors import Forbidden, PreconditionFailed
from artifacts.models import Artifact, Repository, Tag
from audit.pulls import client
from jobs import tasks
from jobs.models import Job
from projects.models import Project
from replication import runs
from replication.models import Endpoint, Policy
from tests.replication.conftest import Scene, work
from tests.stack import content

pytestmark = pytest.mark.django_db(transaction=True)  # a copy has threads of its own: they see what is committed


def image_of(text: str) -> content.Pushable:
    return content.image(content.Blob(text.encode()))


def test_a_rule_pushes_what_it_matches_and_nothing_else(scene: Scene) -> None:
    scene.push("private/app", "v1", image_of("one"))
    scene.push("private/app", "dev", image_of("two"))
    scene.push("public/other", "v1", image_of("three"))
    policy = scene.rule(
        filters=[{"type": "name", "value": "private/**"}, {"type": "tag", "value": "v*"}], dest_namespace="mirror"
    )

    execution = scene.run(policy)

    assert execution.status == "Success", list(Job.objects.values_list("kind", "status_message"))
    assert set(scene.there.known_tags) == {("mirror/app", "v1")}
    job = runs.jobs_of(execution).get()
    assert job.spec["source"] == "private/app" and job.spec["tags"] == ["v1"]
    assert job.progress["bytes"] > 0


def test_the_second_time_nothing_is_moved_and_that_is_shown(scene: Scene) -> None:
    scene.push("private/app", "v1", image_of("one"))
    policy = scene.rule()
    scene.run(policy)
    scene.there.calls.clear()

    execution = scene.run(policy)

    assert execution.status == "Success"
    assert scene.there.called("POST") + scene.there.called("PUT") + scene.there.called("PATCH") == []
    job = runs.jobs_of(execution).get()
    assert (job.status, job.progress["bytes"]) == ("Success", 0)
    assert "there already" in job.status_message


def test_an_index_travels_with_its_children(scene: Scene) -> None:
    children = [image_of("arm"), image_of("amd")]
    scene.push("private/app", "multi", content.index(*children))

    execution = scene.run(scene.rule())

    assert execution.status == "Success"
    assert runs.jobs_of(execution).count() == 1
    assert len(scene.there.manifests) == 3


def test_a_rule_pulls_through_the_door_that_every_push_takes(scene: Scene) -> None:
    scene.put_there("team/app", "v1", image_of("one"))
    policy = scene.pull_rule(dest_namespace="mirror")

    execution = scene.run(policy)

    assert execution.status == "Success", list(Job.objects.values_list("kind", "status_message"))
    project = Project.objects.get(name="mirror")
    assert not project.public
    assert Tag.objects.get(repository__name="mirror/app").name == "v1"
    assert project.quota.used > 0


def test_a_full_project_refuses_what_is_pulled_and_says_so(scene: Scene) -> None:
    scene.put_there("team/app", "v1", image_of("one"))
    scene.cast.private.quota.hard = 1
    scene.cast.private.quota.save()

    execution = scene.run(scene.pull_rule(dest_namespace="private"))

    assert execution.status == "Error"
    job = runs.jobs_of(execution).get()
    assert "uota" in job.status_message and job.attempts == 1
    assert not Artifact.objects.filter(project=scene.cast.private).exists()


def test_a_tag_that_means_something_else_there_stays_unless_the_rule_overrides(scene: Scene) -> None:
    scene.push("private/app", "v1", image_of("ours"))
    scene.put_there("private/app", "v1", image_of("theirs"))
    before = dict(scene.there.known_tags)
    policy = scene.rule()

    scene.run(policy)
    assert scene.there.known_tags == before

    Policy.objects.update(override=True)
    scene.run(policy)
    assert scene.there.known_tags != before


def test_wrong_credentials_are_a_sentence_and_no_storm(scene: Scene) -> None:
    scene.there.require("robot", "right")
    scene.push("private/app", "v1", image_of("one"))
    scene.there.calls.clear()

    execution = scene.run(scene.rule())

    assert execution.status == "Error"
    job = runs.jobs_of(execution).get()
    assert "refuses these credentials" in job.status_message
    assert job.attempts == 1
    assert len(scene.there.calls) < 20


def test_what_failed_is_tried_again_and_nothing_else(scene: Scene) -> None:
    scene.push("private/app", "v1", image_of("one"))
    scene.push("private/web", "v1", image_of("two"))
    for _ in range(2):
        scene.there.fail("PUT", "private/web/manifests", 403, "DENIED")
    policy = scene.rule()
    execution = scene.run(policy)
    assert execution.status == "Error"
    scene.there.failures.clear()

    revived = runs.retry(scene.cast.admin.actor, policy, execution)
    work(execution)

    assert revived == 1
    assert set(scene.there.known_tags) == {("private/app", "v1"), ("private/web", "v1")}
    with pytest.raises(PreconditionFailed):
        runs.retry(scene.cast.admin.actor, policy, execution)


def test_a_stopped_run_copies_nothing_more(scene: Scene) -> None:
    for number in range(3):
        scene.push("private/app", f"v{number}", image_of(str(number)))
    policy = scene.rule()
    execution = runs.start(scene.cast.admin.actor, policy)

    runs.stop(scene.cast.admin.actor, policy, execution)
    work(execution)

    assert scene.there.known_tags == {}
    assert set(Job.objects.filter(execution=execution).values_list("status", flat=True)) == {"Stopped"}


def test_of_a_rule_that_runs_once_at_a_time_the_second_run_is_skipped(scene: Scene) -> None:
    scene.push("private/app", "v1", image_of("one"))
    policy = scene.rule(single_active=True)
    first = runs.start(scene.cast.admin.actor, policy)
    second = runs.start(scene.cast.admin.actor, policy)

    work(second)
    assert "still in progress" in Job.objects.get(execution=second).status_message
    assert scene.there.known_tags == {}

    work(first)
    assert scene.there.known_tags


def test_a_disabled_rule_is_not_started(scene: Scene) -> None:
    policy = scene.rule(enabled=False)
    with pytest.raises(PreconditionFailed):
        runs.start(scene.cast.admin.actor, policy)
    with pytest.raises(Forbidden):
        runs.start(scene.cast.alice.actor, policy)
    assert not Job.objects.exists()


def test_planning_twice_makes_no_job_twice(scene: Scene) -> None:
    scene.push("private/app", "v1", image_of("one"))
    execution = runs.start(scene.cast.admin.actor, scene.rule())
    work(execution)
    planning = Job.objects.filter(execution=execution, kind="REPLICATION_PLAN")

    planning.update(status="Pending", attempts=0)
    work(execution)

    assert runs.jobs_of(execution).count() == 1


def test_many_artifacts_are_planned_in_seconds_and_the_broker_is_told_of_few(scene: Scene) -> None:
    """The rows are the plan. The endpoint is away: planning needs no answer of it."""
    now = scene.push("private/app", "v1", image_of("one")).push_time
    repository = Repository.objects.get()
    digests = [f"sha256:{number:064x}" for number in range(1500)]
    Artifact.objects.bulk_create(
        Artifact(
            project=repository.project,
            repository=repository,
            digest=digest,
            stored_digest=digest,
            media_type="application/vnd.oci.image.manifest.v1+json",
            type="IMAGE",
            size=1,
            manifest_size=1,
            push_time=now,
        )
        for digest in digests
    )
    Endpoint.objects.update(url="http://127.0.0.1:9")
    execution = runs.start(scene.cast.admin.actor, scene.rule())
    messages = client(1.0)
    messages.delete("haven-queue:replication")

    began = monotonic()
    tasks.run(Job.objects.get(execution=execution).pk)

    assert monotonic() - began < 15
    assert runs.jobs_of(execution).count() == 1501
    assert messages.llen("haven-queue:replication") == 100
