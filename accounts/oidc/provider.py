"""What is asked of the provider: its discovery document, its keys, tokens for a code, what it says about a person.

OpenID Connect Core 1.0 and Discovery 1.0. Every request goes through the guarded session; no answer is read beyond a
megabyte. A token is believed only by a signature of the provider's own published keys.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from authlib.oidc.core import CodeIDToken
from django.conf import settings as django_settings
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from accounts.errors import Unauthenticated, Unavailable
from accounts.oidc.settings import Settings
from accounts.turns import Full, Turns
from registry import errors, http

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: never `none`, never one by a secret that we know as well."""
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")
LARGEST = 1024 * 1024
TIMEOUT = (5.0, 10.0)
KNOWN = 300.0
"""Seconds for which discovery and keys are believed without asking again."""
AGAIN = 10.0
"""Seconds between two questions for keys that we do not know: rotation is noticed, and nobody makes us ask for ever."""
PAUSE = 3.0
"""Seconds for which it is left alone after it did not tell what it publishes: anybody with a token makes us ask."""
LEEWAY = 60


class ProviderAway(Unavailable):
    """The provider cannot be asked, or answers what it must not; the message says why."""

    default_message = "the OpenID Connect provider does not answer"


class ProviderBusy(ProviderAway):
    """Others ask it now, and wait for long."""


class NotProven(Unauthenticated):
    """What came from the provider, or pretends to, proves nobody's identity."""

    default_message = "the login at the provider could not be verified"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a code was worth. `expires_in` in seconds."""

    access_token: str
    id_token: str
    refresh_token: str
    expires_in: int


class Provider:
    """One provider, as its discovery document describes it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.session = _session(settings.verify_cert)
        self.metadata = self._discover()
        self.asked_at = time.monotonic()
        self.keys_at = 0.0
        self.keys = KeySet([])
        self.away_until = 0.0

    @property
    def issuer(self) -> str:
        return str(self.metadata["issuer"])

    def address(self, name: str) -> str:
        """An endpoint of the provider; empty where it has none."""
        return str(self.metadata.get(name) or "")

    def exchange(self, code: str, verifier: str) -> Tokens:
        """The tokens for a code, which works once. Raises NotProven where it does not."""
        form = {"grant_type": "authorization_code", "code": code, "code_verifier": verifier}
        return self._tokens({**form, "redirect_uri": self.settings.redirect_uri})

    def refresh(self, refresh_token: str) -> Tokens:
        """New tokens for old. Raises NotProven once the provider no longer gives any."""
        return self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def verified(self, tokens: Tokens, nonce: str = "") -> dict[str, Any]:
        """The claims of an ID token that this provider signed for us, now, and for this very login. Else NotProven."""
        try:
            token = self._decoded(tokens.id_token)
            options = {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self.settings.client_id},
                "sub": {"essential": True},
            }
            facts = {"nonce": nonce, "client_id": self.settings.client_id, "access_token": tokens.access_token}
            claims = CodeIDToken(token.claims, token.header, options, facts)
            claims.validate(leeway=LEEWAY)
        except (JoseError, ValueError, TypeError, LookupError) as error:
            raise NotProven() from error
        if not 0 < len(claims["sub"]) <= 255:
            raise NotProven("the provider names nobody")
        return dict(claims)

    def userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider tells about `subject` beside the ID token; nothing where it does not tell.

        Raises NotProven where it tells of somebody else.
        """
        url = self.address("userinfo_endpoint")
        if not url or not access_token:
            return {}
        try:
            status, told = self._ask("GET", url, {"Authorization": f"Bearer {access_token}"})
        except ProviderAway:
            return {}
        if status != 200:
            return {}
        if told.get("sub") != subject:
            raise NotProven("the provider tells of another person than the one who signed in")
        return told

    def _discover(self) -> dict[str, Any]:
        endpoint = self.settings.endpoint.rstrip("/")
        if not endpoint:
            raise ProviderAway("no OpenID Connect provider is configured")
        status, told = self._ask("GET", f"{endpoint}/.well-known/openid-configuration")
        if status != 200:
            raise ProviderAway("there is no discovery document at this address")
        if str(told.get("issuer", "")).rstrip("/") != endpoint:
            raise ProviderAway("the discovery document is another issuer's")
        for name in NEEDED:
            if not told.get(name):
                raise ProviderAway(f"the discovery document lacks {name}")
        for name in (*NEEDED, *OPTIONAL):
            if told.get(name) and not _is_as_safe(str(told[name]), endpoint):
                raise ProviderAway(f"the discovery document's {name} is no address, or less safe than the provider's")
        return told

    def _decoded(self, token: str) -> jwt.Token:
        if time.monotonic() - self.keys_at > KNOWN:
            self._renew_keys()
        try:
            return jwt.decode(token, self.keys, algorithms=ALGORITHMS)
        except InvalidKeyIdError:
            if time.monotonic() - self.keys_at < AGAIN:
                raise
        self._renew_keys()  # it may have turned its keys over
        return jwt.decode(token, self.keys, algorithms=ALGORITHMS)

    def _renew_keys(self) -> None:
        if time.monotonic() < self.away_until:
            raise ProviderAway
        try:
            self._fetch_keys()
        except ProviderBusy:
            raise
        except ProviderAway:
            self.away_until = time.monotonic() + PAUSE
            raise

    def _fetch_keys(self) -> None:
        status, told = self._ask("GET", self.address("jwks_uri"))
        published = told.get("keys")
        if status != 200 or not isinstance(published, list):
            raise ProviderAway("the provider does not publish its keys")
        public = [key for key in published if isinstance(key, dict) and key.get("kty") in ("RSA", "EC", "OKP")]
        try:
            self.keys = KeySet.import_key_set({"keys": [key for key in public if key.get("use", "sig") == "sig"]})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderAway("the provider's keys cannot be read") from error
        self.keys_at = time.monotonic()

    def _tokens(self, form: Mapping[str, str]) -> Tokens:
        settings, sent = self.settings, dict(form)
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        ways = self.metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if settings.client_secret and "client_secret_basic" in ways:
            pair = f"{quote(settings.client_id, safe='')}:{quote(settings.client_secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            sent |= {"client_id": settings.client_id}
            sent |= {"client_secret": settings.client_secret} if settings.client_secret else {}
        status, told = self._ask("POST", self.address("token_endpoint"), headers, urlencode(sent))
        if status in (400, 401, 403) and told.get("error") == "invalid_grant":
            raise NotProven("the provider does not accept this login any more")
        if status != 200 or not isinstance(told.get("access_token"), str):
            raise ProviderAway("the provider gives no token: its client id or secret may be wrong")
        expires_in = told.get("expires_in")
        return Tokens(
            access_token=told["access_token"],
            id_token=str(told.get("id_token") or ""),
            refresh_token=str(told.get("refresh_token") or ""),
            expires_in=expires_in if isinstance(expires_in, int) and 0 < expires_in <= 366 * 86400 else 3600,
        )

    def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: str | None = None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Accept": "application/json", **(headers or {})}
        try:
            with _turns.taken():
                answer = self.session.ask(method, url, headers=headers, data=body)
                told = http.read_json(answer, LARGEST) if answer.status_code < 500 else None
        except Full:
            raise ProviderBusy from None
        except errors.RegistryError as error:
            raise ProviderAway(f"the OpenID Connect provider: {error.message}") from error
        if not isinstance(told, dict):
            raise ProviderAway()
        return answer.status_code, told


_known: dict[str, Provider] = {}
_away: dict[str, tuple[float, str]] = {}
_lock = threading.Lock()
_turns = Turns()


def configured() -> Provider:
    """The provider of the configuration; what it published is believed for some minutes. Raises ProviderAway."""
    settings = Settings.configured()
    key = repr(settings) + settings.client_secret
    if (found := _remembered(key)) is not None:
        return found
    try:
        made = Provider(settings)
    except ProviderBusy:
        raise
    except ProviderAway as error:
        with _lock:
            _away.clear()
            _away[key] = time.monotonic() + PAUSE, error.message
        raise
    with _lock:
        _known.clear()
        _known[key] = made
    return made


def _remembered(key: str) -> Provider | None:
    with _lock:
        found = _known.get(key)
        until, reason = _away.get(key, (0.0, ""))
    if found is not None and time.monotonic() - found.asked_at < KNOWN:
        return found
    if time.monotonic() < until:
        raise ProviderAway(reason)
    return None


def forget() -> None:
    """Ask the provider again for what it publishes."""
    with _lock:
        _known.clear()
        _away.clear()


def check(endpoint: str, verify_cert: bool) -> None:
    """Return if there is a provider at this address; raise ProviderAway with the reason if not."""
    Provider(Settings(endpoint=endpoint, verify_cert=verify_cert))


def _session(verify_cert: bool) -> http.Session:
    verify: bool | str = (django_settings.CA_FILE or True) if verify_cert else False
    return http.session(allow=django_settings.ALLOWED_NETWORKS, verify=verify, timeout=TIMEOUT)


def _is_as_safe(url: str, endpoint: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and urlsplit(endpoint).scheme == "http")
