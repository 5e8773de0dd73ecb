"""What a manifest names, asked from the registry, and the manifest itself, put there: all before the database is told.

Nothing is taken from the manifest's word: a blob that our tables do not hold yet is asked for by HEAD, its size is the
registry's, and a manifest counts as stored when it has been read back and hashed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

from artifacts import aliases, damage
from artifacts.description import Description, describe, has_readable_config
from artifacts.kinship import kinships
from artifacts.models import Artifact
from artifacts.survey import SeenArtifact, SeenBlob, Survey, survey
from registry.client import Registry, StoredBlob
from registry.errors import (
    BlobUnknown,
    Damaged,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    RegistryError,
    SizeInvalid,
    Unavailable,
)
from registry.manifests import Descriptor, Manifest
from registry.references import Reference, algorithm_of, digest_of

PARALLEL = 8
"""Blobs asked for at once, in the whole process."""
PAUSES = (0.05, 0.15, 0.4)
"""Seconds between tries, more or less."""
PATIENCE = 2.0
"""Seconds after which a failure is not tried again: a registry that hangs is not busy."""
T = TypeVar("T")
_pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="head-blob")


@dataclass(frozen=True)
class Push:
    """A manifest on its way to become an artifact, with all that is known about it by now.

    `reference` is what the client asked for, by tag or by digest; `digest` is what the artifact is called.
    """

    reference: Reference
    digest: str
    manifest: Manifest
    blobs: tuple[SeenBlob, ...] = ()
    """Config and layers, as the registry holds them."""
    kept: Artifact.Kept = Artifact.Kept.MANIFEST
    description: Description = Description()
    seen: Survey | None = None
    """What was there before the registry was asked."""

    @property
    def tag(self) -> str:
        """The tag, empty for a push by digest."""
        return "" if self.reference.is_digest else self.reference.identifier

    def __str__(self) -> str:
        return f"{self.reference.repository}:{self.tag}" if self.tag else f"{self.reference.repository}@{self.digest}"


def complete(registry: Registry, project_id: int, push: Push) -> Push:
    """`push`, stored in the registry, with its contents and what they say.

    Raises what `find` and `store` do; a blob that turns out to be damaged is moved away if it can be, so that the
    client's next try puts it there anew.
    """
    repository = push.reference.repository
    seen = look(project_id, push)
    try:
        blobs = patiently(lambda: find(registry, repository, push.manifest, seen))
        description = patiently(lambda: read_description(registry, repository, push.manifest, blobs))
    except (SizeInvalid, Damaged) as error:
        if damage.mend(error.detail.get("stored", "")):
            raise Unavailable("the registry's copy of a blob was damaged: push it again") from error
        raise
    try:
        kept = store(registry, repository, push.manifest)
    except RegistryError:
        # What a full disk leaves behind is never written again while it is there.
        if not damage.mend(push.manifest.digest):
            raise
        kept = store(registry, repository, push.manifest)
    # Under which sha256 digests the project pays for a sha512 one was not known when we looked.
    is_complete = all(blob.digest == blob.stored_digest for blob in blobs)
    return replace(push, blobs=blobs, description=description, kept=kept, seen=seen if is_complete else None)


def look(project_id: int, push: Push) -> Survey:
    """What is there of `push` already."""
    manifest = push.manifest
    kin = {kinship.subject_digest for _, kinship in kinships(manifest, push.digest, push.tag)}
    blobs = {blob.digest for blob in (*manifest.blobs, *manifest.foreign_blobs)}
    stored = {manifest.digest, *blobs, *(blob.stored_digest for blob in push.blobs)}
    return survey(
        project_id,
        push.reference.repository,
        artifacts={push.digest, *kin, *(child.digest for child in manifest.children)},
        blobs=blobs,
        stored=stored,
        subject=push.digest,
        tag=push.tag,
    )


def find(registry: Registry, repository: str, manifest: Manifest, seen: Survey) -> tuple[SeenBlob, ...]:
    """The blobs that `manifest` is made of, all of them known in `repository`, as are its children. Of layers that are
    kept elsewhere those that the repository holds all the same: what was pushed must not be collected.

    Raises ManifestBlobUnknown for what is not there, SizeInvalid for a descriptor with another size than the content,
    Damaged where the registry holds less or more than the blob.
    """
    for entry in manifest.children:
        _check_child(entry, seen.artifacts.get(entry.digest), repository)
    named = (*manifest.blobs, *manifest.foreign_blobs)
    unknown = [blob for blob in named if blob.digest not in seen.blobs]
    known = seen.blobs | {blob.digest: blob for blob in _ask(registry, repository, unknown)}
    return tuple(_checked(known[blob.digest], blob) for blob in named if blob.digest in known)


def _ask(registry: Registry, repository: str, blobs: list[Descriptor]) -> Iterable[SeenBlob]:
    found = _heads(registry, repository, {blob.digest: blob.digest for blob in blobs})
    # Asked of the database here: the pool's threads would keep connections of their own for ever.
    found |= _heads(registry, repository, aliases.known(digest for digest in found if found[digest] is None))
    missing = [blob.digest for blob in blobs if found[blob.digest] is None and not blob.is_foreign]
    if missing:
        raise ManifestBlobUnknown(
            f"{len(missing)} of the blobs that the manifest names are not in {repository}: {missing[0]}",
            {"digest": missing[0], "missing": missing[:20]},
        )
    return [SeenBlob(digest, stored.digest, stored.size) for digest, stored in found.items() if stored]


def _heads(registry: Registry, repository: str, names: dict[str, str]) -> dict[str, StoredBlob | None]:
    """What the registry holds, for each blob by the name in the manifest and the name to ask for."""
    asked = list(names.values())

    def head(digest: str) -> StoredBlob | None:
        return registry.head_blob(repository, digest)

    return dict(zip(names, _pool.map(head, asked) if len(asked) > 1 else map(head, asked), strict=True))


def _checked(seen: SeenBlob, named: Descriptor) -> SeenBlob:
    if seen.size != named.size:
        raise SizeInvalid(
            f"the manifest says that {named.digest} has {named.size} bytes, but it has {seen.size}",
            {"digest": named.digest, "stored": seen.stored_digest, "named": named.size, "actual": seen.size},
        )
    return seen


def _check_child(entry: Descriptor, child: SeenArtifact | None, repository: str) -> None:
    if child is None:
        raise ManifestBlobUnknown(
            f"the index names a manifest that is not in {repository}: {entry.digest}", {"digest": entry.digest}
        )
    if child.manifest_size != entry.size:
        raise SizeInvalid(
            f"the index says that {entry.digest} has {entry.size} bytes, but it has {child.manifest_size}",
            {"digest": entry.digest, "named": entry.size, "actual": child.manifest_size},
        )
    if child.media_type != entry.media_type:
        raise ManifestInvalid(
            "the index gives a manifest another media type than its own",
            {"digest": entry.digest, "named": entry.media_type, "actual": child.media_type},
        )


def read_description(
    registry: Registry, repository: str, manifest: Manifest, blobs: tuple[SeenBlob, ...]
) -> Description:
    """What lists show of `manifest`, whose contents are `blobs`; its config is read where it is worth reading."""
    config = b""
    if manifest.config and has_readable_config(manifest):
        stored = {blob.digest: blob.stored_digest for blob in blobs}[manifest.config.digest]
        try:
            with registry.get_blob(repository, stored) as stream:
                config = b"".join(stream)
        except Damaged as error:
            raise Damaged(detail={"digest": manifest.config.digest, "stored": stored}) from error
    return describe(manifest, config)


def store(registry: Registry, repository: str, manifest: Manifest) -> Artifact.Kept:
    """Put `manifest` into the registry by its sha256, and read it back; how the registry keeps it.

    Raises Damaged where other bytes, or none, come back: then nothing may be recorded.
    """
    tries = 0

    def put() -> Artifact.Kept:
        nonlocal tries
        tries += 1
        if tries > 1 and not _names_sha512(manifest) and _is_there(registry, repository, manifest):
            return Artifact.Kept.MANIFEST
        return _put(registry, repository, manifest)

    return patiently(put)


def patiently(act: Callable[[], T]) -> T:
    """What `act` gives, tried again for a moment: pushes of the same content at the same time get in each other's way
    inside the registry, which answers with errors of all kinds until one of them is through."""
    began = time.monotonic()
    for pause in PAUSES:
        try:
            return act()
        except RegistryError as error:
            in_the_way = error.temporary or isinstance(error, Damaged | DigestInvalid)
            if not in_the_way or time.monotonic() - began > PATIENCE:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))
    return act()


def _put(registry: Registry, repository: str, manifest: Manifest) -> Artifact.Kept:
    reference = Reference(repository, manifest.digest)
    try:
        registry.put_manifest(reference, manifest)
        kept = Artifact.Kept.MANIFEST
    except RegistryError as error:
        if error.temporary or not _names_sha512(manifest):
            raise
        # `distribution` knows sha256 alone: what names a sha512 digest is kept as plain bytes.
        registry.put_blob(repository, manifest.digest, manifest.content)
        kept = Artifact.Kept.BLOB
    if read_back(registry, repository, manifest.digest, kept) != manifest.content:
        raise Damaged("the registry returned other bytes than were pushed", {"digest": manifest.digest})
    return kept


def _is_there(registry: Registry, repository: str, manifest: Manifest) -> bool:
    """Whether somebody else's push of the same manifest has succeeded meanwhile."""
    try:
        return read_back(registry, repository, manifest.digest, Artifact.Kept.MANIFEST) == manifest.content
    except RegistryError:
        return False


def read_back(registry: Registry, repository: str, stored_digest: str, kept: str) -> bytes:
    """The manifest's bytes as the registry gives them. Raises Damaged where they are missing, wrong or unreadable."""
    try:
        if kept == Artifact.Kept.BLOB:
            with registry.get_blob(repository, stored_digest) as stream:
                content = b"".join(stream)
        else:
            content = registry.get_manifest(Reference(repository, stored_digest)).content
    except (ManifestUnknown, BlobUnknown, ManifestInvalid) as error:
        raise Damaged("the registry does not return what was pushed", {"digest": stored_digest}) from error
    if digest_of(content) != stored_digest:
        raise Damaged("the registry returned other bytes than were pushed", {"digest": stored_digest})
    return content


def _names_sha512(manifest: Manifest) -> bool:
    named = (*manifest.blobs, *manifest.foreign_blobs, *manifest.children)
    return any(algorithm_of(part.digest) != "sha256" for part in named)
