"""What two do at once: one after the other, or one of them not at all. On SQLite and on PostgreSQL."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.actions import create_user, delete_user, set_admin, set_password
from accounts.actors import SYSTEM, Permission
from accounts.errors import DomainError, NotFound
from accounts.models import User
from artifacts.models import Repository
from audit.models import Entry
from projects import actions
from projects.models import Member, Project, Quota, Role
from robots.actions import create_robot, refresh_secret
from robots.models import Robot
from robots.permissions import Grant
from robots.secrets import is_right
from tests.cast import make_project, make_user
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 5


def kinds(outcomes: list[Any]) -> Counter[str]:
    """How often each: the name of the refusal, or `done`."""
    names = [type(outcome).__name__ if isinstance(outcome, Exception) else "done" for outcome in outcomes]
    assert all(isinstance(outcome, DomainError) for outcome in outcomes if isinstance(outcome, Exception)), outcomes
    return Counter(names)


@pytest.fixture
def project() -> Project:
    return make_project("race", make_user("owner"))


@pytest.mark.parametrize("way", ["demote", "delete", "mixed"])
def test_one_administrator_is_left(way: str) -> None:
    make_user("somebody, so that nobody below has the first id")
    for number in range(ROUNDS):
        User.objects.update(is_admin=False)
        pair = [make_user(f"admin{number}{letter}", is_admin=True) for letter in "ab"]
        ways = {"demote": [set_out, set_out], "delete": [delete_user, delete_user], "mixed": [set_out, delete_user]}
        outcomes = at_once([partial(out, SYSTEM, user) for out, user in zip(ways[way], pair, strict=True)])
        assert kinds(outcomes) == {"done": 1, "PreconditionFailed": 1}
        assert User.objects.administrators().count() == 1


def set_out(actor: Any, user: User) -> None:
    set_admin(actor, user, False)


def test_a_quota_lets_in_what_fits_and_no_more(project: Project) -> None:
    Quota.objects.filter(project=project).update(hard=100)
    outcomes = at_once([lambda: actions.charge(project.pk, 30)] * 10)
    assert kinds(outcomes) == {"done": 3, "Denied": 7}
    assert Quota.objects.get(project=project).used == 90


def test_a_quota_set_by_two_under_a_push(project: Project) -> None:
    """The limit is one of the two, both are written down, and what was booked meanwhile is not forgotten."""
    for number in range(ROUNDS):
        limits = [1000 + number, 2000 + number]
        outcomes = at_once(
            [
                *(partial(actions.set_quota, SYSTEM, project, limit) for limit in limits),
                *[lambda: actions.charge(project.pk, 7)] * 3,
            ]
        )
        assert kinds(outcomes) == {"done": 5}
        quota = Quota.objects.get(project=project)
        assert quota.hard in limits and quota.used == 21 * (number + 1)
    assert Entry.objects.filter(operation="update", resource_type="project").count() == 2 * ROUNDS


def test_one_warning_where_many_fill_a_project(project: Project) -> None:
    Quota.objects.filter(project=project).update(hard=100)
    at_once([lambda: actions.charge(project.pk, 20)] * 5)
    assert Quota.objects.get(project=project).used == 100
    assert Entry.objects.filter(operation="warn").count() == 1


def test_a_name_is_given_once(project: Project) -> None:
    owner = User.objects.get().actor
    for number in range(ROUNDS):
        outcomes = at_once([partial(actions.create_project, owner, name=f"p{number}")] * 4)
        assert kinds(outcomes) == {"done": 1, "Conflict": 3}
    assert Project.objects.count() == 1 + ROUNDS
    assert Quota.objects.count() == 1 + ROUNDS
    assert Entry.objects.filter(operation="create").count() == ROUNDS


def test_a_user_is_made_once() -> None:
    make = partial(create_user, SYSTEM, password="Another-Horse-9", realname="X")
    outcomes = at_once([partial(make, username=name, email=f"{name}@haven.test") for name in ("one", "ONE")])
    assert kinds(outcomes) == {"done": 1, "Conflict": 1}


def test_a_member_joins_once(project: Project) -> None:
    newcomer = make_user("newcomer")
    roles = [Role.GUEST, Role.DEVELOPER, Role.GUEST, Role.DEVELOPER]
    outcomes = at_once([partial(actions.set_member, SYSTEM, project, user=newcomer, role=role) for role in roles])
    assert kinds(outcomes) == {"done": 1, "Conflict": 3}
    assert Member.objects.filter(user=newcomer).count() == 1


def test_a_project_keeps_an_administrator(project: Project) -> None:
    owner = User.objects.get(username="owner")
    for number in range(ROUNDS):
        second = make_user(f"second{number}")
        members = [
            project.members.get(user=owner),
            actions.set_member(SYSTEM, project, user=second, role=Role.PROJECT_ADMIN),
        ]
        demote = partial(actions.change_member, owner.actor, project, role=Role.GUEST)
        outcomes = at_once([partial(demote, member=member) for member in members])
        left = project.members.filter(role=Role.PROJECT_ADMIN)
        assert left.count() == 1, outcomes
        project.members.filter(user=second).delete()
        project.members.filter(user=owner).update(role=Role.PROJECT_ADMIN)


def test_a_members_role_set_by_two(project: Project) -> None:
    """It is one of the two, and both are written down; who is removed meanwhile is not there again."""
    for number in range(ROUNDS):
        member = actions.set_member(SYSTEM, project, user=make_user(f"m{number}"), role=Role.GUEST)
        change = partial(actions.change_member, SYSTEM, project, member)
        outcomes = at_once([partial(change, Role.DEVELOPER), partial(change, Role.MAINTAINER)])
        member.refresh_from_db()
        assert kinds(outcomes) == {"done": 2} and member.role in (Role.DEVELOPER, Role.MAINTAINER)
        remove = partial(actions.remove_member, SYSTEM, project, member)
        outcomes = at_once([partial(change, Role.GUEST), remove, remove])
        assert kinds(outcomes) in ({"done": 1, "NotFound": 2}, {"done": 2, "NotFound": 1})
        assert not Member.objects.filter(pk=member.pk).exists()
    told = Entry.objects.filter(resource_type="member")
    assert told.filter(operation="delete").count() == ROUNDS


def test_metadata_set_by_two_are_all_there(project: Project) -> None:
    for number in range(ROUNDS):
        Project.objects.update(metadata={}, public=False)
        stale = Project.objects.get()
        outcomes = at_once(
            [
                partial(actions.set_metadata, SYSTEM, stale, "auto_scan", "true"),
                partial(actions.update_project, SYSTEM, stale, metadata={"public": "true"}),
                partial(actions.add_metadata, SYSTEM, stale, "severity", "high"),
                partial(actions.add_metadata, SYSTEM, stale, "severity", "low"),
            ]
        )
        assert kinds(outcomes) == {"done": 3, "Conflict": 1}
        shown = actions.shown_metadata(Project.objects.get())
        assert shown.pop("severity") in ("high", "low")
        assert shown == {"public": "true", "auto_scan": "true"}
        assert Entry.objects.filter(operation="update").count() == 3 * (number + 1)


def test_a_push_and_a_deletion(project: Project) -> None:
    """Either the project goes and the push fails, or the repository is there and the project too."""

    def push(project: Project) -> None:
        try:
            with transaction.atomic():
                actions.lock_quota(project.pk)
                Repository.objects.create(project_id=project.pk, name=f"{project.name}/app")
        except IntegrityError:
            raise NotFound("the project is gone") from None

    for number in range(ROUNDS):
        target = make_project(f"target{number}")
        outcomes = at_once([partial(push, target), partial(actions.delete_project, SYSTEM, target)])
        assert kinds(outcomes) in ({"done": 1, "NotFound": 1}, {"done": 1, "PreconditionFailed": 1})
        alive = Project.objects.filter(pk=target.pk).exists()
        assert Repository.objects.filter(name=f"{target.name}/app").exists() == alive


def test_a_secret_renewed_twice_is_the_last_one(project: Project) -> None:
    grant = Grant("project", "race", (Permission("repository", "pull"),))
    robot, _ = create_robot(SYSTEM, name="ci", level="project", duration=-1, permissions=[grant])
    secrets = at_once([lambda: refresh_secret(SYSTEM, robot)] * 4)
    row = Robot.objects.get()
    assert sum(is_right(secret, row.secret_digest) for secret in secrets) == 1
    assert row.auth_epoch == 4


def test_a_robot_is_made_once(project: Project) -> None:
    grant = Grant("project", "race", (Permission("repository", "pull"),))
    outcomes = at_once([lambda: create_robot(SYSTEM, name="ci", level="project", duration=-1, permissions=[grant])] * 4)
    assert kinds(outcomes) == {"done": 1, "Conflict": 3}


def test_two_new_passwords(project: Project) -> None:
    owners = [User.objects.get(), User.objects.get()]
    outcomes = at_once([partial(set_password, SYSTEM, user, f"Another-Horse-{n}") for n, user in enumerate(owners)])
    assert kinds(outcomes) == {"done": 1, "Conflict": 1}
    assert User.objects.get().auth_epoch == 1
