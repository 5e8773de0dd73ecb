"""Making rows of a push. Called by `actions` alone, inside its transaction and under its locks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from artifacts import kinship
from artifacts.contents import Push
from artifacts.holdings import Holdings, holdings
from artifacts.kinship import Kinship
from artifacts.models import Accessory, Artifact, ArtifactBlob, Blob, Manifest, Reference, Repository
from artifacts.rows import insert
from registry.errors import ManifestBlobUnknown


def touch_repository(project_id: int, name: str, now: datetime) -> Repository:
    """The repository, made if it is not there, changed just now. Its row is locked from here on."""
    repository = Repository(project_id=project_id, name=name, creation_time=now, update_time=now)
    conflict = "(name) DO UPDATE SET update_time = excluded.update_time"
    [(repository.pk,)] = insert([repository], on_conflict=conflict)
    return repository


def held(project_id: int, repository: Repository, push: Push) -> Holdings:
    """What is there of `push` already. Raises ManifestBlobUnknown where a child has been deleted meanwhile."""
    children = {child.digest for child in push.contents.children}
    subjects = {kin.subject_digest for _, kin in _kinships(push)}
    found = holdings(
        project_id=project_id,
        repository_id=repository.pk,
        artifacts={push.digest} | children | subjects,
        stored={push.manifest.digest, *(blob.stored_digest for blob in push.contents.blobs)},
        subject=push.digest,
    )
    if missing := children - found.artifacts.keys():
        raise ManifestBlobUnknown("a manifest that the index names has been deleted", {"digest": min(missing)})
    return found


def find(push: Push, there: Holdings) -> Artifact | None:
    """The artifact, if it was pushed before; a new tag may make it somebody's signature."""
    if push.digest not in there.artifacts:
        return None
    artifact = Artifact.objects.get(pk=there.artifacts[push.digest])
    if not push.manifest.subject:
        _add_accessories(artifact.repository_id, push, there)
    return artifact


def price(push: Push, there: Holdings) -> int:
    """The bytes that `push` adds to its project: blobs and manifest, without what the project pays for already."""
    parts = {blob.stored_digest: blob.size for blob in push.contents.blobs}
    parts[push.manifest.digest] = len(push.manifest.content)
    return sum(size for digest, size in parts.items() if digest not in there.charged)


def add(project_id: int, repository: Repository, push: Push, there: Holdings, now: datetime) -> Artifact:
    """The new artifact, with everything that hangs on it."""
    manifest = push.manifest
    artifact = Artifact.objects.create(
        project_id=project_id,
        repository=repository,
        digest=push.digest,
        stored_digest=manifest.digest,
        kept=push.kept,
        media_type=manifest.media_type,
        artifact_type=manifest.artifact_type,
        config_media_type=manifest.config_media_type,
        type=push.description.type,
        size=len(manifest.content) + push.contents.size,
        manifest_size=len(manifest.content),
        extra_attrs=push.description.extra_attrs,
        annotations=manifest.annotations,
        subject_digest=manifest.subject.digest if manifest.subject else "",
        push_time=now,
    )
    there.artifacts[push.digest] = artifact.pk
    Manifest.objects.create(artifact=artifact, content=manifest.content)
    _add_blobs(repository, artifact, push, now)
    insert(_references(artifact, push, there))
    _add_accessories(repository.pk, push, there)
    if there.waiting:
        Accessory.objects.filter(pk__in=there.waiting).update(subject=artifact)
    return artifact


def _add_blobs(repository: Repository, artifact: Artifact, push: Push, now: datetime) -> None:
    blobs = [
        Blob(repository=repository, digest=seen.digest, stored_digest=seen.stored_digest, size=seen.size, touched=now)
        for seen in push.contents.blobs
    ]
    ids = insert(blobs, on_conflict="(repository_id, digest) DO UPDATE SET touched = excluded.touched")
    insert([ArtifactBlob(artifact=artifact, blob_id=pk) for (pk,) in ids])


def _references(parent: Artifact, push: Push, there: Holdings) -> list[Reference]:
    return [
        Reference(
            parent=parent,
            child_id=there.artifacts[entry.digest],
            position=position,
            # BuildKit calls the platform of an attestation "unknown/unknown"; it has none.
            platform={} if kinship.is_attestation(entry) else entry.platform,
            annotations=entry.annotations,
            urls=list(entry.urls),
        )
        for position, entry in enumerate(push.manifest.children)
    ]


def _kinships(push: Push) -> Iterable[tuple[str, Kinship]]:
    """The digests of accessories that `push` makes known, and what each belongs to."""
    if push.manifest.is_index:
        yield from kinship.attestations(push.manifest)
    if own := kinship.kinship(push.manifest, push.tag):
        yield push.digest, own


def _add_accessories(repository_id: int, push: Push, there: Holdings) -> None:
    rows = [
        Accessory(
            artifact_id=there.artifacts[digest],
            repository_id=repository_id,
            subject_id=there.artifacts.get(kin.subject_digest),
            subject_digest=kin.subject_digest,
            type=kin.type,
        )
        for digest, kin in dict(_kinships(push)).items()
        if kin.subject_digest != digest
    ]
    insert(rows, on_conflict="(artifact_id) DO NOTHING")
