"""Labels on artifacts."""

from __future__ import annotations

from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors import SYSTEM
from accounts.errors import Conflict, Denied, Forbidden, NotFound
from artifacts import actions
from artifacts.models import Artifact, ArtifactLabel
from audit.models import Entry
from configuration import values
from projects import labels
from projects.models import Label
from tests.artifacts.conftest import door_of
from tests.cast import Cast, make_project, make_user
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import IMAGE
from tests.races import at_once


@pytest.fixture
def artifact(cast: Cast, registry: FakeRegistry) -> Artifact:
    door_of(cast.developer).push(registry, "private/app", "v1", IMAGE)
    return Artifact.objects.get()


def test_a_label_is_put_on_and_taken_off(cast: Cast, artifact: Artifact) -> None:
    own = labels.create_label(cast.alice.actor, name="own", project=cast.private)
    shared = labels.create_label(SYSTEM, name="a shared one")
    developer = cast.developer.actor
    Entry.objects.all().delete()

    for label in (own, shared):
        actions.attach_label(developer, artifact, label)
        with pytest.raises(Conflict):
            actions.attach_label(developer, artifact, label)
    row = Artifact.objects.with_labels().get()
    assert [label.name for label in row.labels.all()] == ["a shared one", "own"]

    actions.detach_label(developer, artifact, own)
    with pytest.raises(NotFound):
        actions.detach_label(developer, artifact, own)
    assert list(artifact.labels.all()) == [shared]
    entries = Entry.objects.filter(resource_type="artifact-label").order_by("pk")
    assert [(entry.operation, entry.details["label"]) for entry in entries] == [
        ("create", "own"),
        ("create", "a shared one"),
        ("delete", "own"),
    ]
    assert {(entry.username, entry.project_id) for entry in entries} == {("developer", cast.private.pk)}


def test_what_is_refused(cast: Cast, artifact: Artifact) -> None:
    own = labels.create_label(SYSTEM, name="own", project=cast.private)
    foreign = labels.create_label(SYSTEM, name="foreign", project=cast.public)
    gone = labels.create_label(SYSTEM, name="gone")
    Label.objects.filter(pk=gone.pk).delete()

    for label in (foreign, gone):
        with pytest.raises(NotFound):
            actions.attach_label(SYSTEM, artifact, label)
    for user in (cast.guest, cast.stranger):
        for act in (actions.attach_label, actions.detach_label):
            with pytest.raises(Forbidden):
                act(user.actor, artifact, own)
    values.set_values({"read_only": True})
    for act in (actions.attach_label, actions.detach_label):
        with pytest.raises(Denied):
            act(SYSTEM, artifact, own)
    values.set_values({"read_only": False})
    actions.delete_artifact(SYSTEM, artifact)
    with pytest.raises(NotFound):
        actions.attach_label(SYSTEM, artifact, own)
    assert not ArtifactLabel.objects.exists()


def test_a_deleted_label_is_on_nothing_and_a_deleted_artifact_carries_nothing(cast: Cast, artifact: Artifact) -> None:
    first, second = (labels.create_label(SYSTEM, name=name) for name in ("first", "second"))
    for label in (first, second):
        actions.attach_label(SYSTEM, artifact, label)
    labels.delete_label(SYSTEM, first)
    assert list(artifact.labels.all()) == [second]

    actions.delete_artifact(SYSTEM, artifact)
    assert not ArtifactLabel.objects.exists() and Label.objects.get() == second


def test_deleting_a_label_costs_the_same_however_many_carry_it(cast: Cast, artifact: Artifact) -> None:
    costs = []
    for _ in range(2):
        label = labels.create_label(SYSTEM, name="on many")
        for carrier in Artifact.objects.all():
            actions.attach_label(SYSTEM, carrier, label)
        with CaptureQueriesContext(connection) as queries:
            labels.delete_label(SYSTEM, label)
        costs.append(len(queries))
        make_more(artifact, 20)
    assert costs[0] == costs[1]


def make_more(artifact: Artifact, number: int) -> None:
    """Rows like `artifact`."""
    have = Artifact.objects.count()
    for each in range(have, have + number):
        artifact.pk, artifact.digest = None, f"sha256:{each:064}"
        artifact.save()


@pytest.mark.django_db(transaction=True)
def test_two_at_once(registry: FakeRegistry) -> None:
    """One puts it on, the others hear that it is there; a label that goes meanwhile is on nothing."""
    owner = make_user("owner")
    make_project("race", owner)
    door_of(owner).push(registry, "race/app", "v1", IMAGE)
    artifact = Artifact.objects.select_related("repository__project").get()
    project = artifact.repository.project
    for number in range(5):
        make = partial(labels.create_label, SYSTEM, name=f"label {number}", project=project)
        made = at_once([make] * 3)
        assert sum(isinstance(outcome, Label) for outcome in made) == 1
        assert sum(isinstance(outcome, Conflict) for outcome in made) == 2, made
        label = Label.objects.get(name=f"label {number}")

        outcomes = at_once([partial(actions.attach_label, SYSTEM, artifact, label)] * 3)
        assert [outcome for outcome in outcomes if not isinstance(outcome, Conflict)] == [None]
        outcomes = at_once([partial(actions.detach_label, SYSTEM, artifact, label)] * 3)
        assert [outcome for outcome in outcomes if not isinstance(outcome, NotFound)] == [None]

        attach = partial(actions.attach_label, SYSTEM, artifact, label)
        attached, deleted = at_once([attach, partial(labels.delete_label, SYSTEM, label)])
        assert deleted is None and (attached is None or isinstance(attached, NotFound)), (attached, deleted)
        assert not ArtifactLabel.objects.exists()
        assert not Label.objects.filter(pk=label.pk).exists()
    assert Entry.objects.filter(operation="create", resource_type="label").count() == 5
