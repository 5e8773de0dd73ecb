from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from configuration import types
from configuration.keys import KEYS, POSITIVE, InvalidValue

HARBOR = json.loads((Path(__file__).parent / "keys.json").read_text())
"""Harbor's own list, as read from its source."""
USERS = {key["name"]: key for key in ({**key, "name": key["key"]} for key in HARBOR) if key["scope"] == "user"}
SYSTEMS = {"gdpr_delete_user", "robot_scanner_name_prefix"}
"""Those of Harbor's keys of its own installation that mean something here."""
SHOWN_BY_HARBOR = {"uaa_client_secret"}
"""A secret that Harbor takes for text."""


def test_every_key_of_harbors_is_here_and_no_other() -> None:
    assert KEYS.keys() == USERS.keys() | SYSTEMS


@pytest.mark.parametrize("name", USERS)
def test_a_key_is_as_in_harbor(name: str) -> None:
    key, harbors = KEYS[name], USERS[name]
    assert key.env == harbors["env"]
    assert key.writable == harbors["put"]
    assert key.readable == (harbors["get"] and name not in SHOWN_BY_HARBOR)
    given = harbors["default"]
    if given or harbors["type"] not in {"NonEmptyString"}:
        assert key.parse(given) == key.default
    else:
        assert key.default == ""


@pytest.mark.parametrize("name", [key["key"] for key in HARBOR if key["type"] == "Password" and key["scope"] == "user"])
def test_secrets_are_secrets(name: str) -> None:
    assert KEYS[name].secret
    assert not KEYS[name].readable


@pytest.mark.parametrize(
    ("parse", "given", "expected"),
    [
        (types.boolean, True, True),
        (types.boolean, "false", False),
        (types.boolean, "True", True),
        (types.boolean, "1", True),
        (types.boolean, "yes", None),
        (types.boolean, 1, None),
        (types.boolean, None, None),
        (POSITIVE, 1, 1),
        (POSITIVE, "30", 30),
        (POSITIVE, 30.0, 30),
        (POSITIVE, 9_999_999_999, 9_999_999_999),
        (POSITIVE, 10_000_000_000, None),
        (POSITIVE, 0, None),
        (POSITIVE, -1, None),
        (POSITIVE, True, None),
        (POSITIVE, 1.5, None),
        (POSITIVE, "1e3", None),
        (POSITIVE, "٣", None),
        (POSITIVE, "9" * 5000, None),
        (types.quota, -1, -1),
        (types.quota, 1, 1),
        (types.quota, 0, None),
        (types.quota, -2, None),
        (types.quota, 2**60, None),
        (types.choice("a", "b"), "a", "a"),
        (types.choice("a", "b"), "c", None),
        (types.choice("a", "b"), ["a"], None),
        (types.string, "text\nmore", "text\nmore"),
        (types.string, "a\x00", None),
        (types.string, "\ud800", None),
        (types.string, "x" * 70_000, None),
        (types.string, 5, None),
        (types.non_empty_string, " ", None),
        (types.mapping, {"a": 1}, {"a": 1}),
        (types.mapping, '{"a": 1}', {"a": 1}),
        (types.mapping, "", {}),
        (types.mapping, "[1]", None),
        (types.mapping, "{", None),
        (types.string_mapping, {"a": "b"}, {"a": "b"}),
        (types.string_mapping, {"a": 1}, None),
        (types.robot_prefix, "bot-", "bot-"),
        (types.robot_prefix, "", None),
        (types.robot_prefix, "a b", None),
        (types.robot_prefix, "a:b", None),
        (types.robot_prefix, "x" * 65, None),
    ],
)
def test_types(parse: types.Type, given: Any, expected: Any) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="must|is too long"):
            parse(given)
    else:
        assert parse(given) == expected
        assert type(parse(given)) is type(expected)


def test_what_is_wrong_is_said_without_the_value() -> None:
    with pytest.raises(InvalidValue) as error:
        KEYS["ldap_search_password"].parse(["canary"])
    assert str(error.value) == "ldap_search_password must be a string"


@pytest.mark.parametrize(
    ("parse", "good", "bad"),
    [
        (
            types.url,
            ["", "https://id.example.com/realms/a", "http://10.0.0.1:8080"],
            ["ftp://a", "https://u:p@a", "a b"],
        ),
        (
            types.ldap_url,
            ["ldap://a", "ldaps://dc1.example.com:636", "ldap+starttls://[::1]:389/", "10.0.0.1"],
            ["", "http://a", "ldap://", "ldap://a/dc=x??sub", "ldap://a b", "ldap://u@a"],
        ),
        (types.base_name, ["dc=example,dc=com", r"cn=a\,b+uid=c, ou=x", "o="], ["", "people", "cn=a;cn=b", "=x"]),
        (types.name_attribute, ["uid", "sAMAccountName", "2.5.4.3"], ["", "uid)(a=*", "a b"]),
        (
            types.ldap_filter,
            ["", "objectClass=person", "(&(a=b)(|(c=*)(!(d>=1))))", "(memberOf:1.2.840.113556.1.4.1941:=cn=a)"],
            ["(a=b", "a=b)(c=d", "(&)", "(a)", "((a=b))", "(a=b)(c=d)", "(" * 3000],
        ),
        (types.pattern, ["", "^team-.*$"], ["(", "x" * 2000]),
        (types.scopes, ["", "openid,email offline_access"], ["email"]),
    ],
)
def test_what_names_a_server_or_what_it_holds(parse: types.Type, good: list[str], bad: list[str]) -> None:
    for value in good:
        parse(value)
    wrong: list[object] = [*bad, 5, None, "a\x00"]
    for each in wrong:
        try:
            parse(each)
        except ValueError as error:
            assert "must" in str(error) or "is too long" in str(error)
        else:
            raise AssertionError(f"{each!r} passed")


def test_a_filter_is_judged_quickly() -> None:
    for text in ("(" * 4000, "(!" * 1300 + "(a=b)" + ")" * 1300, "(a=" + "*" * 4000, "(&" + "(a=b)" * 800):
        types.ldap_filter(text) if text.endswith("))") else pytest.raises(ValueError, types.ldap_filter, text)
