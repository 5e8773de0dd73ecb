"""Rules that follow what happens here."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.module_loading import import_string

from accounts.actors import SYSTEM
from artifacts import removal
from artifacts.actions import attach_label, create_tag, delete_artifact, delete_repository, delete_tag
from artifacts.models import Artifact, Repository, Tag
from audit import publishing
from audit.models import Publication
from jobs.models import Execution, Job
from projects.models import Label
from replication.models import VENDOR
from tests.replication.conftest import Scene, work
from tests.replication.test_runs import image_of
from tests.stack import content

pytestmark = pytest.mark.django_db(transaction=True)

EVENT: dict[str, Any] = {"trigger": "event_based", "override": True}


def hear() -> list[Job]:
    """Deliver every event twice, do what follows; the jobs that came of it."""
    known = set(Job.objects.values_list("pk", flat=True))
    for publication in Publication.objects.order_by("creation_time"):
        subscriber, event = publication.subscriber, publication.event
        publishing.deliver(publication.pk)
        import_string(subscriber)(event)
    for execution in Execution.objects.filter(vendor_type=VENDOR).unfinished():
        work(execution)
    return list(Job.objects.exclude(pk__in=known).order_by("pk"))


def test_a_push_is_copied_once_and_only_where_a_rule_matches(scene: Scene) -> None:
    scene.rule(filters=[{"type": "name", "value": "private/**"}, {"type": "tag", "value": "v*"}], **EVENT)
    scene.rule(filters=[{"type": "name", "value": "elsewhere/**"}], **EVENT)
    scene.rule(enabled=False, **EVENT)
    scene.push("private/app", "v1", image_of("one"))
    scene.push("private/app", "dev", image_of("two"))

    [job] = hear()

    assert (job.status, job.execution.trigger) == ("Success", "EVENT")
    assert set(scene.there.known_tags) == {("private/app", "v1")}


def test_another_tag_is_copied_too(scene: Scene) -> None:
    artifact = scene.push("private/app", "v1", image_of("one"))
    scene.rule(**EVENT)
    Publication.objects.all().delete()

    create_tag(SYSTEM, artifact, "latest")

    assert [job.spec["tags"] for job in hear()] == [["latest"]]
    assert set(scene.there.known_tags) == {("private/app", "latest")}


def test_the_children_of_an_index_travel_with_it_alone(scene: Scene) -> None:
    scene.rule(**EVENT)
    scene.push("private/app", "multi", content.index(image_of("arm"), image_of("amd")))

    assert [job.spec["tags"] for job in hear()] == [["multi"]]
    assert len(scene.there.manifests) == 3


def test_a_signature_takes_what_it_signs_along(scene: Scene) -> None:
    image = image_of("one")
    scene.push("private/app", "v1", image)
    Publication.objects.all().delete()
    scene.rule(**EVENT)
    signature = content.artifact("application/vnd.example.signature", subject=image)

    scene.push("private/app", signature.digest(), signature)

    assert [job.spec["tags"] for job in hear()] == [["v1"]]
    assert ("private/app", signature.digest()) in scene.there.manifests


def test_what_is_deleted_here_is_deleted_there_if_the_rule_says_so(scene: Scene) -> None:
    artifact = scene.push("private/app", "v1", image_of("one"))
    policy = scene.rule(deletion=True, **EVENT)
    scene.run(policy)
    Publication.objects.all().delete()

    delete_artifact(SYSTEM, Artifact.objects.select_related("repository__project").get(pk=artifact.pk))

    assert [job.spec["operation"] for job in hear()] == ["deletion"]
    assert scene.there.known_tags == {}


def test_a_repository_that_is_deleted_is_deleted_there_in_one_run(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the rule would have copied of it, and nothing that means something else there by now."""
    monkeypatch.setattr(removal, "BATCH", 3)
    for tag in ("v1", "v2", "v3", "v4", "dev"):
        scene.push("private/app", tag, image_of(tag))
    scene.push("private/app", "v5", content.index(image_of("arm"), image_of("amd")))
    policy = scene.rule(deletion=True, filters=[{"type": "tag", "value": "v*"}], **EVENT)
    scene.run(policy)
    scene.put_there("private/app", "v2", image_of("theirs"))
    scene.put_there("private/app", "dev", image_of("dev"))
    Publication.objects.all().delete()

    delete_repository(SYSTEM, Repository.objects.select_related("project").get(name="private/app"))

    jobs = hear()
    assert [job.spec["tags"] for job in jobs] == [["v1"], ["v2"], ["v3"], ["v4"], ["v5"]]
    assert len({job.execution_id for job in jobs}) == 2  # as many as there are parts
    assert set(scene.there.known_tags) == {("private/app", "v2"), ("private/app", "dev")}


def test_only_what_a_rule_would_have_copied_is_deleted_by_it(scene: Scene) -> None:
    """Its labels and its kind are asked for, too, although it is gone."""
    label = Label.objects.create(name="keep", project=scene.cast.private)
    labelled = scene.push("private/app", "v1", image_of("one"))
    attach_label(SYSTEM, labelled, label)
    other = scene.push("private/app", "v2", image_of("two"))
    chart = scene.push("private/app", "v3", content.chart())
    scene.run(scene.rule())
    scene.rule(deletion=True, filters=[{"type": "label", "value": ["keep"]}], **EVENT)
    scene.rule(deletion=True, filters=[{"type": "resource", "value": "chart"}], **EVENT)
    Publication.objects.all().delete()

    for artifact in (labelled, other, chart):
        delete_artifact(SYSTEM, Artifact.objects.select_related("repository__project").get(pk=artifact.pk))

    assert [job.spec["tags"] for job in hear()] == [["v1"], ["v3"]]
    assert set(scene.there.known_tags) == {("private/app", "v2")}


def test_what_was_moved_there_meanwhile_is_not_deleted(scene: Scene) -> None:
    artifact = scene.push("private/app", "v1", image_of("one"))
    scene.put_there("private/app", "v1", image_of("theirs"))
    scene.rule(deletion=True, **EVENT)
    scene.rule(**EVENT)
    Publication.objects.all().delete()

    delete_artifact(SYSTEM, Artifact.objects.select_related("repository__project").get(pk=artifact.pk))

    [job] = hear()
    assert "is something else" in job.status_message
    assert set(scene.there.known_tags) == {("private/app", "v1")}


def test_a_tag_that_is_deleted_never_takes_the_artifact_with_it(scene: Scene) -> None:
    artifact = scene.push("private/app", "v1", image_of("one"))
    create_tag(SYSTEM, artifact, "v2")
    policy = scene.rule(deletion=True, **EVENT)
    scene.run(policy)
    Publication.objects.all().delete()

    delete_tag(SYSTEM, Tag.objects.select_related("repository__project", "artifact").get(name="v2"))

    hear()
    assert ("private/app", "v1") in scene.there.known_tags
