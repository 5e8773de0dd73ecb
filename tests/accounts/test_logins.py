from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import timezone

from accounts.actions import (
    actor_of_refresh_token,
    delete_user,
    issue_refresh_token,
    set_active,
    set_password,
)
from accounts.actors import ANONYMOUS, SYSTEM, Actor, Kind, actor_of
from accounts.errors import Forbidden, Locked, Unauthenticated
from accounts.middleware import ActorMiddleware
from accounts.models import RefreshToken
from accounts.sessions import keep, sign_in, sign_out
from audit.models import Entry
from tests.accounts.test_basic import header, lock
from tests.cast import PASSWORD, Cast

NEW = "Another-Horse-9"


class TestRefreshTokens:
    def test_speaks_for_its_user(self, cast: Cast) -> None:
        token = issue_refresh_token(cast.guest.actor, "docker")
        assert actor_of_refresh_token(token) == cast.guest.actor
        assert actor_of_refresh_token(token) == cast.guest.actor
        assert RefreshToken.objects.get().client_id == "docker"
        assert [(entry.username, entry.operation) for entry in Entry.objects.all()] == [("guest", "login")]

    @pytest.mark.parametrize("token", ["", "x", "ä", "\x00", "\ud800", "x" * 10_000])
    def test_another_text_speaks_for_nobody(self, cast: Cast, token: str) -> None:
        issue_refresh_token(cast.guest.actor, "docker")
        assert actor_of_refresh_token(token) is None

    def test_the_database_cannot_speak(self, cast: Cast) -> None:
        token = issue_refresh_token(cast.guest.actor, "docker")
        row = RefreshToken.objects.get()
        assert token not in str(vars(row))
        assert actor_of_refresh_token(row.digest) is None

    def test_ends_with_the_password_the_user_or_its_time(self, cast: Cast) -> None:
        tokens = {user: issue_refresh_token(user.actor, "d") for user in (cast.guest, cast.developer, cast.maintainer)}
        set_password(SYSTEM, cast.guest, NEW)
        set_active(SYSTEM, cast.developer, False)
        delete_user(SYSTEM, cast.maintainer)
        assert {actor_of_refresh_token(token) for token in tokens.values()} == {None}
        set_active(SYSTEM, cast.developer, True)
        assert actor_of_refresh_token(tokens[cast.developer]) is None

    def test_ends_by_itself(self, cast: Cast) -> None:
        token = issue_refresh_token(cast.guest.actor, "docker")
        RefreshToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
        assert actor_of_refresh_token(token) is None

    def test_only_people_get_one(self, cast: Cast) -> None:
        with pytest.raises(Forbidden):
            issue_refresh_token(Actor(Kind.ROBOT, "robot$r", robot_id=1), "docker")
        with pytest.raises(Unauthenticated):
            issue_refresh_token(ANONYMOUS, "docker")
        assert not RefreshToken.objects.exists()

    def test_a_user_has_only_so_many(self, cast: Cast) -> None:
        first = issue_refresh_token(cast.guest.actor, "docker")
        others = [issue_refresh_token(cast.guest.actor, "docker") for _ in range(50)]
        mine = issue_refresh_token(cast.developer.actor, "docker")
        assert RefreshToken.objects.count() == 51
        assert actor_of_refresh_token(first) is None
        assert actor_of_refresh_token(others[0])
        assert actor_of_refresh_token(mine)

    def test_using_one_seldom_writes(self, cast: Cast, django_assert_num_queries: Any) -> None:
        token = issue_refresh_token(cast.guest.actor, "docker")
        actor_of_refresh_token(token)
        with django_assert_num_queries(1):
            assert actor_of_refresh_token(token)

    def test_a_client_names_itself_at_length(self, cast: Cast) -> None:
        issue_refresh_token(cast.guest.actor, "x" * 1000 + "\x00")
        assert len(RefreshToken.objects.get().client_id) == 255


def enter(request: HttpRequest) -> HttpResponse:
    user = sign_in(request, request.POST["name"], request.POST["password"])
    return HttpResponse(user.username if user else "nobody", status=200 if user else 401)


def leave(request: HttpRequest) -> HttpResponse:
    sign_out(request)
    return HttpResponse()


def change(request: HttpRequest) -> HttpResponse:
    set_password(actor_of(request), request.user, NEW, PASSWORD)  # type: ignore[arg-type]
    keep(request, request.user)  # type: ignore[arg-type]
    return HttpResponse()


def whoami(request: HttpRequest) -> HttpResponse:
    try:
        actor = actor_of(request)
        return HttpResponse(f"{actor.name} {getattr(request, 'actor_from_session', None)}")
    except Locked as locked:
        return HttpResponse(f"locked {locked.retry_after}", status=429)


urlpatterns = [path("enter", enter), path("leave", leave), path("change", change), path("whoami", whoami)]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActorMiddleware",
]


@pytest.fixture
def pages(cast: Cast, settings: Any) -> Client:
    """A browser on pages that do no more than sign in, sign out and tell who that is."""
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = MIDDLEWARE
    return Client()


def who(client: Client, **headers: str) -> str:
    """The page's word for who is asking: a name, and whether the session said so."""
    return client.get("/whoami", headers=headers).content.decode()


def come_in(client: Client, name: str = "guest", password: str = PASSWORD) -> int:
    return client.post("/enter", {"name": name, "password": password}).status_code


class TestSessions:
    def test_in_and_out(self, pages: Client) -> None:
        before = pages.session.session_key
        assert come_in(pages) == 200
        assert pages.session.session_key != before
        assert who(pages) == "guest True"
        pages.post("/leave")
        assert actors(pages) == ANONYMOUS.name
        assert [(e.username, e.operation, e.success) for e in Entry.objects.order_by("pk")] == [
            ("guest", "login", True),
            ("guest", "logout", True),
        ]

    def test_leaving_without_being_there(self, pages: Client) -> None:
        pages.post("/leave")
        assert not Entry.objects.exists()

    def test_a_wrong_password_is_recorded_without_it(self, pages: Client) -> None:
        assert come_in(pages, "nobody\nadmin", "Wrong-Horse-9") == 401
        entry = Entry.objects.get()
        assert (entry.operation, entry.success) == ("login", False)
        assert "\n" not in entry.username
        assert "Wrong-Horse-9" not in str(vars(entry))
        assert actors(pages) == ANONYMOUS.name

    @pytest.mark.parametrize("ending", ["password", "disabled", "deleted"])
    def test_a_session_ends_with_what_it_stands_on(self, pages: Client, cast: Cast, ending: str) -> None:
        come_in(pages)
        endings = {
            "password": lambda: set_password(SYSTEM, cast.guest, NEW),
            "disabled": lambda: set_active(SYSTEM, cast.guest, False),
            "deleted": lambda: delete_user(SYSTEM, cast.guest),
        }
        endings[ending]()
        assert actors(pages) == ANONYMOUS.name

    def test_changing_ones_own_password_ends_the_others(self, pages: Client) -> None:
        elsewhere = Client()
        come_in(pages)
        come_in(elsewhere)
        pages.post("/change")
        assert who(pages) == "guest True"
        assert actors(elsewhere) == ANONYMOUS.name

    def test_a_session_is_not_forged_by_number(self, pages: Client, cast: Cast) -> None:
        session = pages.session
        session["_auth_user_id"] = str(cast.admin.pk)
        session["_auth_user_backend"] = "accounts.backends.UserBackend"
        session["_auth_user_hash"] = "0" * 64
        session.save()
        assert actors(pages) == ANONYMOUS.name


def actors(client: Client) -> str:
    return who(client).split()[0]


class TestMiddleware:
    def test_basic_speaks_louder_than_the_session(self, pages: Client) -> None:
        come_in(pages)
        assert who(pages, authorization=header(f"developer:{PASSWORD}")) == "developer False"

    def test_a_wrong_secret_falls_through(self, pages: Client) -> None:
        assert who(pages, authorization=header("developer:wrong")) == "anonymous False"
        come_in(pages)
        assert who(pages, authorization=header("developer:wrong")) == "guest True"
        assert who(pages, authorization="Bearer what.ever.it") == "guest True"

    def test_a_locked_name_is_told_so(self, pages: Client) -> None:
        lock("developer", "127.0.0.1")
        assert who(pages, authorization=header(f"developer:{PASSWORD}")).startswith("locked")

    def test_nobody_is_asked_for_unless_needed(self, cast: Cast, django_assert_num_queries: Any) -> None:
        request = RequestFactory().get("/", headers={"authorization": header(f"developer:{PASSWORD}")})
        with django_assert_num_queries(0):
            ActorMiddleware(lambda request: HttpResponse())(request)
        with django_assert_num_queries(2):  # the configuration's cache, and the user
            assert actor_of(request).name == "developer"
            assert actor_of(request).name == "developer"
