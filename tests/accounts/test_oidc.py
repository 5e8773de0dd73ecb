"""Signing in at a provider of OpenID Connect, a real one: there and back again, groups, and the way out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from joserfc.jwk import RSAKey

from accounts import actions
from accounts.models import Group, OidcAccount, User
from accounts.oidc import provider as ours
from audit.models import Entry
from configuration import values
from projects.models import Member, Role
from projects.permissions import allowed
from tests import cast
from tests.accounts.browsing import come_back, depart, is_anybody, sign_in
from tests.api.calling import Caller, caller, code
from tests.oidc import Provider
from tests.stack.tls import Authority

pytestmark = pytest.mark.django_db


class TestThereAndBack:
    def test_a_newcomer_becomes_a_user(self, provider: Provider, client: Client) -> None:
        target = depart(client, "?redirect_url=/projects")
        asked = {name: found[0] for name, found in parse_qs(urlsplit(target).query).items()}
        assert asked["redirect_uri"] == "http://haven.test:8080/c/oidc/callback"
        assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
        response = come_back(client, provider.browse(target))
        assert (response.status_code, response["Location"]) == (302, "/projects")
        user = User.objects.get(username="alice")
        assert (user.realname, user.email) == ("Alice Liddell", "alice@wonder.test")
        assert user.comment == "Onboarded via OIDC provider" and not user.has_usable_password()
        assert set(user.memberships.values_list("group__name", flat=True)) == {"team", "admins"}
        assert user.actor.is_admin and not user.is_admin
        shown = Caller(client=client).get("/users/current").json()
        assert shown["admin_role_in_auth"] and not shown["sysadmin_flag"]
        assert shown["oidc_user_meta"]["subiss"] == f"subject-1{provider.issuer}"
        assert "secret" not in shown["oidc_user_meta"]
        assert Entry.objects.filter(operation="login", username="alice", success=True).count() == 1

    def test_the_same_subject_is_the_same_user_whatever_the_name(self, provider: Provider, client: Client) -> None:
        sign_in(provider, client)
        provider.person |= {"preferred_username": "other", "email": "other@wonder.test"}
        again = Client()
        sign_in(provider, again)
        assert OidcAccount.objects.count() == 1
        assert again.session["_auth_user_id"] == client.session["_auth_user_id"]

    def test_another_subject_does_not_take_a_name(self, provider: Provider, client: Client) -> None:
        sign_in(provider, Client())
        for name in ("alice", "ALICE", "admin", "Admin", "\uff41dmin"):
            provider.person |= {"sub": "subject-2", "preferred_username": name, "email": "admin@haven.test"}
            response = sign_in(provider, client)
            assert response.status_code == 409
            assert not is_anybody(client)
        assert OidcAccount.objects.count() == 1

    def test_a_name_that_cannot_be_one(self, provider: Provider, client: Client) -> None:
        for name in ("robot$x", "a:b", "", "x\ny", 5, None):
            provider.person["preferred_username"] = name
            assert sign_in(provider, client).status_code == 400
        assert User.objects.count() == 1

    def test_a_newcomer_chooses_a_name_where_that_is_so(self, provider: Provider, client: Client) -> None:
        values.set_values({"oidc_auto_onboard": False})
        cast.make_user("taken")
        response = sign_in(provider, client, "?redirect_url=/projects")
        assert response["Location"] == "/c/oidc/onboard" and not is_anybody(client)
        page = client.get("/c/oidc/onboard")
        assert page.status_code == 200 and 'value="alice"' in page.content.decode()
        assert client.post("/c/oidc/onboard", {"username": "taken"}).status_code == 422
        assert client.post("/c/oidc/onboard", {"username": "robot$x"}).status_code == 422
        assert not OidcAccount.objects.exists()
        values.set_values({"read_only": True})  # who can sign in then can do so for the first time, too
        response = client.post("/c/oidc/onboard", {"username": "liddell"})
        assert (response.status_code, response["Location"]) == (302, "/projects")
        assert OidcAccount.objects.get().user.username == "liddell"
        assert client.get("/c/oidc/onboard")["Location"] == "/account/sign-in"  # once

    def test_nobody_is_sent_elsewhere(self, provider: Provider, client: Client) -> None:
        for goal in ("//evil.test", "https://evil.test", "/\\evil.test", "/a%0d%0aSet-Cookie:x=y"):
            assert sign_in(provider, Client(), f"?redirect_url={goal}")["Location"] == "/"

    def test_extra_parameters_do_not_replace_ours(self, provider: Provider, client: Client) -> None:
        extra = '{"kc_idp_hint": "corporate", "redirect_uri": "https://evil.test", "state": "fixed"}'
        values.set_values({"oidc_extra_redirect_parms": extra})
        asked = parse_qs(urlsplit(depart(client)).query)
        assert asked["kc_idp_hint"] == ["corporate"]
        assert asked["redirect_uri"] == ["http://haven.test:8080/c/oidc/callback"] and asked["state"] != ["fixed"]

    def test_a_disabled_user_stays_out(self, provider: Provider, client: Client) -> None:
        sign_in(provider, Client())
        User.objects.filter(username="alice").update(is_active=False)
        assert sign_in(provider, client).status_code == 403
        assert not is_anybody(client)

    def test_the_page_offers_it_beside_name_and_password(self, provider: Provider, client: Client) -> None:
        page = client.get("/account/sign-in").content.decode()
        assert "Log in with Wonderland" in page and 'name="password"' in page
        form = {"username": "admin", "password": cast.PASSWORD}
        assert client.post("/account/sign-in", form).status_code == 302 and is_anybody(client)

    def test_only_in_its_mode(self, provider: Provider, client: Client) -> None:
        values.set_values({"auth_mode": "db_auth"})
        for path in ("login", "callback?state=x&code=y", "onboard"):
            assert client.get(f"/c/oidc/{path}").status_code == 412
        assert "Wonderland" not in client.get("/account/sign-in").content.decode()


class TestGroups:
    def test_roles_come_and_go_at_each_login(self, provider: Provider, client: Client) -> None:
        project = cast.make_project("private")
        team = Group.objects.create(name="team", type=Group.Type.OIDC)
        Member.objects.create(project=project, group=team, role=Role.DEVELOPER)
        provider.person["groups"] = ["team", "x') or 1=1--", 5, ""]
        sign_in(provider, client)
        user = User.objects.get(username="alice")
        assert allowed(user.actor, project) and not user.actor.is_admin
        provider.person["groups"] = "other"  # a claim may be a single word
        sign_in(provider, Client())
        assert not allowed(User.objects.get(username="alice").actor, project)
        del provider.person["groups"]
        sign_in(provider, Client())
        assert not user.memberships.exists()

    def test_only_those_that_pass_the_filter_and_the_administrators_anyway(self, provider: Provider) -> None:
        values.set_values({"oidc_group_filter": "^te"})
        sign_in(provider, Client())
        user = User.objects.get(username="alice")
        assert set(user.memberships.values_list("group__name", flat=True)) == {"team"}
        assert user.actor.is_admin
        provider.person["groups"] = ["team"]
        sign_in(provider, Client())
        assert not User.objects.get(username="alice").actor.is_admin

    def test_a_name_that_is_almost_a_groups_is_no_way_in(self, provider: Provider, client: Client) -> None:
        Group.objects.create(name="owners", type=Group.Type.OIDC)
        provider.person["groups"] = ["owners ", " owners", "team"]
        sign_in(provider, client)
        assert list(Group.objects.filter(memberships__user__username="alice").values_list("name", flat=True)) == [
            "team"
        ]

    def test_what_the_provider_tells_besides_is_newer(self, provider: Provider) -> None:
        provider.told_by_userinfo = {"sub": "subject-1", "groups": []}
        sign_in(provider, Client())
        assert not User.objects.get(username="alice").memberships.exists()


class TestTheWayOut:
    def test_the_providers_session_ends_too_where_so_configured(self, provider: Provider, client: Client) -> None:
        values.set_values({"oidc_logout": True})
        sign_in(provider, client)
        tokens = actions.tokens_of(OidcAccount.objects.get())
        response = client.post("/account/sign-out")
        assert response["Location"] == "/c/oidc/logout" and not is_anybody(client)
        page = client.get("/c/oidc/logout")
        assert page.status_code == 200
        target = page["Refresh"].partition("url=")[2]
        told = parse_qs(urlsplit(target).query)
        assert target.startswith(f"{provider.url}/logout?")
        assert tokens is not None and told["id_token_hint"] == [tokens.id_token]
        assert told["post_logout_redirect_uri"] == ["http://haven.test:8080/account/sign-in"]
        assert client.get("/c/oidc/logout")["Location"] == "/account/sign-in"

    def test_harbors_way_out(self, provider: Provider, client: Client) -> None:
        values.set_values({"oidc_logout": True})
        sign_in(provider, client)
        response = client.get("/c/log_out")
        assert (response.status_code, response.json()) == (
            403,
            {"redirect_location": "http://haven.test:8080/c/oidc/logout"},
        )

    def test_not_where_it_is_not_configured_nor_for_who_did_not_come_from_there(
        self, provider: Provider, client: Client
    ) -> None:
        sign_in(provider, client)
        assert client.post("/account/sign-out")["Location"] == "/account/sign-in"
        values.set_values({"oidc_logout": True})
        client.post("/account/sign-in", {"username": "admin", "password": cast.PASSWORD})
        assert client.post("/account/sign-out")["Location"] == "/account/sign-in"


class TestTheProvidersAddress:
    def test_it_is_tried(self, provider: Provider, first_admin: User) -> None:
        ask, path = caller(first_admin), "/system/oidc/ping"
        assert ask.post(path, {"url": provider.url, "verify_cert": True}).status_code == 200
        for url in ("http://127.0.0.1:1", "", "ftp://a", f"{provider.url}/nothing", "http://10.255.255.1"):
            response = ask.post(path, {"url": url, "verify_cert": True})
            assert (response.status_code, code(response)) == (400, "BAD_REQUEST"), url
        assert caller(None).post(path, {"url": provider.url}).status_code == 401

    def test_its_certificate_is_checked(self, provider: Provider, settings: Any, tmp_path: Any) -> None:
        authority = Authority(tmp_path)
        secure = Provider(authority.issue("127.0.0.1"))
        try:
            with pytest.raises(ours.ProviderAway, match="certificate"):
                ours.check(secure.url, verify_cert=True)
            ours.check(secure.url, verify_cert=False)
            settings.CA_FILE = str(authority.path)
            ours.check(secure.url, verify_cert=True)
        finally:
            secure.stop()

    def test_keys_that_were_turned_over_are_found(self, provider: Provider, client: Client) -> None:
        sign_in(provider, Client())
        ours.configured().keys_at -= 60
        before, provider.key = provider.key, RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
        try:
            provider.twist = lambda header, claims: header.update(kid="two")
            assert sign_in(provider, client).status_code == 302
        finally:
            provider.key = before


class TestWhatIsKeptElsewhere:
    def test_no_password_and_no_profile_of_ours(self, provider: Provider, client: Client, first_admin: User) -> None:
        sign_in(provider, client)
        alice = User.objects.get(username="alice")
        password = {"new_password": "Another-Horse-9", "old_password": "x"}
        profile = {"email": "new@haven.test", "realname": "New", "comment": ""}
        for path, body in ((f"/users/{alice.pk}/password", password), (f"/users/{alice.pk}", profile)):
            response = caller(first_admin).put(path, body)
            assert (response.status_code, code(response)) == (403, "FORBIDDEN")
        alice.refresh_from_db()
        assert not alice.has_usable_password() and alice.email == "alice@wonder.test"
        assert caller(first_admin).put(f"/users/{first_admin.pk}", profile).status_code == 200

    def test_nobody_is_made_here(self, provider: Provider, first_admin: User) -> None:
        body = {"username": "bob", "password": cast.PASSWORD, "email": "b@haven.test", "realname": "Bob"}
        assert caller(first_admin).post("/users", body).status_code == 403
        assert not User.objects.filter(username="bob").exists()

    def test_who_was_deleted_comes_back_as_a_stranger(
        self, provider: Provider, client: Client, first_admin: User
    ) -> None:
        sign_in(provider, client)
        before = User.objects.get(username="alice")
        project = cast.make_project("private")
        Member.objects.create(project=project, user=before, role=Role.PROJECT_ADMIN)
        assert caller(first_admin).delete(f"/users/{before.pk}").status_code == 200
        assert Caller(client=client).get("/users/current").status_code == 401
        provider.person["groups"] = []
        sign_in(provider, Client())
        after = User.objects.get(username="alice")
        assert after.pk != before.pk and not allowed(after.actor, project)

    def test_a_secret_for_docker_ends_what_docker_holds(self, provider: Provider, client: Client) -> None:
        sign_in(provider, client)
        alice = User.objects.get(username="alice")
        epoch = alice.auth_epoch
        actions.set_cli_secret(alice.actor, alice)
        assert User.objects.get(username="alice").auth_epoch == epoch + 1
