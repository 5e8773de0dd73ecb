"""Blobs called by another digest than the registry's own.

`distribution` stores by sha256. A blob that was uploaded as sha512 is found by that name in the same repository;
mounted into another one it has only the first name there, and we remember the second.
"""

from __future__ import annotations

from collections.abc import Iterable

from artifacts.models import Alias
from registry.client import Registry, StoredBlob
from registry.references import algorithm_of


def head_blob(registry: Registry, repository: str, digest: str) -> StoredBlob | None:
    """The blob as `repository` holds it, by whichever name; None where it does not."""
    stored = registry.head_blob(repository, digest)
    if stored is not None or algorithm_of(digest) == "sha256":
        return stored
    stored_digest = known([digest]).get(digest)
    return registry.head_blob(repository, stored_digest) if stored_digest else None


def known(digests: Iterable[str]) -> dict[str, str]:
    """The sha256 digests of those contents that are remembered."""
    others = [digest for digest in digests if algorithm_of(digest) != "sha256"]
    return dict(Alias.objects.filter(digest__in=others).values_list("digest", "stored_digest")) if others else {}


def remember(digest: str, stored_digest: str) -> None:
    """Remember what the registry said: `digest` is kept as `stored_digest`."""
    if digest != stored_digest:
        Alias.objects.bulk_create([Alias(digest=digest, stored_digest=stored_digest)], ignore_conflicts=True)
