"""One login by a browser: sent to the provider with words that only it and this session know, and back with a code.

State ties the way back to the session, the nonce ties the ID token to the login, PKCE (RFC 7636) ties the code to us,
the issuer (RFC 9207) ties the answer to the provider that was asked. Each works once.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.client import OAuth2Client

from accounts.oidc.provider import NotProven, Provider, Tokens
from accounts.oidc.settings import Settings

PATIENCE = 600
"""Seconds that somebody may take at the provider."""
OURS = frozenset(
    {"client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri", "request", "request_uri"}
    | {"response_mode", "response_type", "scope", "state"}
)
"""Parameters that extra ones of the configuration do not replace."""
GOOGLE = "https://accounts.google.com"
LONGEST = 255


@dataclass(frozen=True, slots=True)
class Claimed:
    """Who the provider says this is. `groups` are those that pass the filter; `username` may be empty."""

    issuer: str
    subject: str
    username: str
    realname: str
    email: str
    groups: tuple[str, ...]
    admin: bool


@dataclass(frozen=True, slots=True)
class Login:
    """A person who signed in at the provider, and the provider's tokens for them."""

    person: Claimed
    tokens: Tokens


def begin(provider: Provider) -> tuple[str, dict[str, Any]]:
    """Where to send the browser, and what its session has to keep until it is back."""
    settings = provider.settings
    kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    target = provider.address("authorization_endpoint")
    extra = {name: text for name, text in settings.extra_redirect_parms.items() if name not in OURS}
    scopes = settings.scopes
    if target.startswith(GOOGLE):  # it knows no such scope, and gives a refresh token for these two words
        scopes = " ".join(word for word in scopes.split() if word != "offline_access")
        extra |= {"access_type": "offline", "prompt": "consent"}
    client = OAuth2Client(
        None,
        client_id=settings.client_id,
        scope=scopes,
        redirect_uri=settings.redirect_uri,
        code_challenge_method="S256",
    )
    url, _ = client.create_authorization_url(
        target, state=kept["state"], code_verifier=kept["verifier"], nonce=kept["nonce"], **extra
    )
    return url, {**kept, "issuer": provider.issuer, "at": int(time.time())}


def finish(provider: Provider, kept: Mapping[str, Any] | None, answer: Mapping[str, str]) -> Login:
    """Who came back, with what their session kept and what the provider's answer says. Raises NotProven."""
    if not kept or not hmac.compare_digest(str(kept["state"]).encode(), answer.get("state", "").encode()):
        raise NotProven("this login did not begin in this browser, or was used already")
    if time.time() - kept["at"] > PATIENCE:
        raise NotProven("this login took too long, begin again")
    _check_issuer(provider, kept, answer)
    if answer.get("error"):
        raise NotProven("the provider refused the login")
    if not answer.get("code"):
        raise NotProven()
    tokens = provider.exchange(answer["code"], kept["verifier"])
    claims = provider.verified(tokens, nonce=kept["nonce"])
    return Login(person_of(provider, claims, tokens.access_token), tokens)


def person_of(provider: Provider, claims: Mapping[str, Any], access_token: str) -> Claimed:
    """The person of verified claims, with what the provider tells besides; that is newer, so it comes first."""
    settings = provider.settings
    told = provider.userinfo(access_token, claims["sub"])
    both = {**claims, **told}
    groups = _groups(told if settings.groups_claim in told else claims, settings)
    return Claimed(
        issuer=provider.issuer,
        subject=claims["sub"],
        username=_text(both, settings.user_claim or "name").replace(" ", "_"),
        realname=_text(both, "name"),
        email="" if both.get("email_verified") is False else _text(both, "email"),
        groups=tuple(group for group in groups if settings.keeps(group)),
        admin=bool(settings.admin_group) and settings.admin_group in groups,
    )


def _check_issuer(provider: Provider, kept: Mapping[str, Any], answer: Mapping[str, str]) -> None:
    named = answer.get("iss", "")
    promised = provider.metadata.get("authorization_response_iss_parameter_supported") is True
    if kept["issuer"] != provider.issuer or (named or promised) and named != provider.issuer:
        raise NotProven("the answer is another provider's")


def _groups(claims: Mapping[str, Any], settings: Settings) -> list[str]:
    found = claims.get(settings.groups_claim) if settings.groups_claim else None
    named = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return [group for group in named if isinstance(group, str) and 0 < len(group) <= LONGEST]


def _text(claims: Mapping[str, Any], name: str) -> str:
    found = claims.get(name)
    return found.strip()[:LONGEST] if isinstance(found, str) else ""
