"""Signing in and out, and where one lands."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from audit.models import Entry
from tests.cast import PASSWORD, Cast
from tests.portal.conftest import Reader

HERE = "/account/sign-in"


def sign_in(client: Client, name: str = "alice", password: str = PASSWORD, **more: str) -> object:
    return client.post(HERE, {"username": name, "password": password, **more})


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@haven.test"])
def test_by_name_or_address(cast: Cast, name: str) -> None:
    client = Client()

    answer = client.post(HERE, {"username": name, "password": PASSWORD})

    assert answer.status_code == 302 and answer["Location"] == "/"
    assert "Account of alice" in client.get("/").content.decode()
    assert Entry.objects.filter(operation="login", success=True).count() == 1


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("alice", ""), ("", "x")])
def test_a_wrong_one_says_nothing_about_which(cast: Cast, name: str, password: str) -> None:
    client = Client()

    answer = client.post(HERE, {"username": name, "password": password})

    assert answer.status_code in (401, 422)
    assert "sid" not in client.cookies
    assert (b"The name or the password is wrong." in answer.content) == bool(name and password)
    if name:
        assert f'value="{name}"' in answer.content.decode()


def test_who_guesses_has_to_wait(cast: Cast) -> None:
    client = Client()
    for _ in range(6):
        client.post(HERE, {"username": "alice", "password": "wrong"})

    answer = client.post(HERE, {"username": "alice", "password": PASSWORD})

    assert answer.status_code == 429
    assert b"Too many attempts. Try again in" in answer.content
    assert "sid" not in client.cookies


def test_the_session_is_a_new_one(cast: Cast) -> None:
    client = Client()
    client.cookies["sid"] = "chosen-by-somebody-else"

    client.post(HERE, {"username": "alice", "password": PASSWORD})

    assert client.cookies["sid"].value != "chosen-by-somebody-else"


@pytest.mark.parametrize(
    ("asked", "goal"),
    [
        ("/projects/private", "/projects/private"),
        ("/search?q=a%20b&x=1", "/search?q=a%20b&x=1"),
        ("", "/"),
        ("https://evil.test/", "/"),
        ("//evil.test/", "/"),
        ("///evil.test/", "/"),
        ("/\\evil.test", "/"),
        ("\\\\evil.test", "/"),
        ("http:///evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("/\t/evil.test", "/"),
        (" https://evil.test", "/"),
        ("evil.test", "/"),
        ("https:evil.test", "/"),
        ("\x00//evil.test", "/"),
    ],
)
@pytest.mark.parametrize("way", ["sign in", "signed in", "theme", "language"])
def test_nobody_is_sent_elsewhere(cast: Cast, reader: Reader, way: str, asked: str, goal: str) -> None:
    if way == "sign in":
        answer = Client().post(HERE, {"username": "alice", "password": PASSWORD, "next": asked})
    elif way == "signed in":
        answer = reader("alice").get(HERE, {"next": asked})
    else:
        answer = Client().post(f"/account/{way}", {"next": asked, way: "dark"})

    assert answer.status_code == 302
    assert answer["Location"] == goal


def test_signing_out_needs_a_post_and_ends_the_session(cast: Cast) -> None:
    client = Client()
    client.post(HERE, {"username": "alice", "password": PASSWORD})
    stolen = client.cookies["sid"].value

    assert client.get("/account/sign-out").status_code == 405
    client.post("/account/sign-out")

    thief = Client()
    thief.cookies["sid"] = stolen
    assert thief.get("/account/password").status_code == 302
    assert Entry.objects.filter(operation="logout", username="alice").count() == 1


def test_a_changed_password_ends_the_other_sessions(cast: Cast) -> None:
    mine, other = Client(), Client()
    for client in (mine, other):
        client.post(HERE, {"username": "alice", "password": PASSWORD})
    new = "Another-Horse-10"

    answer = mine.post("/account/password", {"old": PASSWORD, "password": new, "again": new})

    assert answer.status_code == 302
    assert mine.get("/account/password").status_code == 200
    assert other.get("/account/password").status_code == 302
    assert User.objects.get(username="alice").check_password(new)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"old": "wrong", "password": "Another-Horse-10"}, "This is not your current password."),
        ({"password": "weak"}, "Use 8 to 128 characters"),
        ({"password": "Another-Horse-10", "again": "Other-Horse-10"}, "The two passwords differ."),
        ({"password": PASSWORD}, "neither the present one nor known to everybody"),
        ({"password": "Harbor12345"}, "neither the present one nor known to everybody"),
    ],
)
def test_a_password_that_will_not_do(cast: Cast, reader: Reader, given: dict[str, str], sentence: str) -> None:
    form = {"old": PASSWORD, "again": given["password"], **given}

    answer = reader("alice").post("/account/password", form)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert PASSWORD not in answer.content.decode()
    assert User.objects.get(username="alice").check_password(PASSWORD)


@pytest.mark.parametrize("path", ["/account/sign-in", "/account/sign-out", "/account/theme", "/account/language"])
def test_a_form_from_elsewhere_is_refused(cast: Cast, path: str) -> None:
    client = Client(enforce_csrf_checks=True)

    answer = client.post(path, {"username": "alice", "password": PASSWORD, "theme": "dark"})

    assert answer.status_code == 403
    assert b"Send the form again" in answer.content
    assert "sid" not in client.cookies and "haven_theme" not in client.cookies
