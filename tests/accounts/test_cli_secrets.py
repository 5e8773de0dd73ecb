"""The secret by which docker signs in whom the provider vouches for, and what ends it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from accounts import actions, scratch
from accounts.actors import Actor, Kind
from accounts.basic import authenticate
from accounts.errors import Forbidden, Locked, Unavailable
from accounts.models import OidcAccount, User
from accounts.permissions import permissions
from audit.models import Entry
from configuration import values
from tests import cast
from tests.accounts.browsing import is_anybody, sign_in
from tests.api.calling import Caller, caller, code
from tests.oidc import Provider, unsigned
from tokens.signing import key_folder

pytestmark = pytest.mark.django_db


class TestCliSecrets:
    @pytest.fixture
    def alice(self, provider: Provider, client: Client) -> User:
        sign_in(provider, client)
        user: User = User.objects.get(username="alice")
        return user

    def log_in(self, secret: str, name: str = "alice") -> Any:
        caches["default"].clear()
        scratch.reset()
        return authenticate(name, secret, "192.0.2.1")

    def expire(self) -> None:
        OidcAccount.objects.update(token_expires_at=timezone.now())

    def test_it_is_made_shown_once_and_signs_docker_in(self, provider: Provider, client: Client, alice: User) -> None:
        page = client.post("/account/cli-secret")
        secret = page.content.decode().partition('<code tabindex="0">')[2].partition("<")[0]
        assert page.status_code == 200 and len(secret) == 43
        assert is_anybody(client)
        found = self.log_in(secret)
        assert found is not None and found.user_id == alice.pk
        assert self.log_in(secret + "x") is None and self.log_in("") is None and self.log_in(secret, "admin") is None
        assert secret not in str([*OidcAccount.objects.values(), *Entry.objects.values()])
        key_folder().prepare()
        basic = "Basic " + base64.b64encode(f"alice:{secret}".encode()).decode()
        answer = client.get("/service/token?service=harbor-registry", headers={"Authorization": basic})
        assert answer.status_code == 200
        assert "refresh_token" not in json.loads(answer.content)

    def test_it_opens_registries_and_not_the_administration(self, provider: Provider, alice: User) -> None:
        assert alice.actor.is_admin
        secret = actions.set_cli_secret(alice.actor, alice)
        ask = Caller("alice", secret)
        labels = f"/labels?scope=p&project_id={cast.make_project('mine').pk}"
        assert ask.raw("GET", "/api/version").status_code == 200
        for path in ("/projects", "/repositories", "/systeminfo", labels, "/projects/mine"):
            assert ask.get(path).status_code == 200, path
        for path in ("/projects/mine/repositories", "/projects/mine/repositories/app/artifacts"):
            assert ask.get(path).status_code == 200, path
        assert ask.get("/projects/mine/repositories/app/artifacts/v1/tags").status_code == 404
        for path in ("/users", "/configurations", "/users/current", "/usergroups", "/audit-logs", "/robots", "/quotas"):
            assert ask.get(path).status_code == 401, path
        for path in ("/members", "/metadatas/", "/summary", "/auditlog-exts", "/scanner"):
            assert ask.get(f"/projects/mine{path}").status_code == 401, path
        browser = Client()
        response = browser.post("/account/sign-in", {"username": "alice", "password": secret})
        assert response.status_code == 403 and not is_anybody(browser)

    def test_harbors_way_to_set_it(self, provider: Provider, client: Client, alice: User, first_admin: User) -> None:
        ask, path = caller(first_admin), f"/users/{alice.pk}/cli_secret"
        assert ask.put(path, {"secret": "Docker-Secret-1"}).content == b""
        assert self.log_in("Docker-Secret-1") is not None
        response = ask.put(path, {"secret": "weak"})
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST")
        made = ask.put(path, {"secret": ""}).json()["secret"]
        assert self.log_in("Docker-Secret-1") is None and self.log_in(made) is not None
        assert ask.put(f"/users/{first_admin.pk}/cli_secret", {"secret": ""}).status_code == 404
        assert Caller("alice", made).put(path, {"secret": "Docker-Secret-2"}).status_code == 401

    def test_a_robot_that_manages_users_gives_no_administrator_one(self, provider: Provider, alice: User) -> None:
        manager = Actor(Kind.ROBOT, "robot$manager", system_grants=permissions({"user": "read update"}))
        with pytest.raises(Forbidden):
            actions.set_cli_secret(manager, alice, "Docker-Secret-1")
        assert self.log_in("Docker-Secret-1") is None
        provider.person["groups"] = []
        sign_in(provider, Client())
        actions.set_cli_secret(manager, User.objects.get(pk=alice.pk), "Docker-Secret-1")
        found = self.log_in("Docker-Secret-1")
        assert found is not None and not found.is_admin

    def test_the_provider_is_asked_again_when_its_token_ends(self, provider: Provider, alice: User) -> None:
        secret = actions.set_cli_secret(alice.actor, alice)
        provider.person["groups"] = ["team"]
        assert self.log_in(secret).is_admin  # not asked yet
        self.expire()
        found = self.log_in(secret)
        assert found is not None and not found.is_admin
        assert provider.asked.count("/token") == 2
        self.log_in(secret)
        assert provider.asked.count("/token") == 2

    def test_who_the_provider_no_longer_knows_is_out(self, provider: Provider, alice: User) -> None:
        secret = actions.set_cli_secret(alice.actor, alice)
        self.expire()
        provider.refresh_tokens.clear()
        assert self.log_in(secret) is None
        provider.away = True
        with pytest.raises(Unavailable):
            self.log_in(secret)

    def test_without_a_refresh_token_it_ends_with_the_providers_token(self, provider: Provider) -> None:
        provider.gives_refresh_tokens = False
        sign_in(provider, Client())
        alice = User.objects.get(username="alice")
        secret = actions.set_cli_secret(alice.actor, alice)
        assert self.log_in(secret) is not None
        self.expire()
        assert self.log_in(secret) is None

    def test_a_refreshed_token_of_somebody_else_is_refused(self, provider: Provider, alice: User) -> None:
        secret = actions.set_cli_secret(alice.actor, alice)
        self.expire()
        provider.person["sub"] = "subject-2"
        assert self.log_in(secret) is None

    def test_guessing_locks(self, provider: Provider, alice: User) -> None:
        with pytest.raises(Locked):
            for _ in range(20):
                authenticate("alice", "wrong", "192.0.2.1")

    def test_robots_and_the_administrator_work_while_the_provider_is_away(
        self, provider: Provider, first_admin: User
    ) -> None:
        project = cast.make_project("private", first_admin)
        robot, secret = cast.make_robot("ci", project, "repository:pull")
        provider.away = True
        assert authenticate("admin", cast.PASSWORD, "192.0.2.1") is not None
        found = authenticate("robot$private+ci", secret, "192.0.2.1")
        assert found is not None and found.robot_id == robot.pk


class TestIdTokens:
    def ask(self, token: str, path: str = "/users/current") -> Any:
        return Caller().get(path, Authorization=f"Bearer {token}")

    def test_a_program_brings_the_providers_token(self, provider: Provider, client: Client) -> None:
        sign_in(provider, client)
        token = provider.tokens("")["id_token"]
        assert self.ask(token).json()["username"] == "alice"
        User.objects.filter(username="alice").update(is_active=False)
        assert self.ask(token).status_code == 401

    def test_of_nobody_and_for_nobody_else(self, provider: Provider, client: Client) -> None:
        good = provider.tokens("")["id_token"]
        assert self.ask(good).status_code == 401 and not OidcAccount.objects.exists()  # nobody is made a user by it
        sign_in(provider, client)
        for changes in ({"aud": "other"}, {"iss": "https://evil.test"}, {"exp": 1}, {"sub": "subject-2"}):
            provider.twist = lambda header, claims, changes=changes: claims.update(changes)
            assert self.ask(provider.tokens("")["id_token"]).status_code == 401, changes
        provider.twist = unsigned
        assert self.ask(provider.tokens("")["id_token"]).status_code == 401
        for wrong in ("", "x", "a.b.c", "." * 2, "x" * 20_000, good[:-4]):
            assert self.ask(wrong).status_code == 401

    def test_only_where_people_sign_in_by_the_provider(self, provider: Provider, client: Client) -> None:
        sign_in(provider, client)
        token = provider.tokens("")["id_token"]
        values.set_values({"auth_mode": "db_auth"})
        assert self.ask(token).status_code == 401
