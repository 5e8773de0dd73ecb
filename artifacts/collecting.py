"""Freeing the space of what has been deleted: own mark and sweep, because the registry's own breaks accepted pushes.

Kept is what an artifact references, what a push touched in the last two hours, and whatever the storage itself says is
that young. Repositories forget first, so that the registry answers 404 and a client pushes again; then the bytes go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from artifacts.models import Artifact, ArtifactBlob, Blob
from registry.objects import Heap, Object, Part, part_of

GRACE = timedelta(hours=2)


@dataclass
class Findings:
    """What is of no use any more."""

    links: list[Object] = field(default_factory=list)
    blobs: list[Object] = field(default_factory=list)
    uploads: list[Object] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    """Ids of `Blob` rows whose blob goes, or whose repository forgets it."""

    @property
    def freed(self) -> int:
        """Bytes."""
        return sum(one.size for one in (*self.blobs, *self.uploads))


@dataclass
class Needed:
    """What must stay: by repository the digests that it may serve, and the stored digests of all bytes."""

    links: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    blobs: set[str] = field(default_factory=set)

    def add(self, repository: str, digest: str, stored_digest: str) -> None:
        self.links[repository] |= {digest, stored_digest}
        self.blobs.add(stored_digest)


def find(heap: Heap, now: datetime) -> Findings:
    """What can be removed from `heap`; nothing is."""
    limit = now - GRACE
    needed = _needed(limit)
    found = Findings()
    blobs: dict[str, Object] = {}
    uploads: dict[Part, list[Object]] = defaultdict(list)
    for one in heap.objects():
        part, is_old = part_of(one.key), one.touched <= limit.timestamp()
        if part is None:
            continue
        if part.kind == "blob" and is_old and part.identifier not in needed.blobs:
            blobs[part.identifier] = one
        elif part.kind in ("layer", "revision") and not is_old:
            needed.add(part.repository, part.identifier, part.identifier)
        elif part.kind in ("layer", "revision") and part.identifier not in needed.links.get(part.repository, ()):
            found.links.append(one)
        elif part.kind == "upload":
            uploads[part].append(one)
    # A young link, listed after the blob that it names, is a reason to keep it.
    found.blobs = [one for digest, one in blobs.items() if digest not in needed.blobs]
    for objects in uploads.values():
        if all(one.touched <= limit.timestamp() for one in objects):
            found.uploads += objects
    unused = Blob.objects.filter(uses__isnull=True, touched__lte=limit)
    found.rows = list(unused.values_list("pk", flat=True))
    return found


def remove(heap: Heap, found: Findings) -> None:
    """Remove it. Whoever dies in between leaves something for the next time, and nothing that is half there."""
    Blob.objects.filter(pk__in=found.rows, uses__isnull=True).delete()
    for objects in (found.links, found.blobs, found.uploads):
        heap.remove(_keys(objects))


def _keys(objects: Iterable[Object]) -> list[str]:
    return [one.key for one in objects]


def _needed(limit: datetime) -> Needed:
    needed = Needed()
    manifests = Artifact.objects.values_list("repository__name", "stored_digest", "stored_digest")
    used = ArtifactBlob.objects.values_list("blob__repository__name", "blob__digest", "blob__stored_digest")
    young = Blob.objects.filter(touched__gt=limit).values_list("repository__name", "digest", "stored_digest")
    for rows in (manifests, used, young):
        for repository, digest, stored_digest in rows.iterator():
            needed.add(repository, digest, stored_digest)
    return needed
