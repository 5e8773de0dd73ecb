from __future__ import annotations

import base64
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import OperationalError, connection

from accounts import attempts, scratch
from accounts.actions import create_user, set_active, set_password
from accounts.actors import SYSTEM, Actor, Kind
from accounts.attempts import Attempt
from accounts.basic import authenticate, parse_basic
from accounts.errors import Locked
from accounts.models import User
from accounts.passwords import Checks
from tests.cast import PASSWORD, Cast, make_user
from tests.redis import Redis

HERE, THERE = "192.0.2.1", "198.51.100.7"


def header(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (header("name:secret"), ("name", "secret")),
        (header("name:se:cr:et"), ("name", "se:cr:et")),
        (header("ä:ö"), ("ä", "ö")),
        (header(":secret"), ("", "secret")),
        (header("name:"), ("name", "")),
        (header("name:secret").replace("Basic", "bAsIc"), ("name", "secret")),
        (header("name"), None),
        ("Basic", None),
        ("Basic !!!!", None),
        ("Basic " + base64.b64encode(b"\xff\xfe:x").decode(), None),
        ("Bearer abc", None),
        ("", None),
    ],
)
def test_a_header_is_read_strictly(given: str, expected: tuple[str, str] | None) -> None:
    assert parse_basic(given) == expected


@pytest.mark.parametrize(
    ("name", "secret", "who"),
    [
        ("developer", PASSWORD, "developer"),
        ("DEVELOPER", PASSWORD, "developer"),
        ("developer@haven.test", PASSWORD, "developer"),
        ("Developer@Haven.Test", PASSWORD, "developer"),
        ("ｄeveloper", PASSWORD, "developer"),  # the same letters, written wide
        ("developer", PASSWORD.lower(), None),
        ("developer", PASSWORD + " ", None),
        ("developer", "", None),
        ("", PASSWORD, None),
        ("nobody", PASSWORD, None),
        ("developer@elsewhere.test", PASSWORD, None),
        ("dev%", PASSWORD, None),
        ("developer'--", PASSWORD, None),
        ("devel\x00oper", PASSWORD, None),
        ("d" * 600, PASSWORD, None),
        ("developer", "x" * 5000, None),
        ("developer", "\ud800", None),
        ("robot$developer", PASSWORD, None),
    ],
)
def test_who_signs_in(cast: Cast, name: str, secret: str, who: str | None) -> None:
    actor = authenticate(name, secret, HERE)
    assert (actor.name if actor else None) == who
    if actor:
        assert (actor.kind, actor.user_id, actor.is_admin) == (Kind.USER, cast.developer.pk, False)


def test_letters_beyond_ascii(db: None) -> None:
    user = make_user("Élodie")
    assert authenticate("Élodie", PASSWORD, HERE)
    assert User.objects.named("Élodie").get() == user


@pytest.mark.parametrize("change", [{"is_active": False}, {"deleted": True}, {"password": "!unusable"}])
def test_who_no_longer_signs_in(cast: Cast, change: dict[str, Any]) -> None:
    assert authenticate("developer", PASSWORD, HERE)
    User.everyone.filter(pk=cast.developer.pk).update(auth_epoch=1, **change)
    assert authenticate("developer", PASSWORD, HERE) is None


def test_harbors_default_is_never_right(cast: Cast) -> None:
    cast.developer.set_password("Harbor12345")
    cast.developer.save()
    assert authenticate("developer", "Harbor12345", HERE) is None


class TestRemembering:
    def test_a_remembered_person_costs_one_query(self, cast: Cast, django_assert_num_queries: Any) -> None:
        authenticate("developer", PASSWORD, HERE)
        with django_assert_num_queries(1):
            assert authenticate("developer", PASSWORD, HERE)
        with django_assert_num_queries(2):
            assert authenticate("developer@haven.test", PASSWORD, HERE)

    def test_a_new_password_ends_it_at_once(self, cast: Cast) -> None:
        assert authenticate("developer", PASSWORD, HERE)
        set_password(SYSTEM, cast.developer, "Another-Horse-9")
        assert authenticate("developer", PASSWORD, HERE) is None
        assert authenticate("developer", "Another-Horse-9", HERE)

    def test_a_disabled_user_is_out_at_once(self, cast: Cast) -> None:
        assert authenticate("developer", PASSWORD, HERE)
        set_active(SYSTEM, cast.developer, False)
        assert authenticate("developer", PASSWORD, HERE) is None

    def test_what_is_remembered_tells_no_password(self, cast: Cast, redis_server: Redis) -> None:
        authenticate("developer", PASSWORD, HERE)
        authenticate("developer", "Wrong-Horse-9", HERE)
        keys = redis_server.call("KEYS *").decode()
        assert "right:" in keys
        assert "wrong:" in keys
        for text in (PASSWORD, "Wrong-Horse-9", "developer", HERE):
            assert text not in keys

    def test_the_right_one_is_not_hashed_twice(self, cast: Cast, settings: Any) -> None:
        settings.PASSWORD_HASHERS = ["tests.hashers.CountingArgon2"]
        from tests.hashers import CountingArgon2

        CountingArgon2.checks = 0
        for _ in range(5):
            assert authenticate("developer", PASSWORD, HERE)
        assert CountingArgon2.checks == 1

    @pytest.mark.parametrize("name", ["nobody", "nobody@haven.test", "developer"])
    def test_the_wrong_one_is_hashed_whoever_it_is(self, cast: Cast, settings: Any, name: str) -> None:
        settings.PASSWORD_HASHERS = ["tests.hashers.CountingArgon2"]
        from tests.hashers import CountingArgon2

        authenticate("warm up", "the hash of nobody's password", THERE)
        CountingArgon2.checks = 0
        assert authenticate(name, "Wrong-Horse-9", HERE) is None
        assert CountingArgon2.checks == 1


def lock(name: str, address: str = HERE) -> None:
    """Be wrong so often that `name` is locked at `address`."""
    for number in range(attempts.FREE):
        assert authenticate(name, f"Wrong-{number}", address) is None


def unlock(name: str, address: str = HERE) -> None:
    """As if the lock's seconds had gone by."""
    at = Attempt.__new__(Attempt)
    at.principal, at.address = name, address
    scratch.forget([f"lock:{at.here}"])


@pytest.mark.parametrize("redis", ["here", "away"])
class TestLocking:
    @pytest.fixture(autouse=True)
    def _redis(self, redis: str, redis_server: Redis) -> None:
        if redis == "away":
            redis_server.stop()

    @pytest.mark.parametrize("name", ["developer", "DEVELOPER", "nobody"])
    def test_the_sixth_attempt_is_not_heard(self, cast: Cast, name: str) -> None:
        lock(name)
        with pytest.raises(Locked) as locked:
            authenticate(name.title(), PASSWORD, HERE)
        assert 1 <= locked.value.retry_after <= attempts.FIRST

    def test_from_elsewhere_it_is(self, cast: Cast) -> None:
        lock("developer")
        assert authenticate("developer", PASSWORD, THERE)
        assert authenticate("guest", PASSWORD, HERE)

    def test_a_remembered_password_is_no_way_round(self, cast: Cast) -> None:
        assert authenticate("developer", PASSWORD, HERE)
        lock("developer")
        with pytest.raises(Locked):
            authenticate("developer", PASSWORD, HERE)

    def test_it_takes_longer_each_time_and_never_long(self, cast: Cast) -> None:
        lock("developer")
        waits = []
        for _ in range(6):
            unlock("developer")
            authenticate("developer", "Wrong", HERE)
            with pytest.raises(Locked) as locked:
                authenticate("developer", PASSWORD, HERE)
            waits.append(locked.value.retry_after)
        assert waits == sorted(waits)
        assert waits[0] >= attempts.FIRST
        assert waits[-1] in (attempts.LONGEST, attempts.LONGEST - 1)

    def test_being_right_forgets_what_was_wrong(self, cast: Cast) -> None:
        for _ in range(3):
            for number in range(attempts.FREE - 1):
                assert authenticate("developer", f"Wrong-{number}", HERE) is None
            assert authenticate("developer", PASSWORD, HERE)

    def test_many_strangers_slow_strangers_only(self, cast: Cast) -> None:
        assert authenticate("developer", PASSWORD, HERE)
        for number in range(attempts.FREE_EVERYWHERE):
            assert authenticate("developer", "Wrong", f"203.0.113.{number}") is None
        with pytest.raises(Locked) as locked:
            authenticate("developer", PASSWORD, THERE)
        assert locked.value.retry_after <= attempts.PACE
        assert authenticate("developer", PASSWORD, HERE)  # where its owner is known


def test_what_is_known_survives_redis(cast: Cast, redis_server: Redis) -> None:
    assert authenticate("developer", PASSWORD, HERE)
    redis_server.stop()
    assert authenticate("developer", PASSWORD, HERE)
    assert authenticate("developer", "Wrong", HERE) is None


@pytest.mark.parametrize("text", [b"\xff\xfe", b"{", b"[]", b'"soon"', b"null", b"true"])
def test_nonsense_in_redis_is_no_answer(cast: Cast, settings: Any, text: bytes) -> None:
    at = Attempt("developer", HERE)
    server = redis.Redis.from_url(settings.REDIS_URL)
    for key in (f"lock:{at.here}", f"pace:{at.everywhere}"):
        server.set(f"haven:1:{key}", text)
    assert authenticate("developer", PASSWORD, HERE)


def test_a_lock_in_redis_is_never_longer_than_ours(cast: Cast, settings: Any) -> None:
    at = Attempt("developer", HERE)
    redis.Redis.from_url(settings.REDIS_URL).set(f"haven:1:lock:{at.here}", "1e999")
    with pytest.raises(Locked) as locked:
        authenticate("developer", PASSWORD, HERE)
    assert locked.value.retry_after == attempts.LONGEST


def test_no_database_is_no_answer(cast: Cast) -> None:
    """Neither anonymous nor anybody, and no attempt that counts: an error."""

    def away(*_: Any) -> None:
        raise OperationalError("the database is away")

    for _ in range(attempts.FREE + 1):
        with connection.execute_wrapper(away), pytest.raises(OperationalError):
            authenticate("developer", PASSWORD, HERE)
    assert authenticate("developer", PASSWORD, HERE)


class TestStorm:
    """Many at once: one hash at a time, and places for few to wait."""

    def test_the_same_question_is_asked_once(self) -> None:
        checks, asked, answers = Checks(waiting=1), [], []

        def verify() -> bool:
            asked.append(1)
            time.sleep(0.1)
            return True

        threads = [
            threading.Thread(target=lambda: answers.append(checks.run("same", lambda: None, verify))) for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [True] * 20
        assert len(asked) == 1

    def test_different_ones_wait_their_turn_or_are_sent_away(self) -> None:
        checks, running, most, answers, turned_away = Checks(waiting=2), [], [], [], []

        def verify() -> bool:
            running.append(1)
            most.append(len(running))
            time.sleep(0.05)
            running.pop()
            return False

        def ask(key: str) -> None:
            try:
                answers.append(checks.run(key, lambda: None, verify))
            except Locked as locked:
                turned_away.append(locked.retry_after)

        threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert max(most) == 1
        assert answers == [False] * 3
        assert turned_away == [1] * 7
        assert checks.run("afterwards", lambda: None, lambda: True)

    def test_in_a_storm_no_stranger_holds_a_thread(self) -> None:
        """Whoever is not known here is sent away at once, the same question or another; whoever is waits their turn."""
        checks, begun, go_on = Checks(), threading.Event(), threading.Event()
        for number in range(Checks.STORM):
            assert not checks.run(str(number), lambda: None, lambda: False, known=False)

        def verify() -> bool:
            begun.set()
            return go_on.wait(10)

        known = threading.Thread(target=lambda: answers.append(checks.run("mine", lambda: None, lambda: True)))
        stranger = threading.Thread(target=lambda: checks.run("slow", lambda: None, verify, known=False))
        answers: list[bool] = []
        stranger.start()
        assert begun.wait(10)
        known.start()
        try:
            asked = time.monotonic()
            for key in ("slow", "another"):
                with pytest.raises(Locked):
                    checks.run(key, lambda: None, lambda: True, known=False)
            assert time.monotonic() - asked < 1
            assert not answers
        finally:
            go_on.set()
            stranger.join()
            known.join()
        assert answers == [True]

    def test_in_a_storm_one_stranger_is_hashed_on_this_machine(self, tmp_path: Path) -> None:
        """Two processes share a file; each hash of theirs would use every processor."""
        one, other = (Checks(machine=tmp_path / "lock") for _ in range(2))
        for number in range(Checks.STORM):
            for checks in (one, other):
                checks.run(str(number), lambda: None, lambda: False, known=False)

        def meanwhile() -> bool:
            with pytest.raises(Locked):
                other.run("stranger", lambda: None, lambda: True, known=False)
            return other.run("known", lambda: None, lambda: True)

        assert one.run("first", lambda: None, meanwhile, known=False)
        assert other.run("stranger", lambda: None, lambda: True, known=False)

    def test_who_is_locked_meanwhile_is_not_hashed(self) -> None:
        checks = Checks()

        def refuse() -> None:
            raise Locked(5)

        def verify() -> bool:
            raise AssertionError("hashed")

        with pytest.raises(Locked):
            checks.run("key", refuse, verify)
        assert checks.run("key", lambda: None, lambda: True)


def test_a_user_named_like_anothers_address_is_not_possible(cast: Cast) -> None:
    from accounts.errors import Conflict

    fields: dict[str, str] = {"password": PASSWORD, "realname": "X"}
    with pytest.raises(Conflict):
        create_user(SYSTEM, username="Guest@haven.test", email="other@haven.test", **fields)
    create_user(SYSTEM, username="odd@haven.test", email="odd2@haven.test", **fields)
    with pytest.raises(Conflict):
        create_user(SYSTEM, username="other", email="ODD@haven.test", **fields)


def test_an_actor_is_plain(cast: Cast) -> None:
    assert authenticate("admin", PASSWORD, HERE) == Actor(
        Kind.USER, "admin", user_id=cast.admin.pk, is_admin=True, auth_epoch=0
    )
