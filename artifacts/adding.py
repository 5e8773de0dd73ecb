"""Making rows of a push. Called by `actions` alone, inside its transaction and under its locks."""

from __future__ import annotations

from datetime import datetime

from artifacts import kinship
from artifacts.contents import Push
from artifacts.description import shown
from artifacts.models import Accessory, Artifact, ArtifactBlob, Blob, Manifest, Reference, Repository, Tag
from artifacts.rows import insert
from artifacts.survey import Survey
from registry.errors import ManifestBlobUnknown

LARGEST_SHOWN = 512 * 1024
"""Bytes of an index beyond which lists show only what its entries are, and not what it says about them."""


def touch_repository(project_id: int, name: str, now: datetime) -> Repository:
    """The repository, made if it is not there, changed just now. Its row is locked from here on."""
    repository = Repository(project_id=project_id, name=name, creation_time=now, update_time=now)
    conflict = "(name) DO UPDATE SET update_time = excluded.update_time"
    [(repository.pk,)] = insert([repository], on_conflict=conflict)
    return repository


def check_children(push: Push, seen: Survey) -> None:
    """Return if all children are still there; raise ManifestBlobUnknown where one has been deleted meanwhile."""
    if missing := {entry.digest for entry in push.manifest.children} - seen.artifacts.keys():
        raise ManifestBlobUnknown("a manifest that the index names has been deleted", {"digest": min(missing)})


def price(push: Push, seen: Survey) -> int:
    """The bytes that `push` adds to its project: blobs and manifest, without what the project pays for already."""
    return sum(parts_to_pay(push, seen).values())


def parts_to_pay(push: Push, seen: Survey) -> dict[str, int]:
    """The size of each blob, and of the manifest, that the project does not pay for yet; by stored digest."""
    if push.digest in seen.artifacts:
        return {}
    parts = {blob.stored_digest: blob.size for blob in push.blobs}
    parts[push.manifest.digest] = len(push.manifest.content)
    return {digest: size for digest, size in parts.items() if digest not in seen.charged}


def find(repository: Repository, push: Push, seen: Survey) -> Artifact | None:
    """The artifact, if it was pushed before; a new tag may make it somebody's signature."""
    if push.digest not in seen.artifacts:
        return None
    if not push.manifest.subject:
        _add_accessories(repository.pk, push, {digest: one.id for digest, one in seen.artifacts.items()})
    # Nobody reads more of it here, and what is read all the same is fetched then. In the order of the columns.
    names = ("id", "project_id", "repository_id", "digest")
    known = (seen.artifacts[push.digest].id, repository.project_id, repository.pk, push.digest)
    return Artifact.from_db(None, names, known)


def affected(push: Push, seen: Survey, artifact: Artifact) -> set[int]:
    """Ids of the artifacts of which `push`, recorded as `artifact`, may change how they stand in lists."""
    kin = {digest for digest, _ in kinship.kinships(push.manifest, push.digest, push.tag)}
    digests = {entry.digest for entry in push.manifest.children} | kin
    found = {seen.artifacts[digest].id for digest in digests if digest in seen.artifacts}
    if push.digest in seen.artifacts or push.digest in kin:
        found.add(artifact.pk)
    return found if seen.named is None else found | {seen.named, artifact.pk}


def add(project_id: int, repository: Repository, push: Push, seen: Survey, now: datetime) -> Artifact:
    """The new artifact, with everything that hangs on it."""
    manifest = push.manifest
    children = {entry.digest for entry in manifest.children}
    below = sum(blob.size for blob in push.blobs) + sum(seen.artifacts[digest].size for digest in children)
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
        size=len(manifest.content) + below,
        manifest_size=len(manifest.content),
        extra_attrs=push.description.extra_attrs,
        annotations=shown(manifest.annotations),
        subject_digest=manifest.subject.digest if manifest.subject else "",
        push_time=now,
        tagged=bool(push.tag),
    )
    ids = {digest: one.id for digest, one in seen.artifacts.items()} | {push.digest: artifact.pk}
    Manifest.objects.create(artifact=artifact, content=manifest.content)
    _add_blobs(repository, artifact, push, now)
    insert(_references(artifact, push, ids))
    _add_accessories(repository.pk, push, ids)
    if seen.waiting:
        Accessory.objects.filter(pk__in=seen.waiting).update(subject=artifact)
    return artifact


def _add_blobs(repository: Repository, artifact: Artifact, push: Push, now: datetime) -> None:
    blobs = [
        Blob(repository=repository, digest=seen.digest, stored_digest=seen.stored_digest, size=seen.size, touched=now)
        for seen in push.blobs
    ]
    ids = insert(blobs, on_conflict="(repository_id, digest) DO UPDATE SET touched = excluded.touched")
    insert([ArtifactBlob(artifact=artifact, blob_id=pk) for (pk,) in ids])


def _references(parent: Artifact, push: Push, ids: dict[str, int]) -> list[Reference]:
    is_shown = len(push.manifest.content) <= LARGEST_SHOWN
    return [
        Reference(
            parent=parent,
            child_id=ids[entry.digest],
            position=position,
            # BuildKit calls the platform of an attestation "unknown/unknown"; it has none.
            platform=entry.platform if is_shown and not kinship.is_attestation(entry) else {},
            annotations=entry.annotations if is_shown else {},
            urls=list(entry.urls) if is_shown else [],
        )
        for position, entry in enumerate(push.manifest.children)
    ]


def _add_accessories(repository_id: int, push: Push, ids: dict[str, int]) -> None:
    """Record what belongs to what. An artifact that goes by a tag of its own stays one in its own right: else who may
    only push could hide it from lists, and have it deleted along with another.
    """
    found = dict(kinship.kinships(push.manifest, push.digest, push.tag))
    tags = Tag.objects.filter(artifact__in=[ids[digest] for digest in found]).exclude(name=push.tag)
    independent = set(tags.values_list("artifact", flat=True)) if found else set()
    rows = [
        Accessory(
            artifact_id=ids[digest],
            repository_id=repository_id,
            subject_id=ids.get(kin.subject_digest),
            subject_digest=kin.subject_digest,
            type=kin.type,
        )
        for digest, kin in found.items()
        if ids[digest] not in independent
    ]
    insert(rows, on_conflict="(artifact_id) DO NOTHING")
