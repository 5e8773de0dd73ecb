"""What the audit log says of logins that failed, and that nobody can fill it with them."""

from __future__ import annotations

from typing import Any

import pytest

from accounts import attempts, failures
from accounts.basic import authenticate
from audit.models import Entry
from configuration import values
from tests.accounts.test_basic import HERE, THERE, unlock
from tests.cast import PASSWORD, Cast
from tests.tokens.realm import Realm


def entries() -> list[tuple[str, str, bool, str]]:
    found = Entry.objects.order_by("pk").values_list("username", "operation", "success", "details__address")
    return list(found)


def test_the_first_failure_and_the_one_that_locks_are_written_down(cast: Cast) -> None:
    for number in range(attempts.FREE + 3):
        assert authenticate("guest", f"Wrong-{number}", HERE) is None
        unlock("guest")

    assert entries() == [("guest", "login", False, HERE)] * 2
    assert not [entry for entry in Entry.objects.all() if "Wrong-" in str(vars(entry))]


def test_each_address_and_each_name_is_seen(cast: Cast) -> None:
    for name, address in (("guest", HERE), ("guest", THERE), ("nobody", HERE), ("robot$none", HERE)):
        assert authenticate(name, "Wrong-Horse-9", address) is None

    assert [(name, address) for name, _, _, address in entries()] == [
        ("guest", HERE),
        ("guest", THERE),
        ("nobody", HERE),
        ("robot$none", HERE),
    ]


def test_a_login_that_is_right_writes_nothing(cast: Cast, django_assert_max_num_queries: Any) -> None:
    authenticate("guest", PASSWORD, HERE)
    with django_assert_max_num_queries(2):
        assert authenticate("guest", PASSWORD, THERE)

    assert entries() == []


def test_an_address_that_tries_every_name_fills_nothing(cast: Cast) -> None:
    for number in range(failures.FROM_ADDRESS + 15):
        authenticate(f"name{number}", "Wrong-Horse-9", HERE)

    assert len(entries()) == failures.FROM_ADDRESS
    last = Entry.objects.order_by("pk").last()
    assert last and last.operation_description == failures.LAST.format("from this address")
    authenticate("guest", "Wrong-Horse-9", THERE)
    assert entries()[-1] == ("guest", "login", False, THERE)


def test_neither_do_many_addresses(cast: Cast) -> None:
    for number in range(failures.FROM_ALL + 15):
        authenticate(f"name{number}", "Wrong-Horse-9", f"192.0.2.{number}")

    assert len(entries()) == failures.FROM_ALL
    last = Entry.objects.order_by("pk").last()
    assert last and last.operation_description == failures.LAST.format("from everywhere")


@pytest.mark.usefixtures("no_redis")
def test_nor_while_redis_is_away(cast: Cast) -> None:
    for number in range(failures.FROM_ADDRESS + 5):
        authenticate(f"name{number}", "Wrong-Horse-9", HERE)

    assert len(entries()) == failures.FROM_ADDRESS


def test_a_long_name_is_cut(cast: Cast) -> None:
    authenticate("x" * 512, "Wrong-Horse-9", HERE)

    assert [len(name) for name, *_ in entries()] == [255]


def test_an_operator_may_leave_them_out(cast: Cast) -> None:
    values.set_values({"disabled_audit_log_event_types": "login_user"})

    authenticate("guest", "Wrong-Horse-9", HERE)

    assert entries() == []


def test_docker_login_is_refused_and_seen(cast: Cast) -> None:
    answer = Realm(HERE).get(user="guest", password="Wrong-Horse-9")

    assert answer.status == 401
    assert entries() == [("guest", "login", False, HERE)]
