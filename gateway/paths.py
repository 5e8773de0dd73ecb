"""The paths of the v2 protocol, read in one place: routing, authorization and the database all go by the same parts.

A repository may be called `library/manifests/latest`, so a path is split at its last keyword, as `distribution` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from registry.errors import NameInvalid, NameUnknown
from registry.references import MAX_NAME, parse_name

PREFIX = "/v2/"
_CANONICAL = re.compile(r"/v2/(?:[A-Za-z0-9._:=-]+(?:/[A-Za-z0-9._:=-]+)*/?)?", re.ASCII)
"""What a path may hold at all; for `fullmatch`. `+` and `%` are in no name, tag, digest or upload id."""
_UPLOAD = re.compile(r"[A-Za-z0-9-]{1,128}", re.ASCII)


class Kind(Enum):
    """What a path addresses."""

    PING = "ping"
    CATALOG = "catalog"
    TAGS = "tags"
    MANIFEST = "manifest"
    REFERRERS = "referrers"
    BLOB = "blob"
    UPLOADS = "uploads"  # where uploads begin
    UPLOAD = "upload"  # one that has begun


@dataclass(frozen=True, slots=True)
class Address:
    """A path, parsed. `identifier` is the tag, digest or upload id at its end, not yet judged but for an upload's."""

    kind: Kind
    repository: str = ""
    identifier: str = ""

    @property
    def path(self) -> str:
        """The path, built from the parts: `parse(path).path == path`."""
        match self.kind:
            case Kind.PING:
                return PREFIX
            case Kind.CATALOG:
                return f"{PREFIX}_catalog"
            case Kind.TAGS:
                return f"{PREFIX}{self.repository}/tags/list"
            case Kind.MANIFEST:
                return f"{PREFIX}{self.repository}/manifests/{self.identifier}"
            case Kind.REFERRERS:
                return f"{PREFIX}{self.repository}/referrers/{self.identifier}"
            case Kind.BLOB:
                return f"{PREFIX}{self.repository}/blobs/{self.identifier}"
            case Kind.UPLOADS | Kind.UPLOAD:
                return f"{PREFIX}{self.repository}/blobs/uploads/{self.identifier}"


def parse(path: str) -> Address:
    """What `path` addresses. Raises NameInvalid for what is no path of ours, NameUnknown for one that leads nowhere."""
    if not _CANONICAL.fullmatch(path) or "/../" in f"{path}/" or "/./" in f"{path}/":
        raise NameInvalid("the path is not canonical", {"path": path[:MAX_NAME]})
    match path.removeprefix(PREFIX).split("/"):
        case [""]:
            return Address(Kind.PING)
        case ["_catalog"]:
            return Address(Kind.CATALOG)
        case [*name, "tags", "list"]:
            return _address(Kind.TAGS, name)
        case [*name, "manifests", identifier]:
            return _address(Kind.MANIFEST, name, identifier)
        case [*name, "referrers", identifier]:
            return _address(Kind.REFERRERS, name, identifier)
        case [*name, "blobs", "uploads", ""]:
            return _address(Kind.UPLOADS, name)
        case [*name, "blobs", "uploads", identifier] if _UPLOAD.fullmatch(identifier):
            return _address(Kind.UPLOAD, name, identifier)
        case [*name, "blobs", identifier]:
            return _address(Kind.BLOB, name, identifier)
        case [*_, ""]:
            raise NameInvalid("the path is not canonical", {"path": path[:MAX_NAME]})
    raise NameUnknown("there is nothing at this path", {"path": path[:MAX_NAME]})


def parse_repository(text: str) -> str:
    """`text`, if it names a repository in a project. Raises NameInvalid."""
    if "/" not in parse_name(text):
        raise NameInvalid("a repository is named project/repository", {"name": text})
    return text


def _address(kind: Kind, name: list[str], identifier: str = "") -> Address:
    return Address(kind, parse_repository("/".join(name)), identifier)
