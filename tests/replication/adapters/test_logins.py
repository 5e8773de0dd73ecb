"""What is kept and made once, however many need it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from registry.errors import Denied
from replication.adapters.base import ensure
from replication.adapters.logins import Kept, Login


def test_a_login_is_fetched_once_and_anew_before_its_end() -> None:
    now, fetched = [1000.0], []

    def fetch() -> Login:
        fetched.append(now[0])
        return Login("secret", 600, "user")

    kept = Kept(fetch, lambda: now[0])
    with ThreadPoolExecutor(8) as pool:
        assert {login.username for login in pool.map(lambda _: kept.get(), range(32))} == {"user"}
    assert fetched == [1000.0]
    now[0] += 539
    kept.get()
    assert fetched == [1000.0]
    now[0] += 2
    assert "secret" not in repr(kept.get())
    assert fetched == [1000.0, 1541.0]


def test_what_somebody_else_makes_meanwhile_is_made() -> None:
    there = threading.Event()

    def make() -> None:
        there.set()
        raise Denied("it exists already")

    ensure(there.is_set, make)
    with pytest.raises(Denied):
        ensure(lambda: False, make)
