"""A registry in a dictionary, behind a transport adapter of `requests`.

    session, fake = fake_session()
    registry = Registry(fake.url, session)

Client, copying, gateway and jobs are tested against it: nothing is patched, and what did not arrive can be asserted.
It behaves as `distribution` does, down to storing every blob by its sha256. `require` makes it ask for credentials.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from requests.adapters import BaseAdapter

from registry import http
from registry.manifests import OCI_INDEX

Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Call:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeRegistry(BaseAdapter):
    """Blobs and manifests by repository and digest, tags by repository and name.

    `failures` are answered first, one for each request that they match; `page` is how many names one page holds.
    """

    url: str = "https://registry.test"
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    known_tags: dict[tuple[str, str], str] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    failures: list[tuple[str, str, Answer]] = field(default_factory=list)
    page: int = 100
    mounts: bool = True
    mounted: set[tuple[str, str]] = field(default_factory=set)
    """Blobs that are known by their sha256 alone."""
    username: str = ""
    password: str = ""
    scheme: str = "bearer"
    realm: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    """What is sent for a blob in the place of its content: bytes, or a file that may never end."""
    lists_referrers: bool = False
    deletes_tags: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self.realm = self.realm or f"{self.url}/token"

    def require(self, username: str, password: str, scheme: str = "bearer") -> None:
        """From now on ask for these credentials: `basic`, or `bearer` with a realm of its own."""
        self.username, self.password, self.scheme = username, password, scheme

    def fail(self, method: str, path: str, status: int, code: str = "", headers: dict[str, str] | None = None) -> None:
        """Answer the next `method` whose path matches the expression `path` with this error."""
        self.failures.append((method, path, _error(status, code or "UNKNOWN", headers)))

    def add_blob(self, repository: str, content: bytes) -> str:
        """Put a blob there as if it had been pushed; its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        self.blobs[repository, digest] = content
        return digest

    def called(self, method: str = "", path: str = "") -> list[Call]:
        """The requests of this method whose path matches the expression."""
        return [call for call in self.calls if call.method.startswith(method) and re.search(path, call.path)]

    # The transport

    def send(self, request: Any, *_: Any, **options: Any) -> requests.Response:
        parts = urlsplit(request.url)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = request.body or b""
        content = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else b"".join(body)
        call = Call(request.method, unquote(parts.path), query, dict(request.headers), content)
        self.calls.append(call)
        status, headers, answer = self._answer(call)
        response = requests.Response()
        response.status_code = status
        lie = self.lies.get(call.path.rpartition("/")[2]) if (request.method, status) == ("GET", 200) else None
        answer = lie if isinstance(lie, bytes) else answer
        if lie is None or lie is answer:
            response.headers["Content-Length"] = str(len(answer))
            lie = BytesIO(b"" if request.method == "HEAD" else answer)
        response.headers.update(headers)
        response.raw = lie
        response.url, response.request = request.url, request
        return response

    def close(self) -> None:
        """Nothing is open."""

    def _answer(self, call: Call) -> Answer:
        for failure in self.failures:
            method, path, answer = failure
            if method == call.method and re.search(path, call.path):
                self.failures.remove(failure)
                return answer
        if call.path == "/token":
            return self._token(call)
        if self.username and not self._is_authorized(call):
            return self._challenge(call)
        for expression, handle in ROUTES:
            if found := re.fullmatch(expression, call.path):
                return handle(self, call, *found.groups())
        return _error(404, "NAME_UNKNOWN")

    # Credentials

    def _token(self, call: Call) -> Answer:
        if self.username and call.headers.get("Authorization") != self._basic:
            return _error(401, "UNAUTHORIZED")
        token = uuid.uuid4().hex
        self.tokens[token] = call.query.get("scope", "")
        return _json({"token": token, "expires_in": 300})

    @property
    def _basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()

    def _is_authorized(self, call: Call) -> bool:
        header = call.headers.get("Authorization", "")
        return header == self._basic if self.scheme == "basic" else header.removeprefix("Bearer ") in self.tokens

    def _challenge(self, call: Call) -> Answer:
        challenge = 'Basic realm="fake"' if self.scheme == "basic" else f'Bearer realm="{self.realm}",service="fake"'
        return _error(401, "UNAUTHORIZED", {"WWW-Authenticate": challenge})

    # The protocol

    def _ping(self, call: Call) -> Answer:
        return _json({})

    def _manifest(self, call: Call, repository: str, reference: str) -> Answer:
        digest = reference if ":" in reference else self.known_tags.get((repository, reference), "")
        if call.method == "PUT":
            return self._put_manifest(call, repository, reference)
        if (repository, digest) not in self.manifests:
            return _error(404, "MANIFEST_UNKNOWN")
        if call.method == "DELETE" and ":" not in reference:
            if not self.deletes_tags:
                return _error(405, "UNSUPPORTED")
            del self.known_tags[repository, reference]
            return 202, {}, b""
        if call.method == "DELETE":
            del self.manifests[repository, digest]
            self.known_tags = {key: value for key, value in self.known_tags.items() if value != digest}
            return 202, {}, b""
        media_type, content = self.manifests[repository, digest]
        return 200, {"Content-Type": media_type, "Docker-Content-Digest": digest}, content

    def _put_manifest(self, call: Call, repository: str, reference: str) -> Answer:
        digest = f"sha256:{hashlib.sha256(call.body).hexdigest()}"
        if ":" in reference and reference != digest:
            return _error(400, "DIGEST_INVALID")
        raw = json.loads(call.body)
        blobs = [raw["config"], *raw["layers"]] if "config" in raw else []
        known = all((repository, blob["digest"]) in self.blobs for blob in blobs if not blob.get("urls"))
        children = all((repository, child["digest"]) in self.manifests for child in raw.get("manifests") or [])
        if not known or not children:
            return _error(400, "MANIFEST_BLOB_UNKNOWN")
        self.manifests[repository, digest] = (call.headers["Content-Type"], call.body)
        if ":" not in reference:
            self.known_tags[repository, reference] = digest
        headers = {"Docker-Content-Digest": digest, "Location": f"/v2/{repository}/manifests/{digest}"}
        if self.lists_referrers and raw.get("subject"):
            headers["OCI-Subject"] = raw["subject"]["digest"]
        return 201, headers, b""

    def _referrers(self, call: Call, repository: str, digest: str) -> Answer:
        if not self.lists_referrers:
            return 404, {}, b"404 page not found"
        found = [
            {"mediaType": media_type, "digest": key, "size": len(content)}
            for (owner, key), (media_type, content) in self.manifests.items()
            if owner == repository and (json.loads(content).get("subject") or {}).get("digest") == digest
        ]
        return _json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found})

    def _blob(self, call: Call, repository: str, digest: str) -> Answer:
        found = self._stored(repository, digest)
        if found is None:
            return _error(404, "BLOB_UNKNOWN")
        if call.method == "DELETE":
            del self.blobs[repository, found]
            return 202, {}, b""
        content, headers, status = self.blobs[repository, found], {"Docker-Content-Digest": found}, 200
        if wanted := re.fullmatch(r"bytes=(\d+)-", call.headers.get("Range", "")):
            start = int(wanted[1])
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            content, status = content[start:], 206
        return status, headers, content

    def _stored(self, repository: str, digest: str) -> str | None:
        """The sha256 digest under which the repository holds the blob."""
        algorithm = digest.partition(":")[0]
        for (owner, stored), content in self.blobs.items():
            if digest != stored and (owner, stored) in self.mounted:
                continue
            if owner == repository and f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}" == digest:
                return stored
        return None

    def _start(self, call: Call, repository: str) -> Answer:
        source, digest = call.query.get("from", ""), call.query.get("mount", "")
        if self.mounts and (source, digest) in self.blobs:
            self.blobs[repository, digest] = self.blobs[source, digest]
            self.mounted.add((repository, digest))
            return 201, {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest}, b""
        identifier = str(uuid.uuid4())
        self.uploads[identifier] = bytearray()
        return 202, _standing(repository, identifier, 0), b""

    def _upload(self, call: Call, repository: str, identifier: str) -> Answer:
        if identifier not in self.uploads:
            return _error(404, "BLOB_UPLOAD_UNKNOWN")
        content = self.uploads[identifier]
        if call.method == "DELETE":
            del self.uploads[identifier]
            return 204, {}, b""
        if call.method == "GET":
            return 204, _standing(repository, identifier, len(content)), b""
        start = re.match(r"(\d+)-", call.headers.get("Content-Range", ""))
        if start and int(start[1]) != len(content):
            return _error(416, "RANGE_INVALID", _standing(repository, identifier, len(content)))
        content += call.body
        if call.method == "PATCH":
            return 202, _standing(repository, identifier, len(content)), b""
        digest = call.query.get("digest", "")
        del self.uploads[identifier]
        algorithm = digest.partition(":")[0]
        if f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}" != digest:
            return _error(400, "DIGEST_INVALID")
        stored = self.add_blob(repository, bytes(content))
        return 201, {"Location": f"/v2/{repository}/blobs/{stored}", "Docker-Content-Digest": stored}, b""

    def _tags(self, call: Call, repository: str) -> Answer:
        names = sorted(name for owner, name in self.known_tags if owner == repository)
        return self._listed(call, "tags", names, {"name": repository})

    def _catalog(self, call: Call) -> Answer:
        return self._listed(call, "repositories", sorted({owner for owner, _ in [*self.manifests, *self.blobs]}), {})

    def _listed(self, call: Call, key: str, names: Iterable[str], more: dict[str, str]) -> Answer:
        rest = [name for name in names if name > call.query.get("last", "")]
        status, headers, body = _json({**more, key: rest[: self.page]})
        if len(rest) > self.page:
            headers["Link"] = f'<{call.path}?last={rest[self.page - 1]}&n={self.page}>; rel="next"'
        return status, headers, body


NAME = r"([a-z0-9/._-]+)"
ROUTES: list[tuple[str, Callable[..., Answer]]] = [
    (r"/v2/", FakeRegistry._ping),
    (r"/v2/_catalog", FakeRegistry._catalog),
    (rf"/v2/{NAME}/tags/list", FakeRegistry._tags),
    (rf"/v2/{NAME}/manifests/([^/]+)", FakeRegistry._manifest),
    (rf"/v2/{NAME}/referrers/([^/]+)", FakeRegistry._referrers),
    (rf"/v2/{NAME}/blobs/uploads/", FakeRegistry._start),
    (rf"/v2/{NAME}/blobs/uploads/([^/]+)", FakeRegistry._upload),
    (rf"/v2/{NAME}/blobs/([^/]+)", FakeRegistry._blob),
]


def fake_session(fake: FakeRegistry | None = None) -> tuple[http.Session, FakeRegistry]:
    """The guarded session with a fake registry in the place of its network: no request leaves the process."""
    fake = fake or FakeRegistry()
    session = http.session()
    session.mount(fake.url, fake)
    return session, fake


def _standing(repository: str, identifier: str, size: int) -> dict[str, str]:
    return {
        "Location": f"/v2/{repository}/blobs/uploads/{identifier}?_state=x",
        "Docker-Upload-UUID": identifier,
        "Range": f"0-{max(size - 1, 0)}",
    }


def _json(value: Any) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> Answer:
    _, kind, body = _json({"errors": [{"code": code, "message": code.lower(), "detail": None}]})
    return status, {**kind, **(headers or {})}, body
