"""The grammar of scopes: narrow, so that what is granted is what was checked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.references import is_name
from tokens.scopes import ACTIONS, MAX_SCOPES, Scope, TooManyScopes, parse_scope, parse_scopes


def test_a_scope() -> None:
    assert parse_scope("repository:library/nginx:pull,push") == Scope(
        "repository", "library/nginx", frozenset({"pull", "push"})
    )
    assert parse_scope("registry:catalog:*") == Scope("registry", "catalog", frozenset({"*"}))
    assert parse_scope("repository:a/b:pull,fly") == Scope("repository", "a/b", frozenset({"pull"}))


@pytest.mark.parametrize(
    "text",
    [
        *["", ":", "::", ":::", "repository", "repository:a/b", "repository:a/b:", "repository::pull", ":a/b:pull"],
        *[
            "repository:a/b:*",
            "repository:a/b:admin",
            "repository:a/b:PULL",
            "repository:a/b: pull",
            "Repository:a/b:pull",
        ],
        *[
            "repository(plugin):a/b:pull",
            "repository:a/b:pull:extra",
            "repository:a:80/A/x:pull",
            "repository:A%2Fx:pull",
        ],
        *[
            "repository:A/x:pull",
            "repository:a/../b:pull",
            "repository:a//b:pull",
            "repository:/a/b:pull",
            "repository:a/:pull",
        ],
        *[
            "repository:a/*:pull",
            "repository:*:pull",
            "repository:a/b\n:pull",
            "repository:a/b\0:pull",
            "repository:ä/b:pull",
        ],
        *[
            "registry:catalog:pull",
            "registry:other:*",
            "catalog:catalog:*",
            "robot:a/b:pull",
            "repository:" + "a" * 256 + ":pull",
        ],
        *["x" * 100_000, ":" * 100_000, "repository:a/b:" + "," * 100_000],
    ],
)
def test_what_is_none(text: str) -> None:
    assert parse_scope(text) is None


def test_parameters_and_words_are_one_list() -> None:
    found = parse_scopes(["repository:a/b:pull repository:a/c:pull", "repository:a/b:push", "nonsense", "  "])
    assert found == [
        Scope("repository", "a/b", frozenset({"pull", "push"})),
        Scope("repository", "a/c", frozenset({"pull"})),
    ]


def test_fifty_are_enough() -> None:
    scopes = [f"repository:a/r{number}:pull" for number in range(MAX_SCOPES)]
    assert len(parse_scopes(scopes)) == len(parse_scopes([" ".join(scopes)])) == MAX_SCOPES
    for texts in ([*scopes, "x"], [" ".join([*scopes, "x"])], ["x " * 200]):
        with pytest.raises(TooManyScopes):
            parse_scopes(texts)


def test_only_cuts_down() -> None:
    scope = Scope("repository", "a/b", frozenset({"pull"}))
    assert scope.only(["pull", "push", "delete", "*"]) == scope
    assert scope.only(["push"]).actions == frozenset()


@pytest.mark.parametrize(
    ("text", "project"),
    [("repository:a/b/c:pull", "a"), ("repository:alone:pull", ""), ("registry:catalog:*", "")],
)
def test_the_project(text: str, project: str) -> None:
    scope = parse_scope(text)
    assert scope is not None and scope.project == project


words = st.text(st.sampled_from("repositygcal:/,.*-_ \n\0%A0é()") | st.characters(), max_size=40)
likely = st.builds(
    ":".join,
    st.lists(
        st.sampled_from(["repository", "registry", "a/b", "catalog", "pull", "*", "pull,push", "..", ""]) | words,
        max_size=5,
    ),
)


@given(st.lists(likely, max_size=20))
def test_whatever_is_asked_only_known_things_come_out(texts: list[str]) -> None:
    try:
        found = parse_scopes(texts)
    except TooManyScopes:
        return
    asked = " ".join(texts)
    for scope in found:
        assert scope.actions and scope.actions <= ACTIONS[scope.type]
        assert is_name(scope.name)
        assert all(action in asked for action in scope.actions), "never more than was asked"
        again = parse_scope(str(scope))
        assert again == scope
    assert len({(scope.type, scope.name) for scope in found}) == len(found)
