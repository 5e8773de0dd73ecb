"""Labels: who may make, change and delete them, and what is refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from accounts.actors import ANONYMOUS
from accounts.errors import BadRequest, Conflict, DomainError, Forbidden, NotFound, Unauthenticated
from accounts.models import User
from audit.models import Entry
from projects import actions, labels
from projects.models import Label, Project
from tests.cast import Cast


def entries() -> list[tuple[str, str, int | None]]:
    rows = Entry.objects.filter(resource_type="label").order_by("pk")
    return list(rows.values_list("operation", "resource", "project_id"))


def test_a_label_comes_changes_and_goes(cast: Cast) -> None:
    actor = cast.maintainer.actor
    label = labels.create_label(actor, name="gold", project=cast.private, color="#FFD700", description="the best")
    labels.update_label(actor, label, name="silver", color="silver")

    assert Label.objects.values_list("project", "name", "color", "description").get() == (
        cast.private.pk,
        "silver",
        "silver",
        "",
    )
    labels.delete_label(actor, label)
    assert not Label.objects.exists()
    for gone in (partial(labels.delete_label, actor, label), partial(labels.update_label, actor, label, name="x")):
        with pytest.raises(NotFound):
            gone()
    pk = cast.private.pk
    assert entries() == [("create", "gold", pk), ("update", "silver", pk), ("delete", "silver", pk)]


def test_who_may(cast: Cast) -> None:
    """Of a project: its maintainers and administrators. Those for every project: Haven's administrators."""
    everybody = [cast.admin, cast.alice, cast.maintainer, cast.developer, cast.guest, cast.limited_guest, cast.stranger]
    may = {cast.private: [cast.admin, cast.alice, cast.maintainer], None: [cast.admin]}
    for project, people in may.items():
        for user in everybody:
            assert is_done(user, project, f"by {user.username}") == (user in people), (user, project)
    with pytest.raises(Unauthenticated):
        labels.create_label(ANONYMOUS, name="x", project=cast.public)
    assert Label.objects.count() == 4


def is_done(user: User, project: Project | None, name: str) -> bool:
    """Whether `user` may make a label, and whether the same goes for changing and deleting one."""
    other, _ = Label.objects.get_or_create(project=project, name="somebody else's")
    answers = set()
    for act in (
        partial(labels.create_label, user.actor, name=name, project=project),
        partial(labels.update_label, user.actor, other, name="changed"),
        partial(labels.delete_label, user.actor, other),
    ):
        try:
            act()
            answers.add(True)
        except Forbidden:
            answers.add(False)
    assert len(answers) == 1, user
    Label.objects.filter(name="somebody else's").delete()
    return answers.pop()


def test_a_name_is_taken_once_in_each_scope(cast: Cast) -> None:
    admin = cast.admin.actor
    scopes = (None, cast.private, cast.public)
    for project in scopes:
        labels.create_label(admin, name="gold", project=project)
        second = labels.create_label(admin, name="silver", project=project)
        for act in (
            partial(labels.create_label, admin, name="gold", project=project),
            partial(labels.update_label, admin, second, name="gold"),
        ):
            with pytest.raises(Conflict):
                act()
    assert Label.objects.count() == 6
    assert len(entries()) == 6


def test_bad_labels(cast: Cast) -> None:
    bad: list[dict[str, Any]] = [
        {"name": ""},
        {"name": "  "},
        {"name": "x" * 129},
        {"name": "two\nlines"},
        {"name": "x", "color": "red;background:url(//evil)"},
        {"name": "x", "color": "#0065AB\n"},
        {"name": "x", "color": "#12"},
        {"name": "x", "description": "x" * 5000},
    ]
    good = labels.create_label(cast.admin.actor, name="good")
    for asked in bad:
        for act in (
            partial(labels.create_label, cast.admin.actor, **asked),
            partial(labels.update_label, cast.admin.actor, good, **asked),
        ):
            with pytest.raises(BadRequest):
                act()
    assert Label.objects.get().name == "good"


def test_a_project_takes_its_labels_along(cast: Cast) -> None:
    labels.create_label(cast.alice.actor, name="own", project=cast.private)
    labels.create_label(cast.admin.actor, name="shared")
    assert {label.name for label in Label.objects.usable_in(cast.private)} == {"own", "shared"}
    assert {label.name for label in Label.objects.usable_in(cast.public)} == {"shared"}

    actions.delete_project(cast.alice.actor, cast.private)

    assert [label.name for label in Label.objects.all()] == ["shared"]
    with pytest.raises(DomainError):
        labels.create_label(cast.admin.actor, name="too late", project=cast.private)
