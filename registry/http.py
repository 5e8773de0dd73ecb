"""The one HTTP session that speaks to anything outside this process.

Whatever address a person, a configuration or a foreign server gave us ends here, so here is the guard:

* http and https only, and such unix sockets (`http+unix://%2Frun%2Fregistry.sock`) as the list names;
* the addresses behind a name are judged when the connection is made, and the connection goes to the judged address,
  so a name cannot change between look and leap;
* redirects are never followed by themselves, cookies never kept, environment and netrc never read;
* every request has time limits, for a head or a piece of a body that drips, too; every body that is read into memory
  has a size limit; nothing is decompressed.
"""

from __future__ import annotations

import json
import math
import re
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.connection import create_connection

from registry.errors import Blocked, TooLarge, Unavailable, Untrusted
from registry.guard import Guard, plain, port_of, split
from registry.timely import Timely

# Who does not want an endpoint verified has said so; a warning with each request tells nobody anything.
urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

Request = requests.Request
Response = requests.Response

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0
SEND_TIMEOUT = 60.0
"""Seconds for each block of a body that is sent, of a megabyte at most."""
WHOLE_BODY_TIMEOUT = 60.0
"""Seconds for a body that is read into memory: a server that drips must not hold us."""
CHUNK = 1024 * 1024
REST_TIMEOUT = 2.0
"""Seconds for the rest of a body that nobody wants, read for the sake of the connection."""
ERROR_BODY = 64 * 1024
POOL = 32
"""Connections to one address that are kept; more may be open."""
UNIX = "http+unix"
_PLAIN_URL = re.compile(
    r"(?:https?://[a-z0-9.-]+(?::\d{1,5})?|http\+unix://(?:[A-Za-z0-9._-]|%2F)+)(?=/)"
    r"(?!.*/\.)[A-Za-z0-9._~:/-]*(?:\?(?:[A-Za-z0-9._~:/=&-]|%[0-9A-F]{2})*)?",
    re.ASCII,
)
LONGEST_WAIT = 24 * 3600
"""Seconds; what a server may ask for by Retry-After."""


class Session(requests.Session):
    """A `requests.Session` that cannot be talked into anything; see the module. Errors are `registry.errors`."""

    def __init__(self, guard: Guard, verify: bool | str, timeout: tuple[float, float], authorities: str = "") -> None:
        super().__init__()
        self.guard = guard
        self.trust_env = False
        self.verify = verify
        self.timeout = timeout
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.headers = requests.structures.CaseInsensitiveDict({"User-Agent": "haven", "Accept-Encoding": "identity"})
        self.adapters.clear()
        self._open = _Sockets()
        self.mount("https://", _GuardedAdapter(guard, self._open, authorities))
        self.mount("http://", _GuardedAdapter(guard, self._open))
        self.mount(f"{UNIX}://", _UnixAdapter(guard, self._open))

    def abort(self) -> None:
        """Cut all connections: whoever waits on one, in whatever thread, gets Unavailable at once."""
        self._open.cut()

    def prepare_request(self, request: Request) -> requests.PreparedRequest:
        """The request, ready to be sent. Raises Blocked for a URL that is none, or that carries credentials."""
        more = request.json or request.params or request.files or request.auth
        try:
            if _PLAIN_URL.fullmatch(request.url) and not more:
                return self._prepared_as_it_is(request)
            prepared = super().prepare_request(request)
        except (requests.RequestException, ValueError) as error:
            raise Blocked("this is not an address that can be called") from error
        if "@" in split(prepared.url or "").netloc:
            raise Blocked("an address may not carry credentials")
        return prepared

    def _prepared_as_it_is(self, request: Request) -> requests.PreparedRequest:
        """For a URL in which nothing needs to be encoded or normalized: most of them, in a third of the time."""
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = request.method, request.url
        prepared.prepare_cookies({})
        prepared.prepare_headers({**self.headers, **request.headers})
        prepared.prepare_body(request.data, None)
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
            raise (Untrusted() if _is_unproven(error) else Unavailable("the server's TLS is broken")) from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, UnicodeError) as error:
            raise Unavailable("the server cannot be reached") from error

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, data: Any = None, **options: Any
    ) -> Response:
        """Send a request without more ado; the answer's body is unread."""
        return self.send(self.prepare_request(Request(method, url, headers=dict(headers or {}), data=data)), **options)


def _is_unproven(error: BaseException | None) -> bool:
    """Whether it was the certificate, rather than a cut in the middle of the greeting."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def session(
    *,
    allow: Iterable[str] = (),
    verify: bool | str = True,
    timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
    authorities: str = "",
) -> Session:
    """A guarded session. `allow` lists private hosts and networks that may be called all the same.

    `verify` is whether certificates are checked, or the file of authorities to check them by; `timeout` the seconds
    for connecting and for each read. `authorities` are certificates (PEM) to trust beside the public ones; raises
    ValueError where they are none.
    """
    return Session(Guard.allowing(allow), verify, timeout, authorities)


def session_to(base_url: str, *, timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT)) -> Session:
    """A session for an address that the operator configured: its own host or socket may be called, wherever it is."""
    parts = split(base_url)
    return session(allow=[unquote(parts.netloc) if parts.scheme == UNIX else parts.hostname or ""], timeout=timeout)


def read(response: Response, limit: int) -> bytes:
    """The whole body, at most `limit` bytes of it. Raises TooLarge beyond that, Unavailable when it breaks off."""
    give_up = time.monotonic() + WHOLE_BODY_TIMEOUT
    content = bytearray()
    with response:
        while chunk := read_some(response, min(CHUNK, limit + 1)):
            content += chunk
            if len(content) > limit:
                raise TooLarge("the server's answer is too large")
            if time.monotonic() > give_up:
                raise Unavailable("the server did not answer in time")
    return bytes(content)


def read_json(response: Response, limit: int) -> Any:
    """The body as JSON, at most `limit` bytes of it. Raises Unavailable where it is none."""
    return as_json(read(response, limit))


def as_json(content: bytes) -> Any:
    """`content` as JSON. Raises Unavailable where it is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unavailable("the server's answer is not JSON") from error


def read_some(response: Response, limit: int) -> bytes:
    """At most `limit` bytes of the body, as soon as there are any; b"" at its end.

    Raises Unavailable when it breaks off.
    """
    try:
        return bytes(response.raw.read1(limit))
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise Unavailable("the server's answer broke off") from error


def length(response: Response) -> int | None:
    """The body's length as the server announces it; None where it does not, or not so that it can be read."""
    value = response.headers.get("Content-Length", "")
    return int(value) if re.fullmatch(r"\d{1,18}", value, re.ASCII) else None


def retry_after(response: Response) -> int | None:
    """Seconds that the server asks us to wait (RFC 9110, 10.2.3); None where it does not say, or not so that it can be
    read."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return min(int(value), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return min(max(math.ceil(when - time.time()), 0), LONGEST_WAIT)


@contextmanager
def closing(response: Response) -> Iterator[Response]:
    """The response, closed at the end; a short rest of its body is read, so that the connection can be used again."""
    try:
        yield response
        if (length(response) or 0) <= ERROR_BODY:
            _read_rest(response)
    finally:
        if response.request.method == "HEAD":  # has no body, a refusal neither
            _read_rest(response)
        response.close()


def _read_rest(response: Response) -> None:
    left, give_up = ERROR_BODY, time.monotonic() + REST_TIMEOUT
    while left > 0 and not response.raw.closed and time.monotonic() < give_up:
        piece = read_some(response, left)
        if not piece:
            return
        left -= len(piece)


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port: what must be equal for a credential to go along."""
    parts = split(url)
    return parts.scheme, plain(parts.hostname or ""), port_of(parts)


class _Sockets:
    """The sockets of a session that are in use, or kept for another request."""

    def __init__(self) -> None:
        self._known: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()

    def add(self, connection: socket.socket) -> None:
        with self._lock:
            self._known.add(connection)

    def cut(self) -> None:
        with self._lock:
            known = list(self._known)
        for connection in known:
            with suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # TLS has no say in this


def _recorded(kind: type[HTTPConnection], sockets: _Sockets, connect: Callable[[Any], socket.socket]) -> type[Any]:
    """`kind` of connection, made by `connect`, its sockets recorded."""

    class Recorded(kind):  # type: ignore[valid-type,misc]
        response_class = Timely

        def _new_conn(self) -> socket.socket:
            return connect(self)

        def connect(self) -> None:
            super().connect()
            # Until an answer is read, urllib3 would leave the time limit of connecting: too short for a slow upload.
            self.sock.settimeout(SEND_TIMEOUT)
            sockets.add(self.sock)

    return Recorded


class _GuardedAdapter(HTTPAdapter):
    """Connects to addresses that the guard has judged."""

    def __init__(self, guard: Guard, sockets: _Sockets, authorities: str = "") -> None:
        self.guard = guard
        self.sockets = sockets
        self.authorities = authorities
        super().__init__(pool_maxsize=POOL)

    def init_poolmanager(self, *sizes: Any, **options: Any) -> None:
        if self.authorities:
            options["ssl_context"] = _trusting(self.authorities)
        super().init_poolmanager(*sizes, **options)
        guard = self.guard

        def connect(connection: Any) -> socket.socket:
            return _connect(connection, guard)

        unencrypted = _recorded(HTTPConnection, self.sockets, connect)
        secure = _recorded(HTTPSConnection, self.sockets, connect)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("GuardedPool", (urllib3.HTTPConnectionPool,), {"ConnectionCls": unencrypted}),
            "https": type("GuardedTLSPool", (urllib3.HTTPSConnectionPool,), {"ConnectionCls": secure}),
        }


def _trusting(authorities: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cadata=authorities)
    except ssl.SSLError as error:
        raise ValueError("these are no certificates in PEM") from error
    return context


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


def _connect_unix(connection: Any, path: str) -> socket.socket:
    """A connected unix socket."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        timeout = connection.timeout
        found.settimeout(timeout if isinstance(timeout, float | int) else CONNECT_TIMEOUT)
        found.connect(path)
    except OSError as error:
        found.close()
        raise urllib3.exceptions.NewConnectionError(connection, "cannot connect") from error
    return found


class _UnixAdapter(HTTPAdapter):
    """Reaches `http+unix://<path with %2F>/...`; one pool for each socket."""

    def __init__(self, guard: Guard, sockets: _Sockets) -> None:
        self.guard = guard
        self.sockets = sockets
        self._pools: dict[str, urllib3.HTTPConnectionPool] = {}
        super().__init__()

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        path = unquote(urlsplit(request.url).netloc)
        if path not in self.guard.sockets:
            raise Blocked()
        if path not in self._pools:
            pool = urllib3.HTTPConnectionPool("localhost", maxsize=POOL)
            pool.ConnectionCls = _recorded(HTTPConnection, self.sockets, lambda _: _connect_unix(_, path))
            self._pools[path] = pool
        return self._pools[path]

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        super().close()
