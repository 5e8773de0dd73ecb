"""How a client proves who it is: generators that are given requests and answers and say what to send next.

A flow yields the request to send and is sent the answer; when it returns, the last answer stands. Credentials go to
the registry's own origin and, for a token, to the realm it names if that is the same host or speaks https. They never
go along to where an answer merely points.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from registry import http
from registry.errors import Denied, RegistryError, Unauthorized, Unavailable, error_for

TOKEN_ANSWER = 256 * 1024
"""Bytes of a realm's answer that are read."""
EARLY = 10
"""Seconds before its end that a token is no longer used."""
SHORTEST = 60
"""Seconds that a token lives when the realm does not say (Docker's token specification)."""
LONGEST = 24 * 3600
"""Seconds that a token is kept at most, whatever the realm says."""

MOST_TOKENS = 1000
"""Tokens kept before those that have ended are looked for."""

Flow = Generator[http.Request, http.Response, None]

TOKEN = re.compile(r"[\x21-\x7e]{1,65536}")
_PARAMETER = re.compile(r'([a-zA-Z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', re.ASCII)


@dataclass(frozen=True, order=True)
class Need:
    """What a request needs: actions on a repository, or `registry:catalog:*`."""

    name: str
    actions: tuple[str, ...]
    type: str = "repository"

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


class Auth(Protocol):
    """Something that signs requests."""

    def flow(self, request: http.Request, needs: tuple[Need, ...]) -> Flow:
        """Yield what to send until the answer may stand."""
        ...


class NoAuth:
    """Sends requests as they are."""

    def flow(self, request: http.Request, needs: tuple[Need, ...]) -> Flow:
        yield request


class OwnTokens:
    """For the registry behind us: a token of our own making for each request, no questions asked."""

    def __init__(self, mint: Callable[[tuple[Need, ...]], str]) -> None:
        self.mint = mint

    def flow(self, request: http.Request, needs: tuple[Need, ...]) -> Flow:
        request.headers["Authorization"] = f"Bearer {self.mint(needs)}"
        yield request


@dataclass(frozen=True)
class Challenge:
    """What a registry's 401 asks for: the scheme (`basic`, `bearer`) and its parameters."""

    scheme: str
    parameters: dict[str, str]


def challenges(header: str) -> list[Challenge]:
    """The challenges of a WWW-Authenticate header (RFC 9110, 11.6.1); what cannot be read is left out."""
    found = []
    for part in re.split(r",\s*(?=[a-zA-Z]+\s+[a-zA-Z]+\s*=)", header[:8192]):
        scheme, _, rest = part.strip().partition(" ")
        values = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
        found.append(Challenge(scheme.lower(), values))
    return found


@dataclass
class _Token:
    value: str
    until: float
    challenge: Challenge
    """What it answers; so that the next one can be fetched before it is asked for."""

    @property
    def is_fresh(self) -> bool:
        return self.until > time.monotonic()


@dataclass
class Tokens:
    """What realms gave one account for one registry, by scope; several sessions may share it."""

    held: dict[tuple[Need, ...], _Token] = field(default_factory=dict, repr=False)
    challenge: Challenge | None = None
    """The registry's latest, so that a token for another scope can be fetched before it is asked for."""

    def keep(self, needs: tuple[Need, ...], token: _Token) -> _Token:
        """Hold `token`; those that have ended go when there are many."""
        if len(self.held) >= MOST_TOKENS:
            self.held = {each: kept for each, kept in self.held.copy().items() if kept.is_fresh}
        self.held[needs], self.challenge = token, token.challenge
        return token


@dataclass
class Credentials:
    """A user name and password for the registry at `base_url`; empty for anonymous access.

    Follows the registry's challenge: Basic, or Bearer with tokens that are kept by origin and scope until they end.
    """

    base_url: str
    session: http.Session
    username: str = ""
    password: str = field(default="", repr=False)
    tokens: Tokens = field(default_factory=Tokens, repr=False)

    def __post_init__(self) -> None:
        self._origin = http.origin(self.base_url)
        self._basic = False
        self._fetching = threading.Lock()

    def flow(self, request: http.Request, needs: tuple[Need, ...]) -> Flow:
        """Authorize `request`. A body that can be read once is sent once: its 401 stands."""
        if http.origin(request.url) != self._origin:
            yield request
            return
        needs = tuple(sorted(needs))
        held = self.tokens.held.get(needs)
        challenge = held.challenge if held else self.tokens.challenge
        if challenge is not None and not (held and held.is_fresh):
            held = self._ahead(challenge, needs, held)
        self._sign(request, needs)
        response = self._heeded((yield request), needs)
        if response.status_code != 401 or not _repeatable(request):
            return
        asked = {challenge.scheme: challenge for challenge in challenges(response.headers.get("WWW-Authenticate", ""))}
        response.close()
        if "bearer" in asked:
            self._renew(asked["bearer"], needs, held)
        elif "basic" in asked and self.username and "Authorization" not in request.headers:
            self._basic = True
        else:
            raise Unauthorized("the registry refuses these credentials")
        self._sign(request, needs)
        self._heeded((yield request), needs)

    def _heeded(self, response: http.Response, needs: tuple[Need, ...]) -> http.Response:
        """`response`; a token that was refused is not kept, as the account may be given its right before that ends."""
        if response.status_code == 403:
            self.tokens.held.pop(needs, None)
        return response

    def _ahead(self, challenge: Challenge, needs: tuple[Need, ...], held: _Token | None) -> _Token | None:
        """A token before it is asked for. Where none is given, the request goes without and draws a challenge anew."""
        try:
            return self._renew(challenge, needs, held)
        except RegistryError:
            self.tokens.challenge = None
            self.tokens.held.pop(needs, None)
            return None

    def _renew(self, challenge: Challenge, needs: tuple[Need, ...], held: _Token | None) -> _Token:
        """A token in the place of `held`; one is fetched, however many threads need it."""
        with self._fetching:
            token = self.tokens.held.get(needs)
            if token is None or token is held or not token.is_fresh:
                token = self.tokens.keep(needs, self._fetch(challenge, needs))
            return token

    def _sign(self, request: http.Request, needs: tuple[Need, ...]) -> None:
        request.headers.pop("Authorization", None)
        token = self.tokens.held.get(needs)
        if token is not None and token.is_fresh:
            request.headers["Authorization"] = f"Bearer {token.value}"
        elif self._basic:
            request.headers["Authorization"] = self._basic_header

    @property
    def _basic_header(self) -> str:
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def _fetch(self, challenge: Challenge, needs: tuple[Need, ...]) -> _Token:
        """A token from the realm. Raises Denied for a realm that may not see the credentials."""
        realm = challenge.parameters.get("realm", "")
        headers = {}
        if self.username:
            self._check_realm(realm)
            headers["Authorization"] = self._basic_header
        query = [("service", challenge.parameters["service"])] if "service" in challenge.parameters else []
        query += [("scope", str(need)) for need in needs]
        url = f"{realm}{'&' if '?' in realm else '?'}{urlencode(query)}"
        response = self.session.ask("GET", url, headers=headers)
        if response.status_code != 200:
            response.close()
            if response.status_code in (401, 403):
                raise Unauthorized("the registry's token service refuses these credentials")
            error = error_for(response.status_code, message="the registry's token service failed")
            error.retry_after = http.retry_after(response)
            raise error
        value, lifetime = _token(http.read_json(response, TOKEN_ANSWER))
        return _Token(value, time.monotonic() + max(lifetime - EARLY, 1), challenge)

    def _check_realm(self, realm: str) -> None:
        """The password may go to the registry's own host, or to whom it names if that is by https; never downgraded."""
        scheme, host, _ = http.origin(realm)
        if scheme == "https" or (scheme == "http" and (scheme, host) == self._origin[:2]):
            return
        raise Denied("the registry names a token service that may not see the password", {"realm": realm[:255]})


def _token(answer: object) -> tuple[str, int]:
    """The token in a realm's answer (`access_token` is its OAuth2 name), and the seconds that it lives."""
    if not isinstance(answer, dict):
        raise Unavailable("the token service's answer is not one")
    value = answer.get("token") or answer.get("access_token")
    if not isinstance(value, str) or not TOKEN.fullmatch(value):
        raise Unavailable("the token service's answer holds no token")
    lifetime = answer.get("expires_in")
    return value, min(lifetime, LONGEST) if isinstance(lifetime, int) and lifetime > 0 else SHORTEST


def _repeatable(request: http.Request) -> bool:
    return not request.data or isinstance(request.data, bytes)
