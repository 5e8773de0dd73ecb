"""What a manifest names, asked from the registry, and the manifest itself, put there: all before the database is told.

Nothing is taken from the manifest's word: a blob that our tables do not hold yet is asked for by HEAD, its size is the
registry's, and a manifest counts as stored when it has been read back and hashed.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from artifacts import aliases, damage
from artifacts.description import Description, describe, has_readable_config
from artifacts.models import Artifact, Blob
from registry.client import Registry
from registry.errors import (
    BlobUnknown,
    Damaged,
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
_pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="head-blob")


@dataclass(frozen=True, slots=True)
class SeenBlob:
    """A blob that the repository holds: the digest that the manifest uses, the sha256 it is stored by, its size."""

    digest: str
    stored_digest: str
    size: int


@dataclass(frozen=True, slots=True)
class SeenChild:
    """A manifest of the repository that an index names."""

    digest: str
    size: int


@dataclass(frozen=True)
class Contents:
    """What a manifest is made of, as found."""

    blobs: tuple[SeenBlob, ...] = ()
    children: tuple[SeenChild, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of all of it, the manifest itself apart."""
        return sum(part.size for part in (*self.blobs, *self.children))


@dataclass(frozen=True)
class Push:
    """A manifest on its way to become an artifact, with all that is known about it by now.

    `reference` is what the client asked for, by tag or by digest; `digest` is what the artifact is called.
    """

    reference: Reference
    digest: str
    manifest: Manifest
    contents: Contents = Contents()
    kept: Artifact.Kept = Artifact.Kept.MANIFEST
    description: Description = Description()

    @property
    def tag(self) -> str:
        """The tag, empty for a push by digest."""
        return "" if self.reference.is_digest else self.reference.identifier

    def __str__(self) -> str:
        return f"{self.reference.repository}:{self.tag}" if self.tag else f"{self.reference.repository}@{self.digest}"


def complete(registry: Registry, push: Push) -> Push:
    """`push`, stored in the registry, with its contents and what they say.

    Raises what `find` and `store` do; a blob that turns out to be damaged is moved away if it can be, so that the
    client's next try puts it there anew.
    """
    repository = push.reference.repository
    try:
        contents = find(registry, repository, push.manifest)
        description = read_description(registry, repository, push.manifest)
    except (SizeInvalid, Damaged) as error:
        if damage.mend(error.detail.get("stored", "")):
            raise Unavailable("the registry's copy of a blob was damaged: push it again", error.detail) from error
        raise
    try:
        kept = store(registry, repository, push.manifest)
    except Damaged:
        # What a full disk leaves behind is never written again while it is there.
        if not damage.mend(push.manifest.digest):
            raise
        kept = store(registry, repository, push.manifest)
    return replace(push, contents=contents, description=description, kept=kept)


def find(registry: Registry, repository: str, manifest: Manifest) -> Contents:
    """What `manifest` is made of, all of it known in `repository`.

    Raises ManifestBlobUnknown for what is not there, SizeInvalid for a descriptor with another size than the content,
    Damaged where the registry holds less or more than the blob.
    """
    if manifest.is_index:
        return Contents(children=_children(repository, manifest.children))
    known = _known_blobs(repository, manifest.blobs)
    unknown = [blob for blob in manifest.blobs if blob.digest not in known]
    known |= {blob.digest: blob for blob in _ask(registry, repository, unknown)}
    return Contents(blobs=tuple(_checked(known[blob.digest], blob) for blob in manifest.blobs))


def _known_blobs(repository: str, blobs: Iterable[Descriptor]) -> dict[str, SeenBlob]:
    rows = Blob.objects.filter(repository__name=repository, digest__in=[blob.digest for blob in blobs])
    return {row[0]: SeenBlob(*row) for row in rows.values_list("digest", "stored_digest", "size")}


def _ask(registry: Registry, repository: str, blobs: list[Descriptor]) -> Iterable[SeenBlob]:
    def head(blob: Descriptor) -> SeenBlob | None:
        stored = aliases.head_blob(registry, repository, blob.digest)
        return SeenBlob(blob.digest, stored.digest, stored.size) if stored else None

    found = [head(blobs[0])] if len(blobs) == 1 else list(_pool.map(head, blobs))
    missing = [blob.digest for blob, seen in zip(blobs, found, strict=True) if seen is None]
    if missing:
        raise ManifestBlobUnknown(
            f"{len(missing)} of the blobs that the manifest names are not in {repository}: {missing[0]}",
            {"digest": missing[0], "missing": missing[:20]},
        )
    return [seen for seen in found if seen]


def _checked(seen: SeenBlob, named: Descriptor) -> SeenBlob:
    if seen.size != named.size:
        raise SizeInvalid(
            f"the manifest says that {named.digest} has {named.size} bytes, but it has {seen.size}",
            {"digest": named.digest, "stored": seen.stored_digest, "named": named.size, "actual": seen.size},
        )
    return seen


def _children(repository: str, entries: tuple[Descriptor, ...]) -> tuple[SeenChild, ...]:
    rows = Artifact.objects.filter(repository__name=repository, digest__in={entry.digest for entry in entries})
    known = {row[0]: row[1:] for row in rows.values_list("digest", "size", "manifest_size", "media_type")}
    seen = {}
    for entry in entries:
        if entry.digest not in known:
            raise ManifestBlobUnknown(
                f"the index names a manifest that is not in {repository}: {entry.digest}", {"digest": entry.digest}
            )
        size, manifest_size, media_type = known[entry.digest]
        if manifest_size != entry.size:
            raise SizeInvalid(
                f"the index says that {entry.digest} has {entry.size} bytes, but it has {manifest_size}",
                {"digest": entry.digest, "named": entry.size, "actual": manifest_size},
            )
        if media_type != entry.media_type:
            raise ManifestInvalid(
                "the index gives a manifest another media type than its own",
                {"digest": entry.digest, "named": entry.media_type, "actual": media_type},
            )
        seen[entry.digest] = SeenChild(entry.digest, size)
    return tuple(seen.values())


def read_description(registry: Registry, repository: str, manifest: Manifest) -> Description:
    """What lists show of `manifest`; its config is read from the registry where it is worth reading."""
    config = b""
    if manifest.config and has_readable_config(manifest):
        try:
            with registry.get_blob(repository, manifest.config.digest) as stream:
                config = b"".join(stream)
        except Damaged as error:
            raise Damaged(detail={"digest": manifest.config.digest, "stored": manifest.config.digest}) from error
    return describe(manifest, config)


def store(registry: Registry, repository: str, manifest: Manifest) -> Artifact.Kept:
    """Put `manifest` into the registry by its sha256, and read it back; how the registry keeps it.

    Raises Damaged where other bytes, or none, come back: then nothing may be recorded.
    """
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
