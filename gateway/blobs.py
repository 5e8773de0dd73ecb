"""Blobs: only what the edge cannot send to the registry by itself. No byte of a blob passes here.

The answers are those that `deploy/edge.conf` agrees on: `X-Accel-Redirect` sends the request on, unread.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse

from artifacts import aliases
from artifacts.models import Blob
from gateway.callers import authorize, may_pull
from gateway.errors import answer_to
from gateway.lookup import Found
from gateway.paths import Address, parse_repository
from gateway.rules import check_upload
from gateway.uploads import standing
from registry import states
from registry.client import StoredBlob
from registry.errors import (
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    NameInvalid,
    RangeInvalid,
    RegistryError,
)
from registry.references import is_digest, parse_digest
from tokens.upstream import registry

AS_IT_CAME = "@registry"
"""The edge's name for: the same request, to the registry."""
BY_SHA256 = "/_registry/v2/{repository}/blobs/{digest}"
LENGTH = "HTTP_X_UPLOAD_LENGTH"
"""The Content-Length of an upload's body, which itself stays with the edge."""
_RANGE = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
_CONTENT_RANGE = re.compile(r"(?:bytes )?(\d{1,18})-(\d{1,18})(?:/(?:\d+|\*))?", re.ASCII)


def read(request: HttpRequest, address: Address) -> HttpResponse:
    """A blob by sha512, or a part of one: judged here, served by the registry."""
    digest = parse_digest(address.identifier)
    found = authorize(request, address.repository, "pull")
    blob = _find(found, address.repository, digest)
    if "HTTP_RANGE" in request.META and not _is_satisfiable(request.META["HTTP_RANGE"], blob.size):
        response = answer_to(RangeInvalid("the blob has no such range", {"size": blob.size}), address, "")
        response["Content-Range"] = f"bytes */{blob.size}"
        return response
    if digest == blob.digest:
        return _redirect(AS_IT_CAME)
    return _redirect(BY_SHA256.format(repository=address.repository, digest=blob.digest))


def start(request: HttpRequest, address: Address) -> HttpResponse:
    """An upload begins; or none is needed, where the blob can be mounted from a repository that the caller may pull."""
    found = authorize(request, address.repository, "push")
    check_upload(found.project, _length(request), request.GET.get("digest", ""))
    if "mount" not in request.GET:
        return _redirect(AS_IT_CAME)
    digest = _mounted(request, found, address.repository)
    if digest:
        headers = {"Location": f"/v2/{address.repository}/blobs/{digest}", "Docker-Content-Digest": digest}
        return HttpResponse(status=201, headers=headers)
    url = urlsplit(registry().start_upload(address.repository))
    identifier = url.path.rpartition("/")[2]
    location = Address(address.kind, address.repository, identifier).path + (f"?{url.query}" if url.query else "")
    return HttpResponse(status=202, headers={"Location": location, "Range": "0-0", "Docker-Upload-UUID": identifier})


def go_on(request: HttpRequest, address: Address) -> HttpResponse:
    """How far an upload is, a chunk that says where it belongs, the end of an upload by sha512: the edge asks first."""
    found = authorize(request, address.repository, "push")
    if request.method == "GET":
        return standing(request, address) or _redirect(AS_IT_CAME)
    digest = parse_digest(request.GET["digest"]) if "digest" in request.GET else ""
    check_upload(found.project, _length(request), digest)
    if "HTTP_CONTENT_RANGE" in request.META:
        try:
            _check_content_range(request)
        except RangeInvalid as error:
            response = answer_to(error, address, "")
            response["Location"] = f"{address.path}?{urlencode({'_state': request.GET.get('_state', '')})}"
            response["Range"] = f"0-{max(_offset(request) - 1, 0)}"
            response["Docker-Upload-UUID"] = address.identifier
            return response
    return _redirect(AS_IT_CAME)


def cancel(request: HttpRequest, address: Address) -> HttpResponse:
    """An upload ends without a blob. Who may push may also change their mind, which the registry calls deleting."""
    authorize(request, address.repository, "push")
    location = f"{address.path}?{urlencode({'_state': request.GET.get('_state', '')})}"
    try:
        registry().upload_status(address.repository, location)
    except RegistryError as error:
        if error.temporary:
            raise
        raise BlobUploadUnknown() from error
    registry().cancel_upload(address.repository, location)
    return HttpResponse(status=204)


def mount_source(request: HttpRequest) -> str:
    """The repository that the request wants to mount a blob from; empty where it does not say so in so many words."""
    sources, digests = request.GET.getlist("from"), request.GET.getlist("mount")
    if len(sources) != 1 or len(digests) != 1 or not is_digest(digests[0]):
        return ""
    try:
        return parse_repository(sources[0])
    except NameInvalid:
        return ""


def _redirect(target: str) -> HttpResponse:
    return HttpResponse(headers={"X-Accel-Redirect": target})


def _find(found: Found, repository: str, digest: str) -> StoredBlob:
    """The blob as the database knows it, or else the registry. Raises BlobUnknown."""
    row = Blob.objects.filter(repository=found.repository_id, digest=digest).first() if found.repository_id else None
    if row:
        return StoredBlob(row.size, row.stored_digest)
    stored = aliases.head_blob(registry(), repository, digest)
    if stored is None:
        raise BlobUnknown(detail={"digest": digest})
    return stored


def _mounted(request: HttpRequest, found: Found, repository: str) -> str:
    """The digest of the blob that has been mounted; empty where none was, whatever the reason but a full project."""
    source, digest = mount_source(request), request.GET["mount"]
    if not source or not may_pull(request, source):
        return ""
    stored = aliases.head_blob(registry(), source, digest)
    if stored is None:
        return ""
    check_upload(found.project, stored.size, stored.digest)
    aliases.remember(digest, stored.digest)
    return digest if registry().mount_blob(source, repository, stored.digest) else ""


def _is_satisfiable(header: str, size: int) -> bool:
    """Whether every part of a Range header lies within `size` bytes; 2.8 breaks the connection where one does not."""
    unit, _, parts = header.partition("=")
    if unit.strip() != "bytes":
        return False
    for part in parts.split(","):
        bounds = _RANGE.fullmatch(part.strip())
        if not bounds or bounds[0] == "-":
            return False
        first, last = bounds.groups()
        if not first:
            if int(last) == 0 or size == 0:
                return False
        elif int(first) >= size or (last and int(last) < int(first)):
            return False
    return True


def _length(request: HttpRequest) -> int:
    """How many bytes the blob has at least, as far as the client says: those of the body, and those before it."""
    length = request.META.get(LENGTH, "")
    bounds = _CONTENT_RANGE.fullmatch(request.META.get("HTTP_CONTENT_RANGE", ""))
    before = int(bounds[1]) if bounds else 0
    return before + int(length[:20]) if length.isascii() and length.isdecimal() else 0


def _check_content_range(request: HttpRequest) -> None:
    """Return if the chunk is what it says and begins where the upload stands."""
    bounds = _CONTENT_RANGE.fullmatch(request.META["HTTP_CONTENT_RANGE"])
    if not bounds:
        raise RangeInvalid("the Content-Range cannot be read")
    first, last = int(bounds[1]), int(bounds[2])
    length = request.META.get(LENGTH, "")
    if not length.isdecimal():
        raise BlobUploadInvalid("a chunk with a Content-Range needs a Content-Length")
    if last - first + 1 != int(length):
        raise RangeInvalid(f"the Content-Range stands for {last - first + 1} bytes, the body has {length}")
    if first != _offset(request):
        raise RangeInvalid(f"the upload stands at byte {_offset(request)}, the chunk begins at {first}")


def _offset(request: HttpRequest) -> int:
    """Where the upload stands, as the registry wrote it into the upload's address, whose signature it checks itself."""
    return states.offset_of(request.GET.get("_state", ""))
