"""What is kept for a person: how they want the pages, and what they had typed when their session ended."""

from __future__ import annotations

import re

from django.test import Client

from accounts.models import User
from projects.models import Member, Project, Role
from tests.cast import PASSWORD, Cast
from tests.portal.conftest import Reader


def test_preferences_follow_their_owner_to_every_browser(cast: Cast, reader: Reader) -> None:
    chosen = {"language": "zh-hans", "theme": "dark", "time_zone": "Asia/Shanghai"}
    reader("guest").post("/account/preferences", chosen)
    elsewhere = Client()

    elsewhere.post("/account/sign-in", {"username": "guest", "password": PASSWORD})
    page = elsewhere.get("/projects/private/members").content.decode()

    assert '<html lang="zh-hans" data-hv-theme="dark" data-bs-theme="dark"' in page
    assert "CST" in page  # the zone of the times that are shown on hovering
    assert 'lang="en"' in reader("developer").get("/").content.decode().partition("<head>")[0]


def test_the_menus_of_the_top_are_remembered_too(cast: Cast, reader: Reader) -> None:
    client = reader("guest")

    client.post("/account/theme", {"theme": "dark", "next": "/"})
    client.post("/account/language", {"language": "zh-hans", "next": "/"})

    user = User.objects.get(username="guest")
    assert (user.theme, user.language) == ("dark", "zh-hans")


def test_a_preference_that_is_none_is_refused(cast: Cast, reader: Reader) -> None:
    given = {"language": "en", "theme": "dark", "time_zone": "Mars/Olympus"}
    assert reader("guest").post("/account/preferences", given).status_code == 422
    assert User.objects.get(username="guest").theme == ""


def test_the_profile(cast: Cast, reader: Reader) -> None:
    client = reader("guest")

    client.post("/account", {"realname": "A Guest", "email": "new@haven.test", "comment": ""})
    assert User.objects.get(username="guest").realname == "A Guest"
    taken = client.post("/account", {"realname": "A Guest", "email": "alice@haven.test", "comment": ""})
    assert taken.status_code == 422
    assert "Somebody has this e-mail address already." in taken.content.decode()
    assert Client().get("/account").status_code == 302


def test_what_was_typed_waits_until_one_has_signed_in_again(cast: Cast) -> None:
    client = Client()  # whose session has ended in the meantime
    typed = {"username": "stranger", "role": "3", "kind": "user"}

    ended = client.post("/projects/public/members", typed)
    page = ended.content.decode()
    kept = re.search(r'name="kept" value="([^"]+)"', page)
    assert ended.status_code == 401 and kept
    assert not Member.objects.filter(user=cast.stranger).exists()

    wrong = client.post("/account/sign-in", {"username": "admin", "password": "wrong", "kept": kept[1]})
    assert kept[1] in wrong.content.decode()
    back = client.post("/account/sign-in", {"username": "admin", "password": PASSWORD, "kept": kept[1]})
    assert back["Location"] == "/projects/public/members"
    form = client.get(back["Location"]).content.decode()
    assert 'value="stranger"' in form and "What you typed is still here" in form
    assert not Member.objects.filter(user=cast.stranger).exists()  # nothing is sent but by its writer
    assert "What you typed" not in client.get(back["Location"]).content.decode()

    client.post("/projects/public/members", typed)
    assert Member.objects.get(user=cast.stranger).role == Role.GUEST


def test_secrets_and_forgeries_are_not_kept(cast: Cast) -> None:
    client = Client()

    page = client.post("/users/new", {"username": "x", "password": "Canary-Horse-1", "again": "Canary-Horse-1"})
    assert "Canary" not in page.content.decode()
    forged = {
        "username": "alice",
        "password": PASSWORD,
        "kept": "eyJwYXRoIjoiLy9ldmlsLnRlc3QifQ:1:x",
        "next": "/projects",
    }
    assert client.post("/account/sign-in", forged)["Location"] == "/projects"
    assert Project.objects.count() == 2
