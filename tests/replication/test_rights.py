"""What a run may do when it runs, and what looking at endpoints finds."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import actions as jobs
from jobs import tasks
from jobs.models import Execution, Job
from projects.models import Member
from replication import actions, runs
from replication.models import CHECKS, HEALTH, VENDOR, Endpoint, Policy
from tests.replication.conftest import Scene, work
from tests.replication.test_runs import image_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def own(scene: Scene) -> Policy:
    """A rule of alice's, for her project."""
    Endpoint.objects.update(shared=True)
    scene.push("private/app", "v1", image_of("one"))
    scene.push("public/app", "v1", image_of("two"))
    return scene.rule(scene.cast.alice, scene.cast.private, filters=[{"type": "name", "value": "**"}])


def why(execution: Execution) -> str:
    return Job.objects.get(execution=execution, kind="REPLICATION_PLAN").status_message


def test_a_projects_rule_copies_nothing_of_others(scene: Scene, own: Policy) -> None:
    assert scene.run(own, scene.cast.alice).status == "Success"
    assert set(scene.there.known_tags) == {("private/app", "v1")}


def test_it_ends_with_the_rights_of_who_saved_it(scene: Scene, own: Policy) -> None:
    Member.objects.filter(project=own.project, user=scene.cast.alice).delete()

    execution = scene.run(own)

    assert execution.status == "Error" and "alice no longer administers" in why(execution)
    assert scene.there.known_tags == {}


def test_it_ends_with_the_sharing_of_its_endpoint(scene: Scene, own: Policy) -> None:
    waiting = runs.start(scene.cast.alice.actor, own)
    tasks.run(Job.objects.get(execution=waiting, kind="REPLICATION_PLAN").pk)
    actions.update_endpoint(scene.cast.admin.actor, scene.endpoint, actions.Change(shared=False))

    work(waiting)

    job = runs.jobs_of(waiting).get()
    assert job.status == "Error" and "no longer shared" in job.status_message
    assert scene.there.known_tags == {}


def test_health_is_written_down_and_runs_without_a_rule_are_forgotten(scene: Scene) -> None:
    down = Endpoint.objects.create(name="down", type="docker-registry", url="http://127.0.0.1:9")
    policy = scene.rule()
    gone = scene.run(policy)
    work(runs.verify(scene.cast.admin.actor, policy))
    actions.delete_policy(scene.cast.admin.actor, policy)
    kept = scene.run(scene.rule())
    looking = jobs.start(HEALTH, HEALTH, {})

    work(looking)

    scene.endpoint.refresh_from_db()
    down.refresh_from_db()
    assert (scene.endpoint.status, scene.endpoint.problem) == ("healthy", "")
    assert down.status == "unhealthy" and "cannot be reached" in down.problem
    left = Execution.objects.filter(vendor_type__in=(VENDOR, CHECKS))
    assert list(left.values_list("pk", flat=True)) == [kept.pk] and gone.pk != kept.pk


def test_lists_for_people(scene: Scene, own: Policy) -> None:
    alice, stranger, admin = (who.actor for who in (scene.cast.alice, scene.cast.stranger, scene.cast.admin))
    system = scene.rule()
    run = scene.run(own)
    counted: Any = Endpoint.objects.visible_to(alice).with_counts()
    assert list(counted.values_list("policy_count", flat=True)) == [2]
    assert not Endpoint.objects.visible_to(stranger).exists()
    assert list(Policy.objects.visible_to(alice)) == [own]
    assert set(Policy.objects.visible_to(admin)) == {own, system}
    last: Any = Policy.objects.with_last_run().filter(pk=own.pk)
    assert list(last.values_list("last_run", flat=True)) == [run.pk]
