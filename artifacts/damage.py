"""Bytes in the storage that are not those of their digest: finding them, and moving them away so that a push heals.

`distribution` never writes a blob again whose file is there, so a truncated one would stay for ever.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from django.conf import settings

from registry.references import is_digest
from registry.storage import FilesystemStorage, Storage, storage_for

AT_ONCE = 64 * 1024 * 1024
"""Bytes that a request may hash; larger blobs are left to `manage.py scrub`."""
_log = logging.getLogger(__name__)


def storage() -> Storage:
    """The storage of the registry behind us."""
    return storage_for(settings.REGISTRY_STORAGE["driver"], settings.REGISTRY_STORAGE["root"])


def mend(digest: str) -> bool:
    """Move the blob away if it is damaged, not too large to be hashed now, and within reach; whether it was."""
    place = storage()
    if not is_digest(digest) or not isinstance(place, FilesystemStorage):
        return False
    size = place.size_of(digest)
    if size is None or size > AT_ONCE or not is_damaged(place, digest):
        return False
    _log.error("the registry's copy of %s was damaged and is now %s", digest, place.quarantine(digest))
    return True


def is_damaged(place: FilesystemStorage, digest: str) -> bool:
    """Whether the file holds other bytes than the digest's; not, where there is none."""
    try:
        return hash_of(place.path_of(digest), digest.partition(":")[0]) != digest
    except FileNotFoundError:
        return False


def hash_of(path: Path, algorithm: str) -> str:
    """The digest of a file's content."""
    with path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
