"""What somebody who may write rules of one project tries with the others, and what a registry tries with us."""

from __future__ import annotations

import pytest

from artifacts.models import Artifact
from jobs import actions as jobs
from jobs import tasks
from jobs.models import Job
from jobs.running import Running, Stopped
from replication import actions, runs
from replication.copying import holders_at_target
from replication.models import Endpoint, Policy
from replication.planning import plan
from replication.rules import Rule
from replication.sides import opened
from tests.replication.conftest import Scene, work
from tests.replication.test_runs import image_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice_may_use_it(scene: Scene) -> None:
    Endpoint.objects.update(shared=True)


def turned(scene: Scene, policy: Policy, **fields: object) -> None:
    """The same rule, with its sides swapped by alice."""
    rule = Rule(name=policy.name, override=True, **fields)  # type: ignore[arg-type]
    actions.update_policy(scene.cast.alice.actor, policy, rule)


@pytest.mark.usefixtures("alice_may_use_it")
def test_a_push_that_becomes_a_pull_writes_into_no_other_project(scene: Scene) -> None:
    """The job of the push names `public/app` at the target; turned round, that would be Haven's own."""
    alice, mine, foreign = scene.cast.alice.actor, scene.cast.private, scene.cast.public
    scene.push("private/app", "v1", image_of("mine"))
    scene.push("public/app", "v1", image_of("theirs"))
    scene.put_there("private/app", "v1", image_of("evil"))
    scene.put_there("public/app", "v1", image_of("there"))
    push = scene.rule(scene.cast.alice, mine, dest_namespace=foreign.name, override=True)
    verified = runs.verify(alice, push)
    work(verified)
    waiting = runs.start(alice, push)
    tasks.run(Job.objects.get(execution=waiting, kind="REPLICATION_PLAN").pk)
    turned(scene, push, source_id=scene.endpoint.pk, dest_namespace=mine.name)

    work(waiting)
    work(runs.repair(alice, push, verified))

    tagged = Artifact.objects.filter(repository__name="public/app").values_list("digest", flat=True)
    assert list(tagged) == [image_of("theirs").digest()], "another project's image was pulled over"
    for job in Job.objects.filter(kind="REPLICATION"):
        assert job.status == "Error" and "has been changed" in job.status_message, job.status_message


@pytest.mark.usefixtures("alice_may_use_it")
def test_a_pull_that_becomes_a_push_reads_from_no_other_project(scene: Scene) -> None:
    alice, mine = scene.cast.alice.actor, scene.cast.private
    scene.push("public/app", "v1", image_of("theirs"))
    scene.put_there("public/app", "v1", image_of("there"))
    pull = scene.pull_rule(scene.cast.alice, mine, dest_namespace=mine.name)
    waiting = runs.start(alice, pull)
    tasks.run(Job.objects.get(execution=waiting, kind="REPLICATION_PLAN").pk)
    turned(scene, pull, target_id=scene.endpoint.pk)

    work(waiting)

    assert ("private/app", "v1") not in scene.there.known_tags, "it went out"
    assert scene.there.known_tags["public/app", "v1"] == image_of("there").digest()
    assert "has been changed" in runs.jobs_of(waiting).get().status_message


@pytest.mark.usefixtures("alice_may_use_it")
def test_a_projects_rule_tells_no_names_of_other_projects(scene: Scene) -> None:
    """What else holds a blob is asked for by name at the target."""
    image = image_of("same")
    scene.push("private/app", "v1", image)
    scene.push("private/other", "v1", image)
    scene.push("public/secret-plan", "v1", image)
    policy = scene.rule(scene.cast.alice, scene.cast.private)

    with opened(policy) as sides:
        digest = image.blobs[0].digest()
        named = holders_at_target(sides, "private/app")([digest])

    assert named == {digest: ["private/other"]}


def test_a_planner_that_lost_its_lease_stops_nothing(scene: Scene) -> None:
    """Another worker has taken the run over: it is its now."""
    scene.push("private/app", "v1", image_of("mine"))
    execution = runs.start(scene.cast.admin.actor, scene.rule())
    plan = Job.objects.get(execution=execution)
    lost = jobs.claim(plan.pk)
    assert lost is not None
    Job.objects.filter(pk=plan.pk).update(lease="00000000-0000-0000-0000-000000000000")

    planned_by(lost)

    assert not Job.objects.filter(execution=execution, stop_requested=True).exists(), "the other's run was stopped"
    assert not Job.objects.filter(execution=execution, status="Stopped").exists()


def test_what_is_planned_while_somebody_stops_the_run_is_stopped(scene: Scene) -> None:
    """The stop comes between the planner's last look and its last row."""
    scene.push("private/app", "v1", image_of("mine"))
    execution = runs.start(scene.cast.admin.actor, scene.rule())
    plan = jobs.claim(Job.objects.get(execution=execution).pk)
    assert plan is not None
    handle = Running(plan)
    assert not handle.stopping  # it has just looked, and believes that for a second
    jobs.stop(execution)

    planned_by(plan, handle)

    assert set(Job.objects.filter(execution=execution, kind="REPLICATION").values_list("status", flat=True)) == {
        "Stopped"
    }
    assert scene.there.known_tags == {}


def planned_by(job: Job, handle: Running | None = None) -> None:
    with pytest.raises(Stopped):
        plan(job.spec, handle or Running(job))
