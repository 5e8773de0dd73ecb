"""The realm's query against the plain way, and against what has changed since somebody was recognised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from accounts.actions import set_active, set_admin, set_password
from accounts.actors import ANONYMOUS, SYSTEM, Actor, Permission
from accounts.models import Group, GroupMembership, User
from projects.models import Member, Role
from projects.permissions import allowed
from robots.actions import create_robot, delete_robot, refresh_secret, update_robot
from robots.models import Robot
from robots.permissions import Grant
from tests.cast import Cast, assemble, make_user
from tests.tokens.realm import Realm
from tokens.access import Standing, standing_of

NAMES = frozenset({"private", "public", "no-such-project"})
PULL, PUSH = Permission("repository", "pull"), Permission("repository", "push")
SCOPE = "repository:private/app:pull,push"


@pytest.fixture
def robot(cast: Cast) -> tuple[Robot, str]:
    """A robot that pulls from the private project, and its secret."""
    grants = [Grant("project", "private", (PULL,))]
    return create_robot(SYSTEM, name="r", level="project", project=cast.private, duration=-1, permissions=grants)


def test_agrees_with_permissions(cast: Cast, robot: tuple[Robot, str], django_assert_num_queries: Any) -> None:
    group = Group.objects.create(name="pushers", type=Group.Type.HTTP)
    member = make_user("member")
    for user in (member, cast.guest):
        GroupMembership.objects.create(group=group, user=user)
    Member.objects.create(project=cast.private, group=group, role=Role.DEVELOPER)
    people = [
        cast.admin,
        cast.alice,
        cast.maintainer,
        cast.developer,
        cast.guest,
        cast.limited_guest,
        cast.stranger,
        member,
    ]
    for actor in [ANONYMOUS, robot[0].actor, *(person.actor for person in people)]:
        standing_of(actor, NAMES)  # PostgreSQL plans it, once for each connection
        with django_assert_num_queries(1):
            standing = standing_of(actor, NAMES)
        assert standing is not None and standing.projects.keys() == {"private", "public"}
        for project in (cast.private, cast.public):
            access = standing.projects[project.name]
            assert (access.project_id, access.public) == (project.pk, project.public)
            assert access.permissions == allowed(actor, project), (actor.name, project.name)


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_somebody_dropped() -> None:
    """As behind a pooler, which gives each statement another connection."""
    cast = assemble()
    before = standing_of(cast.guest.actor, NAMES)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")

    for _ in range(2):
        assert standing_of(cast.guest.actor, NAMES) == before


def test_without_a_name_it_still_says_whether_somebody_is(cast: Cast, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert standing_of(ANONYMOUS, []) == Standing(ANONYMOUS, {})
    standing = standing_of(cast.guest.actor, [])
    assert standing is not None and standing.projects == {}
    assert standing_of(replace(cast.guest.actor, auth_epoch=99), []) is None
    assert standing_of(replace(cast.guest.actor, user_id=10**9), []) is None


def test_the_row_says_who_is_administrator(cast: Cast) -> None:
    liar = replace(cast.stranger.actor, is_admin=True)
    standing = standing_of(liar, NAMES)
    assert standing is not None and not standing.actor.is_admin
    assert standing.projects["private"].permissions == frozenset()


def _password(cast: Cast) -> None:
    set_password(SYSTEM, cast.developer, "Another-Horse-9")


def _shut_out(cast: Cast) -> None:
    set_active(cast.admin.actor, cast.developer, False)


def _deleted(cast: Cast) -> None:
    User.objects.filter(pk=cast.developer.pk).update(deleted=True)


@pytest.mark.parametrize("change", [_password, _shut_out, _deleted])
def test_a_recognised_person_who_changed_is_refused_at_once(
    cast: Cast, realm: Realm, change: Callable[[Cast], None]
) -> None:
    for _ in range(2):
        assert realm.get(SCOPE, user="developer").granted == {"private/app": {"pull", "push"}}
    change(cast)
    assert realm.get(SCOPE, user="developer").status == 401
    assert realm.get(user="developer").status == 401


def test_a_recognised_person_whose_role_changed(cast: Cast, realm: Realm) -> None:
    realm.get(SCOPE, user="developer")
    Member.objects.filter(user=cast.developer).update(role=Role.GUEST)
    assert realm.get(SCOPE, user="developer").granted == {"private/app": {"pull"}}
    Member.objects.filter(user=cast.developer).delete()
    assert realm.get(SCOPE, user="developer").granted == {}


def test_a_recognised_administrator_who_is_none_any_more(cast: Cast, realm: Realm) -> None:
    boss: Actor = make_user("boss", is_admin=True).actor
    catalog = "registry:catalog:*"
    assert realm.get(catalog, SCOPE, user="boss").granted == {"catalog": {"*"}, "private/app": {"pull", "push"}}
    set_admin(cast.admin.actor, User.objects.get(pk=boss.user_id), False)
    assert realm.get(catalog, SCOPE, user="boss").granted == {}


def _disabled(robot: Robot) -> None:
    update_robot(SYSTEM, robot, disabled=True)


def _expired(robot: Robot) -> None:
    Robot.objects.filter(pk=robot.pk).update(expires_at=datetime.now(UTC))


def _new_secret(robot: Robot) -> None:
    refresh_secret(SYSTEM, robot)


def _gone(robot: Robot) -> None:
    delete_robot(SYSTEM, robot)


@pytest.mark.parametrize("change", [_disabled, _expired, _new_secret, _gone])
def test_a_recognised_robot_that_changed_is_refused_at_once(
    cast: Cast, realm: Realm, robot: tuple[Robot, str], change: Callable[[Robot], None]
) -> None:
    worker, secret = robot
    name = worker.display_name()
    for _ in range(2):
        assert realm.get(SCOPE, user=name, password=secret).granted == {"private/app": {"pull"}}
    change(worker)
    assert realm.get(SCOPE, user=name, password=secret).status == 401


def test_a_recognised_robot_whose_grants_changed(cast: Cast, realm: Realm, robot: tuple[Robot, str]) -> None:
    worker, secret = robot
    name = worker.display_name()
    realm.get(SCOPE, user=name, password=secret)
    update_robot(SYSTEM, worker, permissions=[Grant("project", "private", (PULL, PUSH))])
    assert realm.get(SCOPE, user=name, password=secret).granted == {"private/app": {"pull", "push"}}


def test_nobody_else_is_recognised(cast: Cast, realm: Realm) -> None:
    realm.get(SCOPE, user="developer")
    assert realm.get(SCOPE, user="developer", password="Wrong-Password-1").status == 401
    assert realm.get(SCOPE, user="alice", password="Wrong-Password-1").status == 401
