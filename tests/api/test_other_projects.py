"""Who administers one project tries everything below it with what belongs to another: ids, digests and names.

That the other project itself refuses them, whatever they hold elsewhere, is shown in `test_permissions.py`.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.db import transaction

from accounts import scratch
from projects.models import Label, Project
from robots.models import Robot
from tests.api.calling import Caller
from tests.api.conftest import Stage
from tests.api.contract import OURS
from tests.api.stage import make_image, make_index, make_repository
from tests.api.test_permissions import EVERY_RIGHT, PROBES, Probe, held, path_of, robot
from tests.cast import PASSWORD, make_project, make_user

THEIRS, OURS_INSTEAD = "/projects/private", "/projects/mine"
FOREIGN = ("{guest_member}", "{robot}", "{digest}", "{label}", "from=private")
"""In a path: this belongs to `private`, whatever project the path begins with."""
FOREIGN_BODIES = ("addLabel",)
REFUSED = (400, 403, 404)
BELOW_A_PROJECT = [
    probe
    for probes in PROBES.values()
    for probe in probes
    if probe.call.path.startswith((THEIRS, "/projects/public", "{artifacts}"))
]


@pytest.fixture
def mine(stage: Stage) -> Project:
    """Mallory's, where everything is called as in `private`."""
    project = make_project("mine", make_user("mallory"))
    repository = make_repository(project, "app/web")
    image = make_image(repository, "v1", "latest")
    index = make_index(repository, "multi", image)
    index.label_uses.create(label=Label.objects.create(project=project, name="blessed"))
    return project


def rows(project: Project) -> dict[str, list[Any]]:
    """All that belongs to `project`, in every table."""
    ways = {"project": "project", "repository": "repository__project", "artifact": "artifact__project"}
    found: dict[str, list[Any]] = {"project": list(Project.objects.filter(pk=project.pk).values())}
    for model in apps.get_models():
        fields = {field.name for field in model._meta.get_fields() if field.many_to_one}
        for field in [name for name in ways if name in fields][:1]:
            found[model._meta.label] = list(
                model._base_manager.filter(**{ways[field]: project}).order_by("pk").values()
            )
    return found


def is_foreign(probe: Probe) -> bool:
    return probe.operation in FOREIGN_BODIES or any(part in probe.call.path for part in FOREIGN)


def reached(
    stage: Stage, probe: Probe, ask: Caller, before: dict[str, Any], place: str = OURS_INSTEAD, **headers: str
) -> list[str]:
    """What went wrong when `ask` did this at `place` with what is of `private`."""
    path = path_of(probe, stage).replace(THEIRS, place, 1)
    sent = probe.call.body(stage) if probe.call.body else None
    with transaction.atomic():
        answer = ask(OURS[probe.operation].method, path, sent, **headers)
        where = f"{probe.operation} {path} by {ask.name or 'mallory'}: {answer.status_code}"
        wrong = [f"{where} {answer.content!r}"] * (is_foreign(probe) and answer.status_code not in REFUSED)
        wrong += [f"{where} tells of it"] * (answer.status_code < 300 and b"private/" in answer.content)
        wrong += [f"{where} changed it"] * (rows(stage.cast.private) != before)
        for made in Robot.objects.filter(project__owner__username="mallory"):
            elsewhere = made.permissions["projects"].keys() - {str(made.project_id)}
            wrong += [f"{where} made a robot with more"] * bool(elsewhere or made.permissions["system"])
        transaction.set_rollback(True)
    scratch.reset()
    return wrong


def test_what_belongs_to_another_project_is_not_there_in_ones_own(stage: Stage, mine: Project) -> None:
    assert sum(map(is_foreign, BELOW_A_PROJECT)) >= 10
    everything = robot("everything", mine.pk, held(EVERY_RIGHT, "project")).ask
    wrong: list[str] = []
    for probe in BELOW_A_PROJECT:
        with transaction.atomic():
            path_of(probe, stage)
            before = rows(stage.cast.private)
            for ask in (Caller("mallory", PASSWORD), everything):
                wrong += reached(stage, probe, ask, before)
            transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)


def test_a_project_that_is_called_as_anothers_id_is_not_that_project(stage: Stage, mine: Project) -> None:
    """`/projects/7` is the project of that id; Mallory's, called 7, where only names are taken or a header says so."""
    theirs = stage.cast.private
    Project.objects.filter(pk=mine.pk).update(name=str(theirs.pk))
    mallory, wrong = Caller("mallory", PASSWORD), []
    for probe in BELOW_A_PROJECT:
        for header in ("true", "false"):
            with transaction.atomic():
                path_of(probe, stage)
                before = rows(theirs)
                place = f"/projects/{theirs.pk}"
                wrong += reached(stage, probe, mallory, before, place, X_Is_Resource_Name=header)
                transaction.set_rollback(True)
    assert not wrong, "\n".join(wrong)
    assert mallory.get(f"/projects/{theirs.pk}").status_code == 403
    assert mallory.get(f"/projects/{theirs.pk}", X_Is_Resource_Name="true").json()["project_id"] == mine.pk
