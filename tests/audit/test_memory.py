"""What is dear is found out once; who waits for it waits a moment, and is then told so."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection

from audit.memory import PLACES, Busy, once, recall, remember
from audit.models import Entry
from audit.totals import Counted
from tests.api.calling import caller
from tests.audit.test_pages import add, settle
from tests.cast import Cast
from tests.portal.conftest import BACKEND
from tests.races import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def wanted(name: str, make: Callable[[], str]) -> Callable[[], str]:
    def kept() -> str:
        remember("total", name, made := make(), 60)
        return made

    return lambda: once(name, lambda: recall("total", name), kept)


def test_of_many_callers_one_finds_out_and_the_others_wait_a_moment(settings: Any) -> None:
    settings.AUDIT_PATIENCE = 0.3
    made: list[str] = []

    def slowly() -> str:
        made.append("found")
        time.sleep(1.2)
        return "found"

    begin = time.monotonic()
    outcomes = at_once([wanted("a", slowly)] * 8)
    assert outcomes.count("found") == 1 and sum(isinstance(one, Busy) for one in outcomes) == 7, outcomes
    assert at_once([wanted("a", slowly)] * 8) == ["found"] * 8
    assert made == ["found"]
    assert time.monotonic() - begin < 5

    settings.AUDIT_PATIENCE = 20.0
    assert at_once([wanted("b", slowly)] * 8) == ["found"] * 8
    assert made == ["found"] * 2


def test_what_takes_long_has_few_places(settings: Any) -> None:
    """Eight lists that nobody has asked for before, each longer than PostgreSQL may take over it at once."""
    settings.AUDIT_PATIENCE = 0.3
    limits, told, all_told = list[str](), list[str](), threading.Event()

    def long(name: str) -> Callable[[], str]:
        tried: list[str] = []

        def find() -> str:
            tried.append(name)
            if len(tried) == 1:
                raise OperationalError("canceling statement due to statement timeout")
            limits.append(limit())
            assert all_told.wait(20), "somebody else waits for these"
            return name

        return wanted(name, find)

    def refused(name: str) -> str:
        try:
            return long(name)()
        except Busy:
            told.append(name)
            if len(told) == 8 - PLACES:
                all_told.set()
            return "busy"

    outcomes = at_once([partial(refused, f"list-{number}") for number in range(8)])
    assert outcomes.count("busy") == 8 - PLACES, outcomes
    assert limits == ["1min" if connection.vendor == "postgresql" else ""] * PLACES
    assert refused("another") == "another", "the places are free again"


def limit() -> str:
    """How long PostgreSQL may take now."""
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])


def test_who_waits_in_vain_is_told_to_come_again(cast: Cast, client: Any, settings: Any) -> None:
    settings.AUDIT_PATIENCE = 0.2
    add(40, 1)
    settle()
    counted = Counted(Entry.objects.filter(resource="app/one:1"))
    client.force_login(cast.admin, backend=BACKEND)
    pages: dict[str, Any] = {
        "/auditlog-exts?q=resource%3Dapp/one:1": caller(cast.admin).get,
        "/audit?resource=app/one:1": client.get,
    }
    cache.add(f"audit.busy:{counted.key}", 1, 60)
    for address, get in pages.items():
        answer = get(address)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), address
    cache.delete(f"audit.busy:{counted.key}")
    for address, get in pages.items():
        assert get(address).status_code == 200, address


@pytest.mark.usefixtures("no_redis")
def test_without_redis_everybody_finds_out(settings: Any) -> None:
    settings.AUDIT_PATIENCE = 0.3
    assert at_once([wanted("a", lambda: "found")] * 4) == ["found"] * 4
