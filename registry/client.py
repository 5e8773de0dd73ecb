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
from urllib.parse import urlencode

from registry import http
from registry.auth import Need
from registry.errors import (
    BlobUnknown,
    Damaged,
    DigestInvalid,
    ManifestUnknown,
    RegistryError,
    Unavailable,
)
from registry.manifests import MAX_MANIFEST, MEDIA_TYPES, OCI_INDEX, Descriptor, Manifest, parse
from registry.references import Reference, algorithm_of, digest_of, is_digest, is_name, is_tag, parse_digest, parse_name
from registry.transport import Transport

LIST_ANSWER = 4 * 1024 * 1024
"""Bytes of one page of tags or repositories."""
PAGE = 1000
MAX_PAGES = 10_000
STORING = 900.0
"""Seconds that a registry may take to answer when it has received bytes: it hashes a large blob, and moves it."""


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
    """A blob's bytes from `offset` on, read once, in order."""

    def __init__(self, response: http.Response, digest: str, offset: int) -> None:
        self._response = response
        self._digest = digest
        self._offset = offset
        self._skip = 0 if response.status_code == 206 else offset
        if self._skip == 0 and offset and _range_start(response) != offset:
            raise Unavailable("the registry sends another part of the blob than was asked for")
        length = http.length(response)
        self.size = None if length is None else length - self._skip
        """Bytes to come; None where the registry does not say."""

    def __iter__(self) -> Iterator[bytes]:
        """The bytes, hashed if they begin with the first: raises Damaged in the end if they are not the digest's."""
        seen = hashlib.new(algorithm_of(self._digest))
        count = 0
        while piece := self.read(http.CHUNK):
            seen.update(piece)
            count += len(piece)
            yield piece
        if self.size is not None and count != self.size:
            raise Unavailable("the registry's answer broke off")
        if self._offset == 0 and f"{seen.name}:{seen.hexdigest()}" != self._digest:
            raise Damaged(detail={"digest": self._digest})

    def read(self, limit: int) -> bytes:
        """At most `limit` bytes, as soon as there are any, not hashed; b"" at the end."""
        while self._skip:  # the registry cannot begin in the middle
            skipped = len(http.read_some(self._response, min(self._skip, http.CHUNK)))
            if not skipped:
                raise Unavailable("the registry's answer broke off")
            self._skip -= skipped
        return http.read_some(self._response, limit)

    def close(self) -> None:
        self._response.close()


class Registry(Transport):
    """A registry, by the questions that the protocol knows; see Transport for what one is made of."""

    _lists_referrers = True

    def ping(self) -> None:
        """Nothing, if the registry speaks the protocol and lets us in."""
        with self.ask("GET", "/v2/", ()):
            pass

    # Manifests

    def get_manifest(self, reference: Reference) -> Manifest:
        """The manifest, read strictly, its bytes checked against the digest asked for or announced.

        Raises ManifestUnknown, ManifestInvalid, or Damaged where the bytes are not those of the digest.
        """
        with self.ask("GET", _manifest(reference), _pull(reference.repository), headers=ACCEPT) as response:
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
            with self.ask("HEAD", _manifest(reference), _pull(reference.repository), headers=ACCEPT) as response:
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

    def put_manifest(self, reference: Reference, manifest: Manifest) -> bool:
        """Store the manifest, byte for byte. Raises DigestInvalid where the registry understood another digest.

        Whether the registry itself keeps the list of what refers to the manifest's subject, if it has one.
        """
        with self.ask(
            "PUT",
            _manifest(reference),
            _push(reference.repository),
            headers={"Content-Type": manifest.media_type},
            data=manifest.content,
        ) as response:
            answer = response.headers.get("Docker-Content-Digest", "")
            lists = "OCI-Subject" in response.headers
        if is_digest(answer) and manifest.digest_as(algorithm_of(answer)) != answer:
            raise DigestInvalid("the registry stored other bytes", {"digest": answer})
        return lists

    def delete_manifest(self, reference: Reference) -> bool:
        """Delete by digest (or a tag, where the registry can); False where it was gone already."""
        need = (Need(reference.repository, ("delete",)),)
        try:
            with self.ask("DELETE", _manifest(reference), need):
                return True
        except ManifestUnknown:
            return False

    # Blobs

    def head_blob(self, repository: str, digest: str) -> StoredBlob | None:
        """The blob's real size and stored digest; None where the repository does not hold it."""
        try:
            with http.closing(self.follow("HEAD", _blob(repository, digest), _pull(repository))) as response:
                stored = response.headers.get("Docker-Content-Digest", "")
                return StoredBlob(_length(response), stored if is_digest(stored) else digest)
        except BlobUnknown:
            return None

    @contextmanager
    def get_blob(self, repository: str, digest: str, offset: int = 0) -> Iterator[BlobStream]:
        """The blob's bytes from `offset` on, to be iterated once. Raises BlobUnknown.

        From the beginning the bytes are checked against the digest; who resumes checks the whole.
        """
        stream = self.open_blob(repository, digest, offset)
        try:
            yield stream
        finally:
            stream.close()

    def open_blob(self, repository: str, digest: str, offset: int = 0) -> BlobStream:
        """As `get_blob`, for who reads piece by piece and closes the stream."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        response = self.follow("GET", _blob(repository, digest), _pull(repository), headers=headers)
        return BlobStream(response, digest, offset)

    def delete_blob(self, repository: str, digest: str) -> bool:
        """Make the repository forget the blob; False where it was gone already."""
        try:
            with self.ask("DELETE", _blob(repository, digest), (Need(repository, ("delete",)),)):
                return True
        except BlobUnknown:
            return False

    def mount_blob(self, source: str, target: str, digest: str) -> bool:
        """Let `target` hold the blob that `source` holds, without moving bytes; False where the registry would not."""
        location = self.mount_or_start(source, target, digest)
        if location:
            self.cancel_upload(target, location)
        return not location

    def mount_or_start(self, source: str, target: str, digest: str) -> str:
        """As `mount_blob`: empty if `target` holds the blob now, or else the address of an upload."""
        query = urlencode({"mount": parse_digest(digest), "from": parse_name(source)})
        needs = (*_push(target), *_pull(source))
        with self.ask("POST", f"{_uploads(target)}?{query}", needs) as response:
            return "" if response.status_code == 201 else self.location(response)

    def start_upload(self, repository: str) -> str:
        """The address of a new upload. Being without a body, this is what draws a challenge."""
        with self.ask("POST", _uploads(repository), _push(repository)) as response:
            return self.location(response)

    def upload_chunk(self, repository: str, location: str, content: bytes | Body, start: int | None) -> str:
        """Append `content`, whose first byte is the blob's byte `start`; the address for what follows.

        Raises RangeInvalid where the registry stands elsewhere. Without `start` nothing is said about where it belongs.
        """
        headers = {"Content-Type": "application/octet-stream"}
        if start is not None:
            headers["Content-Range"] = f"{start}-{start + len(content) - 1}"
        needs = _push(repository)
        with self.ask("PATCH", location, needs, headers=headers, data=content, patience=STORING) as response:
            return self.location(response)

    def upload_status(self, repository: str, location: str) -> int:
        """How many bytes of the upload the registry holds."""
        return self.resume_upload(repository, location)[0]

    def resume_upload(self, repository: str, location: str) -> tuple[int, str]:
        """How many bytes of the upload the registry holds, and the address for what follows."""
        with self.ask("GET", location, _push(repository)) as response:
            last = re.fullmatch(r"(?:bytes=)?0-(\d{1,18})", response.headers.get("Range", ""), re.ASCII)
            # `0-0` stands for nothing and for one byte alike; nothing is the safe answer.
            standing = int(last[1]) + 1 if last and last[1] != "0" else 0
            return standing, self.location(response) if "Location" in response.headers else location

    def finish_upload(self, repository: str, location: str, digest: str, content: bytes | Body = b"") -> None:
        """End the upload with `content`, its last or only bytes.

        Raises DigestInvalid where the registry received something else.
        """
        url = f"{location}{'&' if '?' in location else '?'}{urlencode({'digest': parse_digest(digest)})}"
        headers = {"Content-Type": "application/octet-stream"}
        with self.ask("PUT", url, _push(repository), headers=headers, data=content, patience=STORING):
            pass

    def cancel_upload(self, repository: str, location: str) -> None:
        """Tell the registry that nothing will follow; it may not care."""
        with (
            suppress(RegistryError),
            self.ask("DELETE", location, (Need(repository, ("delete", "pull", "push")),)),
        ):
            pass

    def put_blob(self, repository: str, digest: str, content: bytes | Body) -> None:
        """Upload a blob in one piece."""
        self.finish_upload(repository, self.start_upload(repository), digest, content)

    # Lists

    def referrers(self, repository: str, digest: str) -> tuple[Descriptor, ...] | None:
        """What refers to the manifest `digest`; None where the registry has no such list (`fallback_tag` then)."""
        if not self._lists_referrers:
            return None
        path = f"/v2/{parse_name(repository)}/referrers/{parse_digest(digest)}"
        try:
            pages = list(self._documents(path, _pull(repository)))
        except RegistryError as error:
            if error.status not in (404, 405):
                raise
            self._lists_referrers = False  # who has the list answers with an empty one
            return None
        return tuple(entry for page in pages for entry in parse(page, OCI_INDEX).children)

    def tags(self, repository: str) -> Iterator[str]:
        """The repository's tags, page by page."""
        for answer in self._pages(f"/v2/{parse_name(repository)}/tags/list", _pull(repository)):
            yield from (tag for tag in _strings(answer, "tags") if is_tag(tag))

    def catalog(self) -> Iterator[str]:
        """The names of all repositories, page by page."""
        for answer in self._pages("/v2/_catalog", (Need("catalog", ("*",), "registry"),)):
            yield from (name for name in _strings(answer, "repositories") if is_name(name))

    def _pages(self, path: str, needs: tuple[Need, ...]) -> Iterator[Any]:
        for content in self._documents(f"{path}?n={PAGE}", needs):
            yield http.as_json(content)

    def _documents(self, path: str, needs: tuple[Need, ...]) -> Iterator[bytes]:
        """The bodies of a list's pages."""
        url = f"{self.base_url}{path}"
        for _ in range(MAX_PAGES):
            with self.ask("GET", url, needs) as response:
                content = http.read(response, LIST_ANSWER)
                link = re.match(r'\s*<([^>]{1,4096})>\s*;\s*rel="?next"?', response.headers.get("Link", ""))
            yield content
            if link is None:
                return
            url = self.resolve(link[1])
        raise Unavailable("the registry's list does not end")


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
    length = http.length(response)
    if length is None:
        raise Unavailable("the registry does not say how large it is")
    return length


def _range_start(response: http.Response) -> int:
    found = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""), re.ASCII)
    return int(found[1]) if found else -1


def _strings(answer: Any, name: str) -> list[str]:
    values = answer.get(name) if isinstance(answer, dict) else None
    return [value for value in values or [] if isinstance(value, str)] if isinstance(values, list) else []
