"""Checking that what was promised is true: each function yields a sentence for each thing that is wrong.

I1  every manifest is in the database and in the registry, byte for byte, and so are all its blobs
I2  every tag names an artifact that has its manifest, and the registry itself holds no tags
I3  every project's quota says what the project really uses
I4  no job is running that nobody works on
I5  no empty link or blob lies in the storage, as a full disk leaves them
I6  every artifact says rightly whether lists show it and whether a tag names it
I7  every tally of the audit log says how many entries there are
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now

from accounts.errors import NotFound
from artifacts.books import compare, misplaced_in, used
from artifacts.contents import read_back
from artifacts.models import Artifact, ArtifactBlob, Tag
from artifacts.standing import misplaced
from audit import checking
from jobs.models import Job, Status
from projects.models import Quota
from registry.client import Registry
from registry.errors import RegistryError
from registry.objects import Heap, part_of

PATIENCE = timedelta(minutes=3)
EMPTY = f"sha256:{hashlib.sha256(b'').hexdigest()}"


def manifests(registry: Registry) -> Iterator[str]:
    """I1, the manifests."""
    rows = Artifact.objects.select_related("repository", "manifest").order_by("pk")
    for artifact in rows.iterator(chunk_size=100):
        name = f"{artifact.repository.name}@{artifact.digest}"
        if not hasattr(artifact, "manifest"):
            yield f"I1 {name}: the database has no manifest"
            continue
        content = bytes(artifact.manifest.content)
        algorithm = artifact.digest.partition(":")[0]
        if f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}" != artifact.digest:
            yield f"I1 {name}: the database's manifest has another digest"
        try:
            if read_back(registry, artifact.repository.name, artifact.stored_digest, artifact.kept) != content:
                yield f"I1 {name}: the registry's manifest differs"
        except RegistryError as error:
            yield f"I1 {name}: the registry does not give the manifest: {error}"


def blobs(registry: Registry, *, whole: bool = True) -> Iterator[str]:
    """I1, the blobs: size and hash of every one, or, unless `whole`, only whether it is there in its size."""
    columns = ("blob__repository__name", "blob__digest", "blob__stored_digest", "blob__size")
    rows = ArtifactBlob.objects.values_list(*columns).distinct().order_by(*columns)
    read: set[str] = set()
    for repository, digest, stored_digest, size in rows.iterator():
        name = f"{repository}@{digest}"
        try:
            stored = registry.head_blob(repository, stored_digest)
            if stored is None:
                yield f"I1 {name}: the registry does not have the blob"
            elif stored.size != size:
                yield f"I1 {name}: the registry's blob has {stored.size} bytes, not {size}"
            elif whole and stored_digest not in read:
                read.add(stored_digest)
                with registry.get_blob(repository, stored_digest) as stream:
                    for _ in stream:
                        pass
        except RegistryError as error:
            yield f"I1 {name}: the registry does not give the blob: {error}"


def tags() -> Iterator[str]:
    """I2."""
    for tag in Tag.objects.exclude(artifact__repository=F("repository")).select_related("repository"):
        yield f"I2 {tag.repository.name}:{tag.name}: its artifact is in another repository"
    for tag in Tag.objects.filter(artifact__manifest=None).select_related("repository"):
        yield f"I2 {tag.repository.name}:{tag.name}: its artifact has no manifest"


def registry_tags(heap: Heap) -> Iterator[str]:
    """I2, the registry's side."""
    found = {
        (part.repository, part.identifier)
        for one in heap.objects()
        if (part := part_of(one.key)) and part.kind == "tag"
    }
    for repository, tag in sorted(found):
        yield f"I2 {repository}:{tag}: the registry holds a tag"


def quotas() -> Iterator[str]:
    """I3. What looks wrong is counted again with nobody pushing meanwhile. `manage.py recount` puts it right."""
    for quota in Quota.objects.select_related("project").order_by("pk").iterator():
        if quota.used == used(quota.project_id):
            continue
        with suppress(NotFound):  # the project has gone meanwhile
            booked, real = compare(quota.project_id)
            if booked != real:
                yield f"I3 {quota.project.name}: {booked} bytes are booked, {real} are used"


def jobs() -> Iterator[str]:
    """I4. A dead worker's job is another's at the nudge of the next minute; longer is wrong."""
    for job in Job.objects.filter(status=Status.RUNNING, lease_until__lt=Now() - PATIENCE):
        yield f"I4 job {job.pk} ({job.kind}): running without a worker since {job.lease_until}"


def lists() -> Iterator[str]:
    """I6. What looks wrong is looked at again with nobody pushing meanwhile. `manage.py recount` puts it right."""
    wrong = misplaced(Artifact.objects.all()).order_by("project").values_list("project", "project__name").distinct()
    for pk, name in list(wrong):
        with suppress(NotFound):  # the project has gone meanwhile
            if count := misplaced_in(pk):
                yield f"I6 {name}: lists know {count} artifacts wrongly"


def tallies() -> Iterator[str]:
    """I7. `manage.py recount` puts it right."""
    if count := checking.drifted():
        yield f"I7 audit log: {count} of its tallies are wrong"


def storage(heap: Heap) -> Iterator[str]:
    """I5."""
    for one in heap.objects():
        part = part_of(one.key)
        if part and one.size == 0 and part.kind in ("blob", "layer", "revision") and part.identifier != EMPTY:
            yield f"I5 {one.key}: empty"
