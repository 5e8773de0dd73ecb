"""The configuration by the API: every key typed and checked, all or nothing, no secret ever told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import INITIAL_ADMIN
from audit.models import Entry
from configuration import values
from configuration.models import Setting
from tests.api.calling import Caller, caller, code, message
from tests.cast import Cast, make_user

HARBOR = json.loads((Path(__file__).parents[1] / "configuration" / "keys.json").read_text())
CANARY = "Canary-In-The-Mine-1"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The environment, to be changed before the first question."""
    values.fixed.cache_clear()
    yield monkeypatch
    monkeypatch.undo()
    values.fixed.cache_clear()


def test_keys_are_shown_with_whether_they_may_change(cast: Cast) -> None:
    shown = caller(cast.admin).get("/configurations").json()
    assert shown["token_expiration"] == {"value": 30, "editable": True}
    assert shown["read_only"] == {"value": False, "editable": True}
    assert shown["oidc_extra_redirect_parms"] == {"value": "{}", "editable": True}
    assert shown["auth_mode"] == {"value": "db_auth", "editable": False}  # there are users
    assert shown["scan_all_policy"] == {"type": "none"}


def test_a_change_is_all_or_nothing_and_names_the_culprit(cast: Cast) -> None:
    ask = caller(cast.admin)
    wrong = {
        "token_expiration": 0,
        "session_timeout": -5,
        "auth_mode": "magic",
        "storage_per_project": 0,
        "ldap_url": "http://directory",
        "ldap_base_dn": "nothing",
        "ldap_scope": 3,
        "ldap_filter": "(a=b",
        "ldap_timeout": 3600,
        "oidc_endpoint": "javascript:alert(1)",
        "oidc_scope": "email",
        "oidc_group_filter": "(",
        "oidc_extra_redirect_parms": "[]",
        "project_creation_restriction": "nobody",
        "robot_name_prefix": "a" * 70_000,
    }
    for key, value in wrong.items():
        response = ask.put("/configurations", {"banner_message": "hello", key: value})
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), key
        assert key in message(response) or key == "auth_mode"
    assert not Setting.objects.exists() and not Entry.objects.exists()
    wrongly_typed: tuple[Any, ...] = (
        {"read_only": "true"},
        {"token_expiration": "30"},
        [],
        "text",
    )
    for body in wrongly_typed:
        assert ask.put("/configurations", body).status_code == 422
    assert ask.put("/configurations", {"token_expiration": 45, "no_such_key": 1, "read_only": None}).status_code == 200
    assert ask.get("/configurations").json()["token_expiration"]["value"] == 45


def test_secrets_go_in_and_never_come_out(cast: Cast) -> None:
    ask = caller(cast.admin)
    secrets = dict.fromkeys(("ldap_search_password", "oidc_client_secret", "uaa_client_secret"), CANARY)
    assert ask.put("/configurations", secrets).status_code == 200
    response = ask.get("/configurations")
    assert not secrets.keys() & response.json().keys()
    told = [response.content.decode(), ask.get("/systeminfo").content.decode(), ask.get("/audit-logs").content.decode()]
    told += [json.dumps(entry.details) + entry.operation_description for entry in Entry.objects.all()]
    told += list(Setting.objects.values_list("value", flat=True))
    assert not [text for text in told if CANARY in text]
    changed = Entry.objects.get(resource_type="configuration")
    assert (changed.username, set(changed.details["changed"])) == ("admin", set(secrets))


def test_what_the_environment_fixes_is_refused_by_name(cast: Cast, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("TOKEN_EXPIRATION", "7")
    values.forget()
    ask = caller(cast.admin)
    assert ask.get("/configurations").json()["token_expiration"] == {"value": 7, "editable": False}
    response = ask.put("/configurations", {"banner_message": "hello", "token_expiration": 8})
    assert (response.status_code, code(response)) == (403, "FORBIDDEN")
    assert "token_expiration" in message(response)
    assert not Setting.objects.exists()
    assert ask.put("/configurations", {"banner_message": "hello", "token_expiration": 7}).status_code == 200


def test_the_mode_of_signing_in_stays_while_there_are_users(cast: Cast) -> None:
    response = caller(cast.admin).put("/configurations", {"auth_mode": "ldap_auth"})
    assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
    assert values.get("auth_mode") == "db_auth"


def test_it_works_while_everything_else_is_read_only(cast: Cast) -> None:
    ask = caller(cast.admin)
    assert ask.put("/configurations", {"read_only": True}).status_code == 200
    assert ask.post("/projects", {"project_name": "new"}).status_code == 403
    assert ask.put("/configurations", {"read_only": False}).status_code == 200
    assert ask.post("/projects", {"project_name": "new"}).status_code == 201


def test_haven_has_no_parts_that_ask_each_other(cast: Cast) -> None:
    assert caller(None).get("/internalconfig").status_code == 401
    assert caller(cast.admin).get("/internalconfig").status_code == 403


def test_all_that_is_shown_may_be_sent_back_with_a_change(cast: Cast) -> None:
    """As clients do that read everything, change one key and send everything."""
    admin = caller(cast.admin)
    shown = admin.get("/configurations").json()
    values = {key: item["value"] for key, item in shown.items() if "value" in item}
    assert values["ldap_url"] == ""
    response = admin.put("/configurations", values | {"token_expiration": 45, "scan_all_policy": {"type": "none"}})
    assert response.status_code == 200, response.content
    shown["token_expiration"]["value"] = 45
    assert admin.get("/configurations").json() == shown
    assert admin.put("/configurations", {"ldap_url": "ldap://directory.test"}).status_code == 200
    assert admin.put("/configurations", {"ldap_url": ""}).status_code == 400


def test_the_keys_are_harbors_for_reading_and_for_writing(cast: Cast) -> None:
    admin = caller(cast.admin)
    users = [key for key in HARBOR if key["scope"] == "user"]
    readable = {key["key"] for key in users if key["get"]} - {"uaa_client_secret"}
    shown = admin.get("/configurations").json()
    assert shown.keys() == readable
    for name in readable - {"scan_all_policy"}:
        assert shown[name].keys() == {"value", "editable"}, name
    for key in (key for key in users if not key["put"]):  # unknown to the operation, as every other word
        assert admin.put("/configurations", {key["key"]: True}).status_code == 200
    assert not Setting.objects.exists()


def test_one_variable_of_the_environment_makes_everything_read_only(
    cast: Cast, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("CONFIG_OVERWRITE_JSON", '{"banner_message": "hello"}')
    values.forget()
    admin = caller(cast.admin)
    shown = admin.get("/configurations").json()
    assert shown.pop("scan_all_policy")
    assert shown["banner_message"]["value"] == "hello"
    assert [name for name, item in shown.items() if item["editable"]] == []
    for change in ({"banner_message": "bye"}, {"token_expiration": 45}):
        refused = admin.put("/configurations", change)
        assert (refused.status_code, code(refused)) == (403, "FORBIDDEN")


def test_times_and_the_place_of_the_log_are_judged(cast: Cast) -> None:
    admin = caller(cast.admin)
    for name in ("token_expiration", "robot_token_duration", "session_timeout"):
        for wrong in (0, -1, 10_000_000_000):
            assert admin.put("/configurations", {name: wrong}).status_code == 400, (name, wrong)
        assert admin.put("/configurations", {name: 9_999_999_999}).status_code == 200
    refused = admin.put("/configurations", {"skip_audit_log_database": True})
    assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST")
    assert admin.get("/configurations").json()["skip_audit_log_database"]["value"] is False


def test_what_terraform_sends_of_signing_in_is_shown_as_it_was_sent(db: None) -> None:
    """`harbor_config_auth`, else the next plan finds a difference; no secret is shown, and what is gone is ignored."""
    admin = caller(make_user("admin", is_admin=True, id=INITIAL_ADMIN))
    earlier = {"email_ssl": False, "self_registration": False, "scan_all_policy": {"parameter": {}}}
    ldap = {
        **{"ldap_url": "ldaps://ldap.test:636", "ldap_base_dn": "dc=x", "ldap_uid": "uid", "ldap_verify_cert": True},
        **{"ldap_search_dn": "cn=a,dc=x", "ldap_filter": "(objectClass=person)", "ldap_scope": 2},
        **{"ldap_group_base_dn": "ou=g,dc=x", "ldap_group_search_filter": "(objectClass=group)"},
        **{"ldap_group_attribute_name": "cn", "ldap_group_admin_dn": "cn=b,dc=x", "ldap_group_search_scope": 1},
        **{"ldap_group_membership_attribute": "memberof"},
    }
    oidc = {
        **{"oidc_name": "there", "oidc_endpoint": "https://login.test/v2.0", "oidc_client_id": "haven"},
        **{"oidc_scope": "openid,email", "oidc_groups_claim": "groups", "oidc_group_filter": "^team"},
        **{
            "oidc_admin_group": "admins",
            "oidc_user_claim": "name",
            "oidc_auto_onboard": True,
            "oidc_verify_cert": True,
        },
    }
    for sent, mode, secret in ((ldap, "ldap_auth", "ldap_search_password"), (oidc, "oidc_auth", "oidc_client_secret")):
        body = {**earlier, **sent, "auth_mode": mode, "primary_auth_mode": False, secret: "Canary-Secret-9"}
        answer = admin.put("/configurations", body)
        assert answer.status_code == 200, answer.content
        shown = values_shown(admin)
        assert {name: shown[name] for name in sent} == sent and shown["auth_mode"] == mode
        assert secret not in shown and "Canary" not in str(shown)


def values_shown(admin: Caller) -> dict[str, Any]:
    return {name: item.get("value") for name, item in admin.get("/configurations").json().items()}
