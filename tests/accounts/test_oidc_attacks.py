"""What must not sign anybody in: words of another login, tokens of another signer, answers of another provider."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from joserfc.jwk import RSAKey

from accounts import actions
from accounts.models import OidcAccount, User
from accounts.oidc import provider as ours
from audit.models import Entry
from tests.accounts.browsing import come_back, depart, is_anybody, sign_in
from tests.api.calling import Caller
from tests.oidc import CLIENT, SECRET, Provider, signed_by, signed_by_secret, unsigned

pytestmark = pytest.mark.django_db


class TestAttacks:
    def refused(self, response: Any, client: Client, status: int = 401) -> None:
        assert response.status_code == status, response.content
        assert response["Content-Type"].startswith("text/html")
        assert not is_anybody(client) and not OidcAccount.objects.exists()

    def test_another_state_none_or_a_used_one(self, provider: Provider, client: Client) -> None:
        back = provider.browse(depart(client))
        state = parse_qs(urlsplit(back).query)["state"][0]
        self.refused(come_back(client, back.replace(state, "x" * 43)), client)
        self.refused(come_back(client, back), client)  # the first try used it up
        self.refused(client.get("/c/oidc/callback?code=x"), client)

    def test_a_login_that_began_in_another_browser(self, provider: Provider, client: Client) -> None:
        back = provider.browse(depart(Client()))
        self.refused(come_back(client, back), client)
        depart(client)
        self.refused(come_back(client, back), client)

    def test_a_code_that_was_used(self, provider: Provider, client: Client) -> None:
        back = provider.browse(depart(client))
        provider.codes.clear()
        self.refused(come_back(client, back), client)

    def test_a_code_of_another_login(self, provider: Provider, client: Client) -> None:
        stolen = parse_qs(urlsplit(provider.browse(depart(Client()))).query)["code"][0]
        back = provider.browse(depart(client))
        mine = parse_qs(urlsplit(back).query)["code"][0]
        self.refused(come_back(client, back.replace(mine, stolen)), client)

    @pytest.mark.parametrize(
        "changes",
        [
            {"nonce": "x" * 43},
            {"nonce": None},
            {"iss": "https://evil.test"},
            {"aud": "somebody-else"},
            {"aud": [CLIENT, "somebody-else"]},
            {"azp": "somebody-else"},
            {"exp": 1},
            {"exp": None},
            {"iat": 9_999_999_999},
            {"sub": ""},
            {"sub": None},
            {"sub": "x" * 300},
            {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
        ],
        ids=str,
    )
    def test_a_token_that_is_not_for_this_login(
        self, provider: Provider, client: Client, changes: dict[str, Any]
    ) -> None:
        def twist(header: dict[str, Any], claims: dict[str, Any]) -> None:
            for name, value in changes.items():
                claims.pop(name, None)
                claims |= {} if value is None else {name: value}

        provider.twist = twist
        self.refused(sign_in(provider, client), client)

    def test_a_token_that_the_provider_did_not_sign(self, provider: Provider, client: Client) -> None:
        stranger = RSAKey.generate_key(2048, {"kid": "one"})
        public = provider.key.as_pem(private=False)
        for forge in (
            unsigned,
            lambda header, claims: signed_by_secret(header, claims, SECRET.encode()),
            lambda header, claims: signed_by_secret(header, claims, public),
            lambda header, claims: signed_by(stranger, header, claims),
            lambda header, claims: signed_by(stranger, {**header, "kid": "two"}, claims),
            lambda header, claims: signed_by(stranger, {**header, "jwk": stranger.as_dict(private=False)}, claims),
            lambda header, claims: "not.a.token",
            lambda header, claims: "",
        ):
            provider.twist = forge
            self.refused(sign_in(provider, client), client)

    def test_userinfo_about_another_person(self, provider: Provider, client: Client) -> None:
        provider.told_by_userinfo = {**provider.person, "sub": "subject-2"}
        self.refused(sign_in(provider, client), client)

    def test_an_answer_of_another_provider(self, provider: Provider, client: Client) -> None:
        issuer = f"iss={provider.issuer.replace(':', '%3A').replace('/', '%2F')}"
        for other in ("iss=https%3A%2F%2Fevil.test", "", "iss="):
            back = provider.browse(depart(client))
            assert issuer in back
            self.refused(come_back(client, back.replace(issuer, other)), client)
        assert provider.asked.count("/token") == 0  # the code went to nobody

    def test_the_provider_says_no(self, provider: Provider, client: Client) -> None:
        back = provider.browse(depart(client))
        state = parse_qs(urlsplit(back).query)["state"][0]
        answer = f"/c/oidc/callback?error=access_denied&error_description=<script>&state={state}&iss={provider.issuer}"
        response = client.get(answer)
        self.refused(response, client)
        assert b"<script>" not in response.content.partition(b"</head>")[2]

    def test_a_discovery_document_that_is_none(self, provider: Provider, client: Client) -> None:
        for wrong in ({"issuer": "https://evil.test"}, {"token_endpoint": ""}, {"jwks_uri": "file:///etc/passwd"}):
            provider.metadata = wrong
            ours.forget()
            self.refused(client.get("/c/oidc/login"), client, 503)

    def test_no_answer_at_all(self, provider: Provider, client: Client, settings: Any) -> None:
        provider.away = True
        self.refused(client.get("/c/oidc/login"), client, 503)
        settings.ALLOWED_NETWORKS = []
        provider.away = False
        ours.forget()
        self.refused(client.get("/c/oidc/login"), client, 503)
        assert "/authorize" not in provider.asked

    def test_nobody_makes_us_ask_a_provider_that_is_away_again_and_again(self, provider: Provider) -> None:
        token = provider.tokens("")["id_token"]
        provider.away = True
        for _ in range(5):
            assert Caller().get("/users/current", Authorization=f"Bearer {token}").status_code == 503
        assert provider.asked == ["/.well-known/openid-configuration"]
        provider.away = False
        ours.forget()
        ours.configured()
        provider.away = True
        for _ in range(5):
            assert Caller().get("/users/current", Authorization=f"Bearer {token}").status_code == 503
        assert provider.asked.count("/keys") == 1

    def test_nothing_secret_is_told_or_kept_in_the_open(self, provider: Provider, client: Client) -> None:
        sign_in(provider, client)
        account = OidcAccount.objects.get()
        tokens = actions.tokens_of(account)
        assert tokens is not None and tokens.refresh_token in provider.refresh_tokens
        secrets = (SECRET, tokens.refresh_token, tokens.access_token, tokens.id_token)
        rows = [*Entry.objects.values(), *OidcAccount.objects.values(), *User.objects.values()]
        rows += [dict(client.session)]
        assert not [row for row in rows for secret in secrets if secret in str(row)]
