"""What several do at once about people and groups: one row, one answer, and nobody fails. On SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from accounts import actions
from accounts.actions import Identity, Known
from accounts.basic import authenticate
from accounts.errors import Conflict
from accounts.models import Group, GroupMembership, OidcAccount, User
from accounts.oidc import provider as ours
from audit.models import Entry
from tests.accounts.browsing import sign_in
from tests.cast import make_user
from tests.oidc import Provider
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)
SEVERAL = 4


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    ours.forget()


def test_the_same_group_twice(first_admin: User) -> None:
    make = partial(actions.create_group, first_admin.actor, name="team", type=Group.Type.OIDC)
    outcomes = at_once([make] * SEVERAL)
    assert [type(outcome) for outcome in outcomes].count(Group) == 1
    assert [type(outcome) for outcome in outcomes].count(Conflict) == SEVERAL - 1
    assert Entry.objects.filter(resource_type="usergroup", operation="create").count() == 1


def test_several_come_with_a_group_that_nobody_had(first_admin: User) -> None:
    people = [make_user(f"user{number}") for number in range(SEVERAL)]
    groups = [Known("team"), Known("crew")]
    outcomes = at_once([partial(actions.refresh_groups, user, Group.Type.OIDC, groups, admin=True) for user in people])
    assert all(isinstance(outcome, User) for outcome in outcomes), outcomes
    assert Group.objects.count() == 2 and GroupMembership.objects.count() == 2 * SEVERAL


def test_one_person_comes_several_times_with_other_groups(first_admin: User) -> None:
    user = make_user("user")
    ways = [[Known("a"), Known("b")], [Known("b")], [Known("a"), Known("b")], [Known("b")]]
    outcomes = at_once(
        [partial(actions.refresh_groups, user, Group.Type.OIDC, groups, admin=len(groups) == 2) for groups in ways]
    )
    assert all(isinstance(outcome, User) for outcome in outcomes), outcomes
    names = set(Group.objects.filter(memberships__user=user).values_list("name", flat=True))
    assert names in ({"a", "b"}, {"b"})


def test_a_person_of_the_directory_is_made_once(first_admin: User) -> None:
    identity = Identity("alice", "Alice", "alice@wonder.test")
    outcomes = at_once([partial(actions.find_or_add_ldap_user, identity)] * SEVERAL)
    assert {outcome.pk for outcome in outcomes if isinstance(outcome, User)} == {User.objects.get(username="alice").pk}
    assert len([outcome for outcome in outcomes if isinstance(outcome, User)]) == SEVERAL
    assert Entry.objects.filter(resource_type="user", operation="create").count() == 1


def test_a_person_of_the_provider_is_made_once(first_admin: User) -> None:
    identity = Identity("alice", "Alice", "alice@wonder.test", "https://id.test", "subject-1")
    names = ["alice", "alice", "liddell", "liddell"]
    outcomes = at_once([partial(actions.add_oidc_user, identity, name) for name in names])
    assert len({outcome.pk for outcome in outcomes}) == 1, outcomes
    assert OidcAccount.objects.count() == 1
    assert User.objects.filter(oidc__isnull=True).count() == 1  # the first administrator


def test_two_persons_of_the_provider_do_not_share_a_name(first_admin: User) -> None:
    both = [Identity("alice", "Alice", "", "https://id.test", f"subject-{number}") for number in range(2)]
    outcomes = at_once([partial(actions.add_oidc_user, identity, "alice") for identity in both])
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "User"]
    assert OidcAccount.objects.count() == 1


def test_two_administrators_do_not_remove_each_other(first_admin: User) -> None:
    other = make_user("other", is_admin=True)
    first, second = first_admin.actor, other.actor
    outcomes = at_once(
        [partial(actions.set_admin, first, other, False), partial(actions.set_admin, second, first_admin, False)]
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "PreconditionFailed"]
    assert User.objects.administrators().count() == 1


def test_a_refresh_token_is_used_once(provider: Provider, client: Any) -> None:
    sign_in(provider, client)
    alice = User.objects.get(username="alice")
    secret = actions.set_cli_secret(alice.actor, alice)
    OidcAccount.objects.update(token_expires_at=timezone.now())
    before = provider.asked.count("/token")
    outcomes = at_once([partial(authenticate, "alice", secret, f"192.0.2.{number}") for number in range(SEVERAL)])
    assert [getattr(outcome, "user_id", outcome) for outcome in outcomes] == [alice.pk] * SEVERAL
    assert provider.asked.count("/token") == before + 1
    assert OidcAccount.objects.get().refreshing_until is None
