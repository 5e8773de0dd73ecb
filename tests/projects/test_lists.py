from __future__ import annotations

from typing import Any

import pytest

from accounts.actors import ANONYMOUS
from accounts.models import Group, GroupMembership
from artifacts.models import Repository
from projects.models import Member, Project, Role, by_strength
from tests.cast import Cast, make_project


@pytest.fixture
def many(cast: Cast) -> Cast:
    """Thirty projects more, of the stranger's, with repositories and members."""
    group = Group.objects.create(name="all", type=Group.Type.HTTP)
    GroupMembership.objects.create(group=group, user=cast.stranger)
    for number in range(30):
        project = make_project(f"p{number:02}", cast.stranger)
        Member.objects.create(project=project, group=group, role=Role.GUEST)
        for name in ("a", "b")[: number % 3]:
            Repository.objects.create(project=project, name=f"p{number:02}/{name}")
    return cast


def test_a_page_costs_the_same_however_long(many: Cast, django_assert_num_queries: Any) -> None:
    actor = many.stranger.actor
    with django_assert_num_queries(2):  # the page with its counts and owners, and the roles
        page = Project.objects.visible_to(actor).with_counts().with_roles_of(actor).order_by("name")[:20]
        shown = [(row.name, row.repo_count, str(row.owner), row.roles) for row in page]  # type: ignore[attr-defined]
    assert shown[:4] == [
        ("p00", 0, "stranger", [Role.PROJECT_ADMIN, Role.GUEST]),
        ("p01", 1, "stranger", [Role.PROJECT_ADMIN, Role.GUEST]),
        ("p02", 2, "stranger", [Role.PROJECT_ADMIN, Role.GUEST]),
        ("p03", 0, "stranger", [Role.PROJECT_ADMIN, Role.GUEST]),
    ]


def test_anonymous_sees_public_ones_without_roles(many: Cast) -> None:
    page = Project.objects.visible_to(ANONYMOUS).with_counts().with_roles_of(ANONYMOUS)
    assert [(project.name, project.roles) for project in page] == [("public", [])]


@pytest.mark.parametrize("text", ["_", "%", "\\", "'", "p_0"])
def test_search_is_literal(many: Cast, text: str) -> None:
    assert not Project.objects.search(text).exists()


def test_search_without_regard_to_case(many: Cast) -> None:
    assert [project.name for project in Project.objects.search("PRIV")] == ["private"]


def test_members_in_the_order_of_their_names(cast: Cast, django_assert_num_queries: Any) -> None:
    Member.objects.create(
        project=cast.private, group=Group.objects.create(name="gophers", type=Group.Type.HTTP), role=Role.GUEST
    )
    with django_assert_num_queries(1):
        names = [str(member) for member in cast.private.members.listed()]
    assert names == ["alice", "developer", "gophers", "guest", "limited_guest", "maintainer"]


def test_a_deleted_user_is_no_member_to_show(cast: Cast) -> None:
    cast.guest.deleted = True
    cast.guest.save()
    assert "guest" not in [str(member) for member in cast.private.members.listed()]


def test_roles_by_strength() -> None:
    assert by_strength([3, 5, 2, 3, 4, 1]) == [
        Role.PROJECT_ADMIN,
        Role.MAINTAINER,
        Role.DEVELOPER,
        Role.GUEST,
        Role.LIMITED_GUEST,
    ]
