"""The one HTTP session that speaks to anything outside this process.

Whatever address a person, a configuration or a foreign server gave us ends here, so here is the guard:

* http and https only, and such unix sockets (`http+unix://%2Frun%2Fregistry.sock`) as the list names;
* the addresses behind a name are judged when the connection is made, and the connection goes to the judged address,
  so a name cannot change between look and leap;
* redirects are never followed by themselves, cookies never kept, environment and netrc never read;
* every request has time limits, every body that is read into memory has a size limit, nothing is decompressed.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from registry.errors import Blocked, TooLarge, Unavailable

Request = requests.Request
Response = requests.Response
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
WHOLE_BODY_TIMEOUT = 60.0
"""Seconds for a body that is read into memory: a server that drips must not hold us."""
CHUNK = 1024 * 1024
ERROR_BODY = 64 * 1024
UNIX = "http+unix"

EMBEDDING = tuple(
    ipaddress.ip_network(network)
    for network in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10")
)
"""IPv6 networks whose addresses stand for IPv4 ones, or for a site's own."""


@dataclass(frozen=True)
class Guard:
    """Decides which addresses may be called: all public ones, and those on the list.

    An entry of the list is a host name, an address, a network (`10.0.0.0/8`) or the path of a unix socket; names
    and paths match exactly.
    """

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()
    sockets: frozenset[str] = frozenset()
    resolve: Callable[..., list[Any]] = socket.getaddrinfo

    @classmethod
    def allowing(cls, entries: Iterable[str]) -> Guard:
        entries = [entry.strip() for entry in entries]
        sockets = {entry for entry in entries if entry.startswith("/")}
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.add(_plain(entry))
        return cls(frozenset(hosts - sockets), tuple(networks), frozenset(sockets))

    def addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """The addresses behind `host`, if every single one may be called. Raises Blocked; OSError if there is none."""
        found = self.resolve(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys((str(entry[4][0]), int(entry[4][1])) for entry in found))
        if _plain(host) not in self.hosts:
            for address, _ in addresses:
                if not self._may_call(ipaddress.ip_address(address.partition("%")[0])):
                    raise Blocked()
        return addresses

    def check_url(self, url: str) -> None:
        """Refuse a URL that could not be called anyway. Raises Blocked, or Unavailable if the name is unknown."""
        parts = _split(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise Blocked("only plain http and https addresses can be called")
        try:
            self.addresses(parts.hostname, port_of(parts))
        except (OSError, UnicodeError) as error:
            raise Unavailable("the host's name is not known") from error

    def _may_call(self, address: Address) -> bool:
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        if address.is_multicast or address.is_reserved or not address.is_global:
            return False
        return not any(address in network for network in EMBEDDING if network.version == address.version)


class Session(requests.Session):
    """A `requests.Session` that cannot be talked into anything; see the module. Errors are `registry.errors`."""

    def __init__(self, guard: Guard, verify: bool | str, timeout: tuple[float, float]) -> None:
        super().__init__()
        self.guard = guard
        self.trust_env = False
        self.verify = verify
        self.timeout = timeout
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers = requests.structures.CaseInsensitiveDict({"User-Agent": "haven", "Accept-Encoding": "identity"})
        self.adapters.clear()
        self.mount("https://", _GuardedAdapter(guard))
        self.mount("http://", _GuardedAdapter(guard))
        self.mount(f"{UNIX}://", _UnixAdapter(guard))

    def prepare_request(self, request: Request) -> requests.PreparedRequest:
        """The request, ready to be sent. Raises Blocked for a URL that is none, or that carries credentials."""
        try:
            prepared = super().prepare_request(request)
        except (requests.RequestException, ValueError) as error:
            raise Blocked("this is not an address that can be called") from error
        if "@" in _split(prepared.url or "").netloc:
            raise Blocked("an address may not carry credentials")
        return prepared

    def send(self, request: requests.PreparedRequest, **options: Any) -> Response:
        """The answer, its body unread. Raises Unavailable when there is none, Blocked when there may be none."""
        options["allow_redirects"] = False
        options["stream"] = True
        options["verify"] = self.verify
        if options.get("timeout") is None:
            options["timeout"] = self.timeout
        try:
            try:
                return super().send(request, **options)
            except requests.ConnectionError as error:
                # A kept connection that the server has closed meanwhile; a read can simply be asked again.
                if isinstance(error, requests.Timeout) or request.method not in ("GET", "HEAD"):
                    raise
                return super().send(request, **options)
        except requests.Timeout as error:
            raise Unavailable("the server did not answer in time") from error
        except requests.exceptions.SSLError as error:
            raise Unavailable("the server's certificate is not trusted, or its TLS is broken") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise Unavailable("the server cannot be reached") from error

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: Any = None, **options: Any
    ) -> Response:
        """Send a request without more ado; the answer's body is unread."""
        return self.send(self.prepare_request(Request(method, url, headers=dict(headers or {}), data=data)), **options)


def session(
    *,
    allow: Iterable[str] = (),
    verify: bool | str = True,
    timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
) -> Session:
    """A guarded session. `allow` lists private hosts and networks that may be called all the same.

    `verify` is whether certificates are checked, or the file of authorities to check them by; `timeout` the seconds
    for connecting and for each read.
    """
    return Session(Guard.allowing(allow), verify, timeout)


def session_to(base_url: str, *, timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT)) -> Session:
    """A session for an address that the operator configured: its own host or socket may be called, wherever it is."""
    parts = _split(base_url)
    return session(allow=[unquote(parts.netloc) if parts.scheme == UNIX else parts.hostname or ""], timeout=timeout)


def read(response: Response, limit: int) -> bytes:
    """The whole body, at most `limit` bytes of it. Raises TooLarge beyond that, Unavailable when it breaks off."""
    give_up = time.monotonic() + WHOLE_BODY_TIMEOUT
    content = bytearray()
    with response:
        for chunk in stream(response, min(CHUNK, limit + 1)):
            content += chunk
            if len(content) > limit:
                raise TooLarge("the server's answer is too large")
            if time.monotonic() > give_up:
                raise Unavailable("the server did not answer in time")
    return bytes(content)


def read_json(response: Response, limit: int) -> Any:
    """The body as JSON, at most `limit` bytes of it. Raises Unavailable where it is none."""
    try:
        return json.loads(read(response, limit))
    except (ValueError, RecursionError) as error:
        raise Unavailable("the server's answer is not JSON") from error


def stream(response: Response, size: int = CHUNK) -> Iterator[bytes]:
    """The body's bytes as they come, never decompressed. Raises Unavailable when it breaks off."""
    try:
        if hasattr(response.raw, "stream"):
            yield from response.raw.stream(size, decode_content=False)
        else:
            while chunk := response.raw.read(size):
                yield chunk
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable("the server's answer broke off") from error


@contextmanager
def closing(response: Response) -> Iterator[Response]:
    """The response, closed at the end; a short rest of its body is read, so that the connection can be used again."""
    try:
        yield response
        length = response.headers.get("Content-Length", "0")
        if not response.raw.closed and length.isdecimal() and int(length) <= ERROR_BODY:
            for _ in stream(response, ERROR_BODY):
                break
    finally:
        response.close()


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what must be equal for a credential to go along."""
    parts = _split(url)
    return parts.scheme, _plain(parts.hostname or ""), port_of(parts)


def port_of(parts: SplitResult) -> int:
    """The port of a URL, the scheme's own where none is given."""
    try:
        return parts.port or {"https": 443}.get(parts.scheme, 80)
    except ValueError as error:
        raise Blocked("this is not an address that can be called") from error


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise Blocked("this is not an address that can be called") from error


def _plain(host: str) -> str:
    return host.casefold().rstrip(".")


class _GuardedAdapter(HTTPAdapter):
    """Connects to addresses that the guard has judged."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        super().__init__(pool_maxsize=32)

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        super().init_poolmanager(*sizes, **options)
        guard = self.guard

        def connect(connection: Any) -> socket.socket:
            return _connect(connection, guard)

        plain = type("GuardedConnection", (HTTPConnection,), {"_new_conn": connect})
        secure = type("GuardedTLSConnection", (HTTPSConnection,), {"_new_conn": connect})
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("GuardedPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("GuardedTLSPool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }


def _connect(connection: Any, guard: Guard) -> socket.socket:
    """A socket to the first judged address that answers. Errors are those of urllib3's own `_new_conn`."""
    failure: OSError = OSError("no address")
    try:
        for address in guard.addresses(connection._dns_host, connection.port):
            try:
                return create_connection(address, connection.timeout, socket_options=connection.socket_options)
            except OSError as error:
                failure = error
    except (OSError, UnicodeError) as error:
        raise urllib3.exceptions.NameResolutionError(
            connection.host, connection, socket.gaierror(str(error))
        ) from error
    if isinstance(failure, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(connection, "timed out") from failure
    raise urllib3.exceptions.NewConnectionError(connection, "cannot connect") from failure


class _UnixConnection(HTTPConnection):
    """HTTP over a unix socket."""

    path: str

    def _new_conn(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            timeout = self.timeout
            connection.settimeout(timeout if isinstance(timeout, float | int) else CONNECT_TIMEOUT)
            connection.connect(self.path)
        except OSError as error:
            connection.close()
            raise urllib3.exceptions.NewConnectionError(self, "cannot connect") from error
        return connection


class _UnixAdapter(HTTPAdapter):
    """Reaches `http+unix://<path with %2F>/...`; one pool for each socket."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        super().__init__()

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        path = unquote(urlsplit(request.url).netloc)
        if path not in self.guard.sockets:
            raise Blocked()
        if path not in self._pools:
            pool = urllib3.HTTPConnectionPool("localhost", maxsize=32)
            pool.ConnectionCls = type("UnixConnection", (_UnixConnection,), {"path": path})
            self._pools[path] = pool
        return self._pools[path]

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        super().close()
