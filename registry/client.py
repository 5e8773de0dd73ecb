"""A client of the registry protocol (OCI distribution specification 1.1), for any registry.

Nothing that comes back is believed: bodies are bounded and hashed, sizes checked, and what an answer points to is
followed only as far as the specification needs it. Errors are those of `registry.errors`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin

from registry import http
from registry.auth import Auth, Flow, Need, NoAuth
from registry.errors import (
    BlobUnknown,
    Blocked,
    Damaged,
    DigestInvalid,
    ManifestUnknown,
    RegistryError,
    Unavailable,
    error_for,
)
from registry.manifests import MAX_MANIFEST, MEDIA_TYPES, Descriptor, Manifest, parse
from registry.references import Reference, algorithm_of, digest_of, is_digest, is_name, is_tag, parse_digest, parse_name

LIST_ANSWER = 4 * 1024 * 1024
"""Bytes of one page of tags or repositories."""
PAGE = 1000
MAX_PAGES = 10_000
MAX_HOPS = 5
REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class StoredBlob:
    """A blob that the registry holds: its real size in bytes, and the digest that it is stored under.

    The two digests differ where `distribution` was asked by sha512: it stores by sha256 alone.
    """

    size: int
    digest: str


@dataclass(frozen=True)
class Body:
    """Content to send that is not in memory: `size` bytes, read once from `chunks`."""

    chunks: Iterable[bytes]
    size: int

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.chunks)

    def __len__(self) -> int:
        return self.size


class BlobStream:
    """A blob's bytes, hashed as they are read: iterating to the end raises Damaged if they are not the digest's."""

    def __init__(self, response: http.Response, digest: str, offset: int) -> None:
        self._response = response
        self._digest = digest
        self._offset = offset
        length = response.headers.get("Content-Length", "")
        self.size = int(length) if length.isdecimal() else None
        """Bytes to come; None where the registry does not say."""

    def __iter__(self) -> Iterator[bytes]:
        seen = hashlib.new(algorithm_of(self._digest))
        count = 0
        for chunk in http.stream(self._response):
            seen.update(chunk)
            count += len(chunk)
            yield chunk
        if self.size is not None and count != self.size:
            raise Unavailable("the registry's answer broke off")
        if self._offset == 0 and f"{seen.name}:{seen.hexdigest()}" != self._digest:
            raise Damaged(detail={"digest": self._digest})


class Registry:
    """A registry at `base_url` (`https://host`, or `http+unix://%2Fpath` for a socket), spoken to through `session`."""

    def __init__(self, base_url: str, session: http.Session, auth: Auth | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        self.session = session
        self.auth = auth or NoAuth()

    def ping(self) -> None:
        """Nothing, if the registry speaks the protocol and lets us in."""
        with self._ask("GET", "/v2/", ()):
            pass

    # Manifests

    def get_manifest(self, reference: Reference) -> Manifest:
        """The manifest, read strictly, its bytes checked against the digest asked for or announced.

        Raises ManifestUnknown, ManifestInvalid, or Damaged where the bytes are not those of the digest.
        """
        with self._ask("GET", _manifest(reference), _pull(reference.repository), headers=ACCEPT) as response:
            content = http.read(response, MAX_MANIFEST)
            media_type = response.headers.get("Content-Type", "")
            announced = response.headers.get("Docker-Content-Digest", "")
        expected = reference.identifier if reference.is_digest else announced
        if is_digest(expected) and digest_of(content, algorithm_of(expected)) != expected:
            raise Damaged(detail={"digest": expected})
        return parse(content, media_type)

    def head_manifest(self, reference: Reference) -> Descriptor | None:
        """Type, digest and size of the manifest; None where there is none."""
        try:
            with self._ask("HEAD", _manifest(reference), _pull(reference.repository), headers=ACCEPT) as response:
                digest = response.headers.get("Docker-Content-Digest", "")
                digest = digest or (reference.identifier if reference.is_digest else "")
                if not is_digest(digest):
                    return None if digest else self._described(reference)
                media_type = response.headers.get("Content-Type", "").partition(";")[0].strip()
                return Descriptor(media_type, digest, _length(response))
        except ManifestUnknown:
            return None

    def _described(self, reference: Reference) -> Descriptor:
        """For registries that announce no digest at HEAD."""
        manifest = self.get_manifest(reference)
        return Descriptor(manifest.media_type, manifest.digest, len(manifest.content))

    def put_manifest(self, reference: Reference, manifest: Manifest) -> None:
        """Store the manifest, byte for byte. Raises DigestInvalid where the registry understood another digest."""
        with self._ask(
            "PUT",
            _manifest(reference),
            _push(reference.repository),
            headers={"Content-Type": manifest.media_type},
            data=manifest.content,
        ) as response:
            answer = response.headers.get("Docker-Content-Digest", "")
        if is_digest(answer) and manifest.digest_as(algorithm_of(answer)) != answer:
            raise DigestInvalid("the registry stored other bytes", {"digest": answer})

    def delete_manifest(self, reference: Reference) -> bool:
        """Delete by digest (or a tag, where the registry can); False where it was gone already."""
        need = (Need(reference.repository, ("delete",)),)
        try:
            with self._ask("DELETE", _manifest(reference), need):
                return True
        except ManifestUnknown:
            return False

    # Blobs

    def head_blob(self, repository: str, digest: str) -> StoredBlob | None:
        """The blob's real size and stored digest; None where the repository does not hold it."""
        try:
            with self._follow("HEAD", _blob(repository, digest), _pull(repository)) as response:
                stored = response.headers.get("Docker-Content-Digest", "")
                return StoredBlob(_length(response), stored if is_digest(stored) else digest)
        except BlobUnknown:
            return None

    @contextmanager
    def get_blob(self, repository: str, digest: str, offset: int = 0) -> Iterator[BlobStream]:
        """The blob's bytes from `offset` on, to be iterated once. Raises BlobUnknown.

        From the beginning the bytes are checked against the digest; who resumes checks the whole.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        with self._follow("GET", _blob(repository, digest), _pull(repository), headers=headers) as response:
            if offset and (response.status_code, _range_start(response)) != (206, offset):
                raise Unavailable("the registry does not resume")
            yield BlobStream(response, digest, offset)

    def delete_blob(self, repository: str, digest: str) -> bool:
        """Make the repository forget the blob; False where it was gone already."""
        try:
            with self._ask("DELETE", _blob(repository, digest), (Need(repository, ("delete",)),)):
                return True
        except BlobUnknown:
            return False

    def mount_blob(self, source: str, target: str, digest: str) -> bool:
        """Let `target` hold the blob that `source` holds, without moving bytes; False where the registry would not."""
        query = urlencode({"mount": parse_digest(digest), "from": parse_name(source)})
        needs = (*_push(target), *_pull(source))
        with self._ask("POST", f"{_uploads(target)}?{query}", needs) as response:
            mounted = response.status_code == 201
            location = "" if mounted else self._location(response)
        if location:
            self.cancel_upload(target, location)
        return mounted

    def start_upload(self, repository: str) -> str:
        """The address of a new upload. Being without a body, this is what draws a challenge."""
        with self._ask("POST", _uploads(repository), _push(repository)) as response:
            return self._location(response)

    def upload_chunk(self, repository: str, location: str, content: bytes, start: int) -> str:
        """Append `content`, whose first byte is the blob's byte `start`; the address for what follows.

        Raises RangeInvalid where the registry stands elsewhere.
        """
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Range": f"{start}-{start + len(content) - 1}",
        }
        with self._ask("PATCH", location, _push(repository), headers=headers, data=content) as response:
            return self._location(response)

    def upload_status(self, repository: str, location: str) -> int:
        """How many bytes of the upload the registry holds."""
        with self._ask("GET", location, _push(repository)) as response:
            last = re.fullmatch(r"(?:bytes=)?0-(\d{1,18})", response.headers.get("Range", ""), re.ASCII)
            # `0-0` stands for nothing and for one byte alike; nothing is the safe answer.
            return int(last[1]) + 1 if last and last[1] != "0" else 0

    def finish_upload(self, repository: str, location: str, digest: str, content: bytes | Body = b"") -> None:
        """End the upload with `content`, its last or only bytes.

        Raises DigestInvalid where the registry received something else.
        """
        url = f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': parse_digest(digest)})}"
        headers = {"Content-Type": "application/octet-stream"}
        with self._ask("PUT", url, _push(repository), headers=headers, data=content):
            pass

    def cancel_upload(self, repository: str, location: str) -> None:
        """Tell the registry that nothing will follow; it may not care."""
        with (
            suppress(RegistryError),
            self._ask("DELETE", location, (Need(repository, ("delete", "pull", "push")),)),
        ):
            pass

    def put_blob(self, repository: str, digest: str, content: bytes | Body) -> None:
        """Upload a blob in one piece."""
        self.finish_upload(repository, self.start_upload(repository), digest, content)

    # Lists

    def tags(self, repository: str) -> Iterator[str]:
        """The repository's tags, page by page."""
        for answer in self._pages(f"/v2/{parse_name(repository)}/tags/list", _pull(repository)):
            yield from (tag for tag in _strings(answer, "tags") if is_tag(tag))

    def catalog(self) -> Iterator[str]:
        """The names of all repositories, page by page."""
        for answer in self._pages("/v2/_catalog", (Need("catalog", ("*",), "registry"),)):
            yield from (name for name in _strings(answer, "repositories") if is_name(name))

    def _pages(self, path: str, needs: tuple[Need, ...]) -> Iterator[Any]:
        url = f"{self.base_url}{path}?n={PAGE}"
        for _ in range(MAX_PAGES):
            with self._ask("GET", url, needs) as response:
                answer = http.read_json(response, LIST_ANSWER)
                link = re.match(r'\s*<([^>]{1,4096})>\s*;\s*rel="?next"?', response.headers.get("Link", ""))
            yield answer
            if link is None:
                return
            url = self._resolve(link[1])
        raise Unavailable("the registry's list does not end")

    # How requests are sent

    @contextmanager
    def _ask(
        self,
        method: str,
        path: str,
        needs: tuple[Need, ...],
        headers: dict[str, str] | None = None,
        data: Any = None,
    ) -> Iterator[http.Response]:
        """The answer of the registry itself, if it is a 2xx. Raises what its status and error code stand for."""
        url = path if "://" in path else f"{self.base_url}{path}"
        response = self._authorized(http.Request(method, url, headers=dict(headers or {}), data=data), needs)
        with http.closing(response):
            if not 200 <= response.status_code < 300:
                raise _error(response, method)
            yield response

    @contextmanager
    def _follow(
        self, method: str, path: str, needs: tuple[Need, ...], headers: dict[str, str] | None = None
    ) -> Iterator[http.Response]:
        """As `_ask`, for blobs: the registry may point to where the bytes are. No credentials go there."""
        url = f"{self.base_url}{path}"
        response = self._authorized(http.Request(method, url, headers=dict(headers or {})), needs)
        for _ in range(MAX_HOPS):
            if response.status_code not in REDIRECTS:
                break
            response.close()
            url = urljoin(url, response.headers.get("Location", ""))
            allowed = ("https",) if self.base_url.startswith("https:") else ("http", "https")
            if http.origin(url)[0] not in allowed:
                raise Blocked("the registry points somewhere that is not as safe as itself")
            response = self.session.ask(method, url, headers=headers)
        with http.closing(response):
            if not 200 <= response.status_code < 300:
                raise _error(response, method)
            yield response

    def _authorized(self, request: http.Request, needs: tuple[Need, ...]) -> http.Response:
        flow: Flow = self.auth.flow(request, needs)
        request = next(flow)
        while True:
            response = self.session.send(self.session.prepare_request(request))
            try:
                request = flow.send(response)
            except StopIteration:
                return response

    def _location(self, response: http.Response) -> str:
        location = response.headers.get("Location", "")
        if not location:
            raise Unavailable("the registry does not say where to go on")
        return self._resolve(location)

    def _resolve(self, target: str) -> str:
        """`target` as a full URL, if it stays with the registry. Raises Blocked where it leads to a stranger."""
        if target.startswith("/") and not target.startswith("//"):
            return f"{self.base_url}{target}"
        if "://" in target and http.origin(target) == http.origin(self.base_url):
            return target
        raise Blocked("the registry points to another host")


ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}


def _pull(repository: str) -> tuple[Need, ...]:
    return (Need(repository, ("pull",)),)


def _push(repository: str) -> tuple[Need, ...]:
    return (Need(repository, ("pull", "push")),)


def _manifest(reference: Reference) -> str:
    checked = Reference.parse(reference.repository, reference.identifier)
    return f"/v2/{checked.repository}/manifests/{checked.identifier}"


def _blob(repository: str, digest: str) -> str:
    return f"/v2/{parse_name(repository)}/blobs/{parse_digest(digest)}"


def _uploads(repository: str) -> str:
    return f"/v2/{parse_name(repository)}/blobs/uploads/"


def _length(response: http.Response) -> int:
    """The Content-Length of an answer to HEAD. Raises Unavailable where there is none."""
    length = response.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdecimal()):
        raise Unavailable("the registry does not say how large it is")
    return int(length)


def _range_start(response: http.Response) -> int:
    found = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""), re.ASCII)
    return int(found[1]) if found else -1


def _strings(answer: Any, name: str) -> list[str]:
    values = answer.get(name) if isinstance(answer, dict) else None
    return [value for value in values or [] if isinstance(value, str)] if isinstance(values, list) else []


def _error(response: http.Response, method: str) -> Exception:
    """What the answer stands for: by its JSON body, or by status and path where it has none (HEAD)."""
    entry: Any = {}
    if method != "HEAD":
        try:
            entry = http.read_json(response, http.ERROR_BODY)["errors"][0]
        except Exception:
            entry = {}
    entry = entry if isinstance(entry, dict) else {}
    code, message = (str(entry.get(name) or "")[:1024] for name in ("code", "message"))
    if response.status_code == 404 and code not in ("NAME_UNKNOWN", "BLOB_UPLOAD_UNKNOWN"):
        if "/manifests/" in response.url:
            code = "MANIFEST_UNKNOWN"
        elif "/blobs/" in response.url:
            code = "BLOB_UNKNOWN"
    return error_for(response.status_code, code, message, entry.get("detail"))
