"""What an image consists of at the source: its manifests, and what is attached to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from registry.client import Registry
from registry.errors import ManifestInvalid, ManifestUnknown
from registry.manifests import DOCKER_SCHEMA1, INDEX_TYPES, OCI_INDEX, Descriptor, Manifest
from registry.references import Reference
from replication.transfer.crew import Crew, attempt
from replication.transfer.sentences import SOURCE, explain

COSIGN = ("sig", "att", "sbom")
"""What cosign calls the tags of what it attaches: `sha256-<hex>.sig`."""
DEEPEST = 8
"""Indexes within indexes, and attachments of attachments."""


class Walk:
    """Questions to the source about one repository; each manifest is read once."""

    def __init__(self, crew: Crew, source: Registry, repository: str) -> None:
        self.crew = crew
        self.source = source
        self.repository = repository
        self._read: dict[str, Manifest] = {}

    def find(self, reference: Reference) -> Descriptor:
        """Type, digest and size of an image. Raises ManifestUnknown, and ManifestInvalid for schema 1."""
        found = attempt(self.crew, SOURCE, f"looking for {reference}", lambda: self.source.head_manifest(reference))
        if found is None:
            raise explain(ManifestUnknown("there is no such image"), SOURCE, f"looking for {reference}")
        if found.media_type in DOCKER_SCHEMA1:
            raise ManifestInvalid(
                f"{SOURCE}: {reference} is in Docker's first format (schema version 1), which is not copied: pull it "
                "and push it again with a current docker"
            )
        return found

    def manifest(self, digest: str) -> Manifest:
        """The manifest with this digest."""
        if digest not in self._read:
            reference = Reference(self.repository, digest)
            what = f"reading manifest {reference}"
            self._read[digest] = attempt(self.crew, SOURCE, what, lambda: self.source.get_manifest(reference))
        return self._read[digest]

    def manifests(self, digest: str) -> list[Manifest]:
        """The manifest and all below it, children first, each once: a few indexes can name each other in more ways
        than anybody can walk."""
        found: dict[str, Manifest] = {}
        self._gather(digest, DEEPEST, found)
        return list(found.values())

    def _gather(self, digest: str, depth: int, found: dict[str, Manifest]) -> None:
        self.crew.check()
        manifest = self.manifest(digest)
        if manifest.children and depth == 0:
            raise ManifestInvalid(f"{SOURCE}: {self.repository}@{digest} holds indexes within indexes without end")
        for child in manifest.children:
            if child.digest not in found:
                self._gather(child.digest, depth - 1, found)
        found[digest] = manifest

    def digests(self, root: Descriptor) -> list[str]:
        """The digests of an image and its children: what something can be attached to."""
        if root.media_type not in INDEX_TYPES:
            return [root.digest]
        return [each.digest for each in self.manifests(root.digest)]

    def blobs(self, manifest: Manifest) -> Iterator[Descriptor]:
        """What has to be copied for a manifest: layers kept elsewhere only where the source has them all the same."""
        yield from manifest.blobs
        for blob in manifest.foreign_blobs:
            what = f"looking for blob {blob.digest} of {self.repository}"
            if attempt(self.crew, SOURCE, what, partial(self.source.head_blob, self.repository, blob.digest)):
                yield blob
            else:
                self.crew.log(f"blob {blob.digest} is kept elsewhere, at {blob.urls[0][:200]}, and is not copied")

    def attachments(self, digest: str) -> list[Reference]:
        """Signatures, SBOMs and the like: what refers to the manifest, by digest, and cosign's tags."""
        found = [Reference(self.repository, entry.digest) for entry in self._referrers(digest)]
        for suffix in COSIGN:
            tag = f"{digest.replace(':', '-')}.{suffix}"
            if self._has_tag(tag):
                found.append(Reference(self.repository, tag))
        return found

    def _referrers(self, digest: str) -> tuple[Descriptor, ...]:
        what = f"asking what refers to {self.repository}@{digest}"
        found = attempt(self.crew, SOURCE, what, lambda: self.source.referrers(self.repository, digest))
        if found is not None:
            return found
        tag = fallback_tag(digest)
        if not self._has_tag(tag):
            return ()
        reference = Reference(self.repository, tag)
        listed = attempt(self.crew, SOURCE, what, lambda: self.source.get_manifest(reference))
        return listed.children if listed.media_type == OCI_INDEX else ()

    def _has_tag(self, tag: str) -> bool:
        known = self.crew.options.known_tags
        if known is not None:
            return tag in known
        reference = Reference(self.repository, tag)
        what = f"looking for {reference}"
        return attempt(self.crew, SOURCE, what, lambda: self.source.head_manifest(reference)) is not None


def fallback_tag(digest: str) -> str:
    """The tag of the index of what refers to `digest`, where a registry keeps no such list itself (OCI distribution
    specification, "Referrers Tag Schema")."""
    algorithm, _, hexadecimal = digest.partition(":")
    return f"{algorithm[:32]}-{hexadecimal[:64]}"
