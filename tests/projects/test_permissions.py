from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

from accounts.actors import ANONYMOUS, EVERY_PROJECT, SYSTEM, Actor, Kind, Permission
from accounts.errors import Forbidden, NotFound, Unauthenticated
from accounts.models import Group, GroupMembership
from accounts.permissions import SYSTEM_PERMISSIONS, require_system, system_allowed
from projects.models import Member, Project, Role
from projects.permissions import (
    EVERYTHING,
    PUBLIC,
    ROBOT_PERMISSIONS,
    allowed,
    decide,
    find,
    projects_allowing,
    require,
)
from tests.cast import Cast

RBAC = json.loads((Path(__file__).parent / "rbac.json").read_text())
"""Harbor's own table, as read from its source."""
WORDS = [resource for resource in RBAC["resources"] if resource not in {"*", "self"}]
ACTIONS = [action for action in RBAC["actions"] if action != "*"]
SOMEBODY = Actor(Kind.USER, "somebody", user_id=7)
ROLES = {Role[role_name]: name for role_name, name in zip(Role.names, Role.labels, strict=True)}


def harbor(policies: dict[str, list[str]]) -> set[Permission]:
    """A table of Harbor's in our words: the project itself is `project`, not `self`."""
    return {
        Permission("project" if resource == "self" else resource, action)
        for resource, actions in policies.items()
        for action in actions
    }


def cells() -> list[Permission]:
    """Every resource with every action, those included that nobody may do."""
    return [Permission(resource, action) for resource, action in itertools.product(WORDS, ACTIONS)]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("public", [False, True])
def test_a_role_may_what_harbor_says(role: Role, public: bool) -> None:
    expected = harbor(RBAC["project_roles"][ROLES[role]]["policies"])
    if public:
        expected |= harbor(RBAC["anonymous_or_nonmember_on_public_project"])
    granted = decide(SOMEBODY, 1, public, [role])
    assert {cell: cell in granted for cell in cells()} == {cell: cell in expected for cell in cells()}
    assert granted == expected


@pytest.mark.parametrize("actor", [ANONYMOUS, SOMEBODY, Actor(Kind.ROBOT, "robot$r", robot_id=1)], ids=lambda a: a.kind)
def test_who_has_no_role_may_what_is_public(actor: Actor) -> None:
    assert decide(actor, 1, True, []) == harbor(RBAC["anonymous_or_nonmember_on_public_project"]) == PUBLIC
    assert decide(actor, 1, False, []) == frozenset()


@pytest.mark.parametrize("row", RBAC["matrix"], ids=lambda row: f"{row['resource']}:{row['action']}")
def test_the_matrix_agrees(row: dict[str, object]) -> None:
    [cell] = harbor({str(row["resource"]): [str(row["action"])]})
    for role, name in ROLES.items():
        assert (cell in decide(SOMEBODY, 1, False, [role])) == row[name]
    assert (cell in decide(ANONYMOUS, 1, True, [])) == row["anonymous_public"]
    assert (cell in decide(SYSTEM, 1, False, [])) == row["sysadmin"]


def test_several_roles_add_up() -> None:
    both = decide(SOMEBODY, 1, False, [Role.GUEST, Role.MAINTAINER])
    assert both == decide(SOMEBODY, 1, False, [Role.MAINTAINER])


def test_an_administrator_may_everything_that_anybody_may() -> None:
    anybody = harbor(RBAC["robot_permissions"]["project"])
    for name in ROLES.values():
        anybody |= harbor(RBAC["project_roles"][name]["policies"])
    assert decide(SYSTEM, 1, False, []) == anybody == EVERYTHING
    assert Permission("repository", "scanner-pull") not in EVERYTHING


@pytest.mark.parametrize("kind", ["system", "project"])
def test_robots_can_be_given_what_harbor_lists(kind: str) -> None:
    assert ROBOT_PERMISSIONS[kind] == harbor(RBAC["robot_permissions"][kind])


def test_the_system_table_holds_harbors() -> None:
    assert harbor(RBAC["system_resource_policies_list"]) <= SYSTEM_PERMISSIONS
    assert ROBOT_PERMISSIONS["system"] <= SYSTEM_PERMISSIONS


READ_LOG = Permission("log", "list")
UPDATE = Permission("project", "update")


@pytest.mark.parametrize(
    ("grants", "project", "expected"),
    [
        ({1: {UPDATE}}, 1, {UPDATE}),
        ({1: {UPDATE}}, 2, set()),
        ({EVERY_PROJECT: {UPDATE}}, 2, {UPDATE}),  # on every project, and still this action on this resource alone
        ({EVERY_PROJECT: {UPDATE}, 2: {READ_LOG}}, 2, {UPDATE, READ_LOG}),
        ({EVERY_PROJECT: {UPDATE}, 2: {READ_LOG}}, 3, {UPDATE}),
        ({}, 1, set()),
    ],
)
def test_a_robot_may_exactly_what_it_was_given(
    grants: dict[int, set[Permission]], project: int, expected: set[Permission]
) -> None:
    robot = Actor(Kind.ROBOT, "robot$r", robot_id=1, grants={pk: frozenset(held) for pk, held in grants.items()})
    assert decide(robot, project, False, []) == expected


def test_a_robot_gains_nothing_from_roles() -> None:
    assert decide(Actor(Kind.ROBOT, "robot$r", robot_id=1), 1, False, [Role.PROJECT_ADMIN]) == frozenset()


@pytest.mark.parametrize(
    ("actor", "error"),
    [(ANONYMOUS, Unauthenticated), (SOMEBODY, Forbidden), (Actor(Kind.ROBOT, "robot$r", robot_id=1), Forbidden)],
)
def test_the_system_is_the_administrators(actor: Actor, error: type[Exception]) -> None:
    assert system_allowed(actor) == frozenset()
    for permission in SYSTEM_PERMISSIONS:
        require_system(SYSTEM, *permission)
        with pytest.raises(error):
            require_system(actor, *permission)


def test_a_robot_may_in_the_system_exactly_what_it_was_given() -> None:
    robot = Actor(Kind.ROBOT, "robot$r", robot_id=1, system_grants=frozenset({Permission("user", "update")}))
    require_system(robot, "user", "update")
    with pytest.raises(Forbidden):
        require_system(robot, "user", "create")


def everybody(cast: Cast) -> list[Actor]:
    """One actor of every kind, for the private and the public project of the cast."""
    pull = frozenset({Permission("repository", "pull")})
    people = [cast.member(role) for role in (*Role, None)]
    return [
        ANONYMOUS,
        cast.admin.actor,
        *(person.actor for person in people),
        Actor(Kind.ROBOT, "here", robot_id=1, grants={cast.private.pk: pull}),
        Actor(Kind.ROBOT, "everywhere", robot_id=2, grants={EVERY_PROJECT: pull}),
        Actor(Kind.ROBOT, "nowhere", robot_id=3),
    ]


def test_lists_and_details_agree(cast: Cast) -> None:
    group = Group.objects.create(name="guests", type=Group.Type.HTTP)
    GroupMembership.objects.create(group=group, user=cast.stranger)
    third = Project.objects.create(name="third")
    Member.objects.create(project=third, group=group, role=Role.GUEST)
    for actor in everybody(cast):
        visible = set(Project.objects.visible_to(actor))
        for project in (cast.private, cast.public, third):
            granted = allowed(actor, project)
            assert (project in visible) == bool(granted), (actor.name, project.name)
            for cell in (Permission("repository", "pull"), READ_LOG, UPDATE, Permission("label", "read")):
                listed = project in projects_allowing(actor, *cell)
                assert listed == (cell in granted), (actor.name, project.name, cell)


def test_who_lists_all_projects_sees_them_but_may_nothing(cast: Cast) -> None:
    robot = Actor(Kind.ROBOT, "robot$r", robot_id=1, system_grants=frozenset({Permission("project", "list")}))
    assert cast.private in Project.objects.visible_to(robot)
    assert cast.private not in projects_allowing(robot, "repository", "list")
    assert allowed(robot, cast.private) == frozenset()


def test_a_group_that_is_left_gives_nothing(cast: Cast) -> None:
    group = Group.objects.create(name="developers", type=Group.Type.HTTP)
    place = GroupMembership.objects.create(group=group, user=cast.stranger)
    Member.objects.create(project=cast.private, group=group, role=Role.DEVELOPER)
    actor = cast.stranger.actor
    require(actor, "repository", "push", cast.private)
    place.delete()
    with pytest.raises(Forbidden):
        require(actor, "repository", "push", cast.private)


def test_a_hidden_project_looks_like_none(cast: Cast) -> None:
    def answer(actor: Actor, name: str) -> tuple[type[Exception], str]:
        with pytest.raises((Unauthenticated, Forbidden)) as refusal:
            find(actor, "project", "read", name=name)
        return refusal.type, str(refusal.value)

    for actor in (ANONYMOUS, cast.stranger.actor):
        assert answer(actor, "private") == answer(actor, "no-such-project")
    with pytest.raises(NotFound):
        find(cast.admin.actor, "project", "read", name="no-such-project")
    assert find(cast.guest.actor, "project", "read", name="private") == cast.private
    assert find(cast.guest.actor, "project", "read", pk=cast.private.pk) == cast.private
