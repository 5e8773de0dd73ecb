"""HTTP as a test needs it: exact requests, exact answers, nothing normalised and nothing followed."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPMessage
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.stack.content import Blob, Pushable

Body = bytes | Iterable[bytes] | None


@dataclass(frozen=True, repr=False)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def codes(self) -> list[str]:
        """The error codes of a v2 error."""
        return [error["code"] for error in self.json["errors"]]

    @property
    def location(self) -> str:
        return self.headers["Location"]

    def __repr__(self) -> str:
        return f"{self.status} {dict(self.headers.items())} {self.content[:600]!r}"


class Wire:
    """One address spoken to over one kept connection."""

    def __init__(self, base: str, ca: str | None = None, timeout: float = 60) -> None:
        self.base = urlsplit(base)
        self.timeout = timeout
        self.context = ssl.create_default_context(cafile=ca) if self.base.scheme == "https" else None
        self.connection: http.client.HTTPConnection | None = None

    def send(self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request. `target` is a path, or a URL of this address; a lost kept connection is tried once more."""
        parts = urlsplit(target)
        if parts.netloc and parts[:2] != self.base[:2]:
            raise AssertionError(f"sent elsewhere: {target} is not below {self.base.geturl()}")
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            return self._once(method, path, body, headers or {})
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            if not isinstance(body, bytes | None):
                raise
            self.close()
            return self._once(method, path, body, headers or {})

    def close(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def _once(self, method: str, path: str, body: Body, headers: Mapping[str, str]) -> Answer:
        connection = self.connection or self._connect()
        self.connection = connection
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            content = answer.read()
        except BaseException:
            self.close()
            raise
        return Answer(answer.status, answer.headers, content)

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self.base.hostname or "", self.base.port
        if self.context:
            return http.client.HTTPSConnection(host, port, timeout=self.timeout, context=self.context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout)


class Client(Wire):
    """Somebody who speaks v2: answers the challenge with a token, and keeps tokens by what they were asked for."""

    def __init__(
        self, base: str, username: str = "", password: str = "", ca: str | None = None, timeout: float = 60
    ) -> None:
        super().__init__(base, ca, timeout)
        self.username = username
        self.password = password
        self.tokens: dict[str, str] = {}
        self.ca = ca

    def __call__(self, method: str, target: str, body: Body = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request; a 401 with a Bearer challenge is answered once, as docker does."""
        asked = self._remembered(method, target)
        held = {"Authorization": f"Bearer {self.tokens[asked]}"} if asked in self.tokens else {}
        answer = self.send(method, target, body, {**held, **(headers or {})})
        challenge = answer.headers.get("WWW-Authenticate", "")
        if answer.status != 401 or not challenge.startswith("Bearer ") or not isinstance(body, bytes | None):
            return answer
        token = self.token_for(challenge)
        self.tokens[asked] = token
        return self.send(method, target, body, {"Authorization": f"Bearer {token}", **(headers or {})})

    def api(self, method: str, path: str, document: Any = None) -> Answer:
        """Harbor's REST with Basic authentication; `path` is below /api/v2.0."""
        headers = {"Accept": "application/json", **self.basic}
        body = None
        if document is not None:
            body, headers["Content-Type"] = json.dumps(document).encode(), "application/json"
        return self.send(method, f"/api/v2.0{path}", body, headers)

    @property
    def basic(self) -> dict[str, str]:
        if not self.username:
            return {}
        pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    def token_for(self, challenge: str) -> str:
        """The token that the realm of `challenge` gives; AssertionError where it gives none."""
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = asked.pop("realm")
        return self.token(urlencode([(key, value) for key, value in asked.items() if key != "error"]), realm)

    def token(self, query: str, realm: str = "/service/token") -> str:
        answer = self.send("GET", f"{realm}?{query}", headers=self.basic)
        assert answer.status == 200, f"no token: {answer}"
        return str(answer.json["token"])

    def scoped(self, *scopes: str) -> str:
        """A token for `scopes` such as `repository:library/hello:pull,push`."""
        return self.token(urlencode([("service", "harbor-registry"), *(("scope", scope) for scope in scopes)]))

    def start_upload(self, repository: str, query: str = "") -> str:
        answer = self("POST", f"/v2/{repository}/blobs/uploads/{query}", b"")
        assert answer.status == 202, f"upload not started: {answer}"
        return answer.location

    def push_blob(self, repository: str, blob: Blob, algorithm: str = "sha256") -> Answer:
        """POST, then PUT."""
        started = self("POST", f"/v2/{repository}/blobs/uploads/", b"")
        if started.status != 202:
            return started
        location = with_query(started.location, digest=blob.digest(algorithm))
        return self("PUT", location, blob.content, {"Content-Type": "application/octet-stream"})

    def has_blob(self, repository: str, digest: str) -> bool:
        return self("HEAD", f"/v2/{repository}/blobs/{digest}").status == 200

    def put_manifest(self, repository: str, reference: str, pushed: Blob) -> Answer:
        headers = {"Content-Type": pushed.media_type}
        return self("PUT", f"/v2/{repository}/manifests/{reference}", pushed.content, headers)

    def push(self, repository: str, tag: str, pushed: Pushable) -> Answer:
        """Everything of `pushed`, last of all its manifest as `tag`; the first refusal, or the last answer."""
        for blob in pushed.blobs:
            if self.has_blob(repository, blob.digest(pushed.algorithm)):
                continue
            answer = self.push_blob(repository, blob, pushed.algorithm)
            if answer.status != 201:
                return answer
        for child in pushed.children:
            answer = self.push(repository, child.digest(child.algorithm), child)
            if answer.status != 201:
                return answer
        return self.put_manifest(repository, tag, pushed)

    def pull(self, repository: str, reference: str) -> Answer:
        """The manifest alone."""
        return self("GET", f"/v2/{repository}/manifests/{reference}", headers={"Accept": "*/*"})

    def _remembered(self, method: str, target: str) -> str:
        found = re.match(r"(?:https?://[^/]+)?/v2/(.*)/(?:manifests|blobs|tags|referrers)/", target)
        verb = {"HEAD": "read", "GET": "read", "DELETE": "delete"}.get(method, "write")
        return f"{found.group(1) if found else target} {verb}"


def with_query(location: str, **parameters: str) -> str:
    """`location` with `parameters` added to the query it may have."""
    return f"{location}{'&' if '?' in location else '?'}{urlencode(parameters)}"


def raw(address: tuple[str, int] | str, request: bytes, seconds: float = 10) -> bytes:
    """Send exactly `request` and read until the other side closes or falls silent; a str is a unix socket's path."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    received = b""
    with socket.socket(family) as connection:
        connection.settimeout(seconds)
        connection.connect(address)
        try:
            connection.sendall(request)
            while chunk := connection.recv(65536):
                received += chunk
        except (TimeoutError, ConnectionError):
            pass
    return received


def raw_status(answer: bytes) -> int:
    """The status of a raw answer; 0 where the connection was closed without a word."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def request_line(
    method: str, path: str, host: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> bytes:
    """A request that closes after its answer, with `path` as it stands."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
