"""One server on loopback that stands in for vendors: by TLS, under their own hosts' names, a table of routes for each.

A vendor's table is written from its documentation: it checks what a call brings and answers as documented. The adapter
and its session are the real ones; only names resolve to here.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from registry import http
from registry.guard import Guard
from replication.adapters.base import Access, Adapter
from tests.serving import Received, Reply, serving
from tests.stack.tls import Authority

Answer = tuple[int, Any] | tuple[int, Any, dict[str, str]]
"""Status, document (or bytes), headers."""
LOOPBACK = ip_network("127.0.0.0/8")


@dataclass(frozen=True)
class Call:
    """A request as it came over the wire."""

    method: str
    host: str
    path: str
    raw_query: str
    headers: dict[str, str]
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def is_basic(self, username: str, password: str) -> bool:
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        return self.headers.get("authorization") == f"Basic {pair}"

    def bears(self, token: str) -> bool:
        return self.headers.get("authorization") == f"Bearer {token}"


Route = Callable[[Call], Answer]


@dataclass
class Vendor:
    """Routes by `GET host/path`; those of `below` by the beginning. What no route knows or expects is `unexpected`."""

    routes: dict[str, Route] = field(default_factory=dict)
    below: dict[str, Route] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    """What tokens were asked for."""
    port: int = 0
    authorities: str = ""
    allow: bool = True
    """Whether loopback is on the list of private networks that may be called."""

    def adapter(self, kind: type[Adapter], url: str, username: str = "", secret: str = "") -> Any:
        """A real adapter over a real session, for which every host is this server."""
        self.secrets += [secret] if secret else []
        guard = Guard(networks=(LOOPBACK,) if self.allow else (), resolve=self._resolve)
        session = http.Session(guard, True, (5, 10), self.authorities)
        return kind(Access(url, session, username, secret))

    def _resolve(self, host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self.port))]

    def called(self, method: str, where: str = "") -> list[Call]:
        """The calls of this method to where the address begins so."""
        return [call for call in self.calls if call.method == method and f"{call.host}{call.path}".startswith(where)]

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        key = f"{call.method} {call.host}{call.path}"
        longer = (route for beginning, route in self.below.items() if key.startswith(beginning))
        route = self.routes.get(key) or next(longer, None)
        try:
            assert route, "no such route"
            return route(call)
        except (AssertionError, LookupError, ValueError) as error:
            self.unexpected.append(f"{key}?{call.raw_query}: {error!r}")
            return 501, {}

    def registry(
        self,
        host: str,
        login: Callable[[], tuple[str, str]],
        *,
        realm: str = "",
        service: str = "registry",
        tags: dict[str, list[str]] | None = None,
        catalog: list[str] | None = None,
    ) -> None:
        """The v2 API at `host`, for that user name and password: by Basic, or by tokens of `realm` (`host/path`)."""

        def challenge() -> Answer:
            asked = f'Bearer realm="https://{realm}",service="{service}"' if realm else 'Basic realm="registry"'
            return 401, {"errors": [{"code": "UNAUTHORIZED"}]}, {"WWW-Authenticate": asked}

        def token(call: Call) -> Answer:
            if not call.is_basic(*login()):
                return 401, {"details": "incorrect username or password"}
            asked = dict(parse_qsl(call.raw_query))
            assert asked.get("service") == service
            self.scopes.append(asked.get("scope", ""))
            return 200, {"token": f"for-{asked.get('scope', '')}"}

        def v2(call: Call) -> Answer:
            let_in = (
                call.headers.get("authorization", "").startswith("Bearer for-") if realm else call.is_basic(*login())
            )
            if not let_in:
                return challenge()
            return _v2(call, tags or {}, catalog)

        self.below[f"GET {host}/v2/"] = v2
        if realm:
            self.routes[f"GET {realm}"] = token


def _v2(call: Call, tags: dict[str, list[str]], catalog: list[str] | None) -> Answer:
    """What a registry answers to those that it lets in."""
    name = call.path.removeprefix("/v2/").removesuffix("/tags/list")
    if call.path == "/v2/":
        return 200, {}
    if call.path == "/v2/_catalog" and catalog is not None:
        return _paged(call, "repositories", catalog)
    if call.path.endswith("/tags/list") and name in tags:
        return _paged(call, "tags", tags[name])
    return 404, {"errors": [{"code": "NAME_UNKNOWN"}]}


def _paged(call: Call, kind: str, entries: list[str]) -> Answer:
    """Two entries at a time, the next page by a link (OCI distribution specification)."""
    rest = [entry for entry in entries if entry > call.query.get("last", "")]
    link = {"Link": f'<{call.path}?n=2&last={rest[1]}>; rel="next"'} if len(rest) > 2 else {}
    return 200, {kind: rest[:2]}, link


@contextmanager
def standing_in(authority: Authority, certificate: tuple[Path, Path]) -> Iterator[Vendor]:
    """A vendor for the length of a test."""
    vendor = Vendor(authorities=authority.path.read_text())
    with serving(lambda received: _reply(vendor, received), certificate) as vendor.port:
        yield vendor


def _reply(vendor: Vendor, received: Received) -> Reply:
    parts = urlsplit(received.target)
    headers = {name.lower(): value for name, value in received.headers.items()}
    call = Call(received.method, headers.get("host", ""), parts.path, parts.query, headers, received.body)
    status, document, *more = vendor.answer(call)
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return status, more[0] if more else {}, b"" if status == 204 else content
