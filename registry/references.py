"""Names, tags and digests: parsed at the door, passed on as values.

The grammars are those of the OCI distribution specification ("Pulling manifests") and image specification ("Digests").
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from registry.errors import DigestInvalid, NameInvalid, TagInvalid

# All three are for `fullmatch`: `^...$` would let a trailing newline through.
NAME = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*",
    re.ASCII,
)
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}", re.ASCII)
DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}", re.ASCII)

MAX_NAME = 255
"""Characters of a repository's full name, as in `distribution`."""


def is_name(text: str) -> bool:
    """Whether `text` is a repository name."""
    return len(text) <= MAX_NAME and NAME.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether `text` is a tag."""
    return TAG.fullmatch(text) is not None


def is_digest(text: str) -> bool:
    """Whether `text` is a digest of an algorithm we know: sha256 or sha512, lower-case hex."""
    return DIGEST.fullmatch(text) is not None


def parse_name(text: str) -> str:
    """`text`, if it is a repository name. Raises NameInvalid."""
    if not is_name(text):
        raise NameInvalid(detail={"name": text[:MAX_NAME]})
    return text


def parse_digest(text: str) -> str:
    """`text`, if it is a digest. Raises DigestInvalid."""
    if not is_digest(text):
        raise DigestInvalid("invalid digest", {"digest": text[:MAX_NAME]})
    return text


def algorithm_of(digest: str) -> str:
    """`sha256` or `sha512`."""
    return digest.partition(":")[0]


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    """The digest of `content`. Raises DigestInvalid for an algorithm we do not know."""
    if algorithm not in ("sha256", "sha512"):
        raise DigestInvalid("unsupported digest algorithm", {"algorithm": algorithm})
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Reference:
    """One manifest, by tag or by digest: `library/nginx` and `1.27`."""

    repository: str
    identifier: str

    @classmethod
    def parse(cls, repository: str, identifier: str) -> Reference:
        """The reference, if both parts are well formed. Raises NameInvalid, DigestInvalid or TagInvalid."""
        parse_name(repository)
        if ":" in identifier:
            parse_digest(identifier)
        elif not is_tag(identifier):
            raise TagInvalid(detail={"tag": identifier[:MAX_NAME]})
        return cls(repository, identifier)

    @property
    def is_digest(self) -> bool:
        """Whether it names a manifest by digest, not by tag."""
        return ":" in self.identifier

    @property
    def project(self) -> str:
        """The project's name: the first segment of the repository's."""
        return self.repository.partition("/")[0]

    def at(self, digest: str) -> Reference:
        """The same repository, pinned to `digest`."""
        return Reference(self.repository, digest)

    def __str__(self) -> str:
        return f"{self.repository}{'@' if self.is_digest else ':'}{self.identifier}"
