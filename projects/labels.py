"""What may be done with labels. Authorize, one transaction, one audit entry."""

from __future__ import annotations

import re

from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.errors import BadRequest, Conflict, NotFound
from accounts.permissions import require_system
from accounts.rules import is_one_line
from audit.actions import record
from projects.models import Label, Project
from projects.permissions import require

LONGEST_NAME = 128
LONGEST_DESCRIPTION = 4096
COLOR = re.compile(r"|#[0-9A-Fa-f]{3,8}|[A-Za-z]{1,16}", re.ASCII)
"""Nothing, or a colour as CSS writes it. The portal paints with it, so it is nothing else."""


def require_labels(actor: Actor, action: str, project: Project | None) -> None:
    """Return if `actor` may do this with labels of `project`; with those for every project where that is None."""
    if project is None:
        require_system(actor, "label", action)
    else:
        require(actor, "label", action, project)


def create_label(
    actor: Actor, *, name: str, project: Project | None = None, color: str = "", description: str = ""
) -> Label:
    """A new label, of `project` or for every project. Its name is taken once in each."""
    require_labels(actor, "create", project)
    _check(name, color, description)
    label = Label(project=project, name=name, color=color, description=description)
    try:
        with transaction.atomic():
            if project and not Project.objects.select_for_update(no_key=True).filter(pk=project.pk).exists():
                raise NotFound(f"project {project.name} not found")
            label.save(force_insert=True)
            record(actor, "create", "label", name, project=project)
    except IntegrityError:
        raise _taken(name) from None
    return label


def update_label(actor: Actor, label: Label, *, name: str, color: str = "", description: str = "") -> Label:
    """Give the label this name, colour and description; it stays on every artifact that carries it."""
    require_labels(actor, "update", label.project)
    _check(name, color, description)
    try:
        with transaction.atomic():
            current = lock_label(label.pk)
            was, current.name, current.color, current.description = current.name, name, color, description
            current.save(update_fields=["name", "color", "description", "update_time"])
            record(actor, "update", "label", name, project=label.project, was=was)
    except IntegrityError:
        raise _taken(name) from None
    return current


def delete_label(actor: Actor, label: Label) -> None:
    """Delete the label; no artifact carries it any more."""
    require_labels(actor, "delete", label.project)
    with transaction.atomic():
        current = lock_label(label.pk)
        record(actor, "delete", "label", current.name, project=label.project)
        current.delete()


def lock_label(pk: int) -> Label:
    """The label, locked until the transaction ends: nobody deletes it meanwhile, or puts it on an artifact."""
    label = Label.objects.select_for_update().filter(pk=pk).first()
    if label is None:
        raise NotFound(f"label {pk} not found")
    return label


def _check(name: str, color: str, description: str) -> None:
    if not name.strip() or len(name) > LONGEST_NAME or not is_one_line(name):
        raise BadRequest(f"a label's name has 1 to {LONGEST_NAME} characters, on one line", "name")
    if not COLOR.fullmatch(color):
        raise BadRequest("a label's color is written as in CSS, #0065AB or green", "color")
    if len(description) > LONGEST_DESCRIPTION:
        raise BadRequest(f"a label's description has at most {LONGEST_DESCRIPTION} characters", "description")


def _taken(name: str) -> Conflict:
    return Conflict(f"label {name} already exists")
