from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, transaction

from accounts.actions import configure
from accounts.actors import ANONYMOUS, SYSTEM, Actor, Kind
from accounts.errors import BadRequest, Conflict, DomainError, Forbidden, Unauthenticated
from audit.models import Entry
from configuration import sealed, values
from configuration.keys import KEYS
from configuration.models import Setting
from tests.cast import Cast, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment, to be changed before the first question."""
    values.fixed.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    values.fixed.cache_clear()


def test_defaults() -> None:
    assert values.get("token_expiration") == 30
    assert values.get("read_only") is False
    assert values.get("robot_name_prefix") == "robot$"
    with pytest.raises(KeyError):
        values.get("no_such_key")


def test_what_is_set_holds_at_once() -> None:
    assert values.get("read_only") is False
    assert configure(SYSTEM, {"read_only": True, "token_expiration": 5, "no_such_key": 1}) == [
        "read_only",
        "token_expiration",
    ]
    assert values.get("read_only") is True
    assert values.get("token_expiration") == 5


def test_what_stays_the_same_is_not_a_change() -> None:
    configure(SYSTEM, {"token_expiration": 5})
    assert configure(SYSTEM, {"token_expiration": 5, "read_only": False}) == []
    assert list(Setting.objects.values_list("key", flat=True)) == ["token_expiration"]


def test_a_hot_path_asks_nothing(django_assert_num_queries: Any) -> None:
    values.get("read_only")
    with django_assert_num_queries(0):
        for name in KEYS:
            values.get(name)


def test_a_machine_that_is_not_told_hears_when_its_memory_ends() -> None:
    assert values.get("read_only") is False
    Setting.objects.create(key="read_only", value="true")
    assert values.get("read_only") is False
    values.forget()
    assert values.get("read_only") is True


@pytest.mark.django_db(transaction=True)
def test_another_process_is_heard_at_once() -> None:
    assert values.get("token_expiration") == 30
    for minutes in range(5, 15):
        connection.close()  # or the other would have the same
        with ProcessPoolExecutor(1, get_context("fork")) as other:
            other.submit(_configure, minutes).result(30)
        assert values.get("token_expiration") == minutes


def _configure(minutes: int) -> None:
    with transaction.atomic():
        configure(SYSTEM, {"token_expiration": minutes})
        told = settings.CONFIGURATION_CHANGED.stat().st_mtime_ns if settings.CONFIGURATION_CHANGED.exists() else 0
    assert settings.CONFIGURATION_CHANGED.stat().st_mtime_ns > told, "told once it is so, not before"
    connection.close()


def test_where_nobody_can_be_told_it_is_stored_all_the_same(settings: Any) -> None:
    settings.CONFIGURATION_CHANGED = settings.CONFIGURATION_CHANGED / "no such folder" / "file"
    configure(SYSTEM, {"token_expiration": 5})
    assert values.get("token_expiration") == 5


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"token_expiration": 0}, BadRequest),
        ({"session_timeout": -1}, BadRequest),
        ({"robot_token_duration": 10_000_000_000}, BadRequest),
        ({"auth_mode": "magic"}, BadRequest),
        ({"storage_per_project": 0}, BadRequest),
        ({"read_only": "perhaps"}, BadRequest),
        ({"scan_all_policy": {}}, Forbidden),
        ({"pull_time_update_disable": True}, Forbidden),
    ],
)
def test_all_or_nothing(changes: dict[str, Any], error: type[DomainError]) -> None:
    with pytest.raises(error):
        configure(SYSTEM, {"banner_message": "hello", **changes})
    assert not Setting.objects.exists()
    assert not Entry.objects.exists()


@pytest.mark.parametrize(
    ("actor", "error"),
    [
        (ANONYMOUS, Unauthenticated),
        (Actor(Kind.USER, "u", user_id=5), Forbidden),
        (Actor(Kind.ROBOT, "robot$r", robot_id=5), Forbidden),
    ],
)
def test_who_may_not(actor: Actor, error: type[DomainError]) -> None:
    with pytest.raises(error):
        configure(actor, {"read_only": True})
    assert values.get("read_only") is False


def test_secrets_are_sealed_and_never_shown() -> None:
    canary = "Canary-In-The-Mine-1"
    secrets = {name: canary for name, key in KEYS.items() if key.secret}
    assert set(secrets) == {"ldap_search_password", "oidc_client_secret", "uaa_client_secret"}
    configure(SYSTEM, secrets)
    assert all(values.get(name) == canary for name in secrets)
    assert not secrets.keys() & values.get_all().keys()
    rows = [str(row) for row in (*Setting.objects.values(), *Entry.objects.values())]
    assert rows
    assert not [row for row in rows if canary in row]
    assert set(Entry.objects.get().details["changed"]) == set(secrets)


def test_a_secret_outlives_a_new_key_and_not_a_lost_one(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.ENCRYPTION_KEYS = [old]
    configure(SYSTEM, {"oidc_client_secret": "canary"})
    settings.ENCRYPTION_KEYS = [new, old]
    values.forget()
    assert values.get("oidc_client_secret") == "canary"
    settings.ENCRYPTION_KEYS = [new]
    values.forget()
    assert values.get("oidc_client_secret") == ""  # that feature fails, and nothing else
    assert values.get("token_expiration") == 30


def test_a_sealed_text_that_was_touched_is_nothing() -> None:
    text = sealed.seal("canary")
    assert sealed.unseal(text) == "canary"
    assert sealed.unseal(text[:-4] + "AAAA") is None


def test_what_the_environment_fixes_is_not_changed(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TOKEN_EXPIRATION", "7")
    assert values.get("token_expiration") == 7
    shown = values.get_all()
    assert (shown["token_expiration"].value, shown["token_expiration"].editable) == (7, False)
    assert shown["banner_message"].editable
    with pytest.raises(Forbidden):
        configure(SYSTEM, {"token_expiration": 8})
    assert not Setting.objects.exists()


def test_one_variable_fixes_everything(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONFIG_OVERWRITE_JSON", '{"banner_message": "hello", "token_expiration": 9}')
    assert values.get("banner_message") == "hello"
    assert not [name for name, shown in values.get_all().items() if shown.editable]
    with pytest.raises(Forbidden):
        configure(SYSTEM, {"read_only": True})


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TOKEN_EXPIRATION", "soon", "token_expiration must be a whole number"),
        ("READ_ONLY", "perhaps", "read_only must be true or false"),
        ("CONFIG_OVERWRITE_JSON", "{", "CONFIG_OVERWRITE_JSON must be a JSON object"),
        ("CONFIG_OVERWRITE_JSON", '{"session_timeout": 0}', "session_timeout must be between"),
    ],
)
def test_a_wrong_variable_stops_the_start(
    environment: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(SystemCheckError, match=sentence):
        call_command("check", "configuration")


def test_a_prefix_that_would_shut_people_out(cast: Cast) -> None:
    make_user("bot-ty")
    with pytest.raises(Conflict):
        configure(SYSTEM, {"robot_name_prefix": "BOT-"})
    configure(SYSTEM, {"robot_name_prefix": "robot-"})


def test_the_authentication_mode_stays_while_there_are_users(cast: Cast) -> None:
    with pytest.raises(BadRequest):
        configure(SYSTEM, {"auth_mode": "ldap_auth"})
    assert configure(SYSTEM, {"auth_mode": "db_auth"}) == []


def test_what_is_fixed_may_be_said_again(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TOKEN_EXPIRATION", "7")
    assert configure(SYSTEM, {"token_expiration": 7, "session_timeout": 30}) == ["session_timeout"]


def test_no_log_is_left_without_a_place() -> None:
    with pytest.raises(BadRequest, match="skip_audit_log_database"):
        configure(SYSTEM, {"skip_audit_log_database": True})
    configure(SYSTEM, {"skip_audit_log_database": True, "audit_log_forward_endpoint": "log.haven.test:514"})
    with pytest.raises(BadRequest):
        configure(SYSTEM, {"audit_log_forward_endpoint": ""})


def test_no_log_goes_to_what_is_no_address(db: None) -> None:
    for endpoint in ("nowhere", "http://log.haven.test:80", "log.haven.test:99999", "log.haven.test:514/x"):
        with pytest.raises(BadRequest, match="audit_log_forward_endpoint"):
            configure(SYSTEM, {"skip_audit_log_database": True, "audit_log_forward_endpoint": endpoint})
    assert not values.get("skip_audit_log_database") and not Setting.objects.exists()


def test_a_mode_in_which_nobody_could_sign_in_is_refused(db: None) -> None:
    for mode in ("uaa_auth", "http_auth"):
        with pytest.raises(BadRequest, match="not supported"):
            configure(SYSTEM, {"auth_mode": mode})
    assert configure(SYSTEM, {"auth_mode": "oidc_auth"}) == ["auth_mode"]
