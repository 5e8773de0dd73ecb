"""What the target lacks, or has otherwise: looked at digest by digest, nothing moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from registry.client import Registry, StoredBlob
from registry.manifests import Descriptor, Manifest
from registry.references import Reference
from replication.transfer.crew import Crew, attempt
from replication.transfer.sentences import TARGET
from replication.transfer.terms import Difference, Missing, Options, Watch
from replication.transfer.uploading import MOUNTS
from replication.transfer.walking import DEEPEST, Walk

S = TypeVar("S")
T = TypeVar("T")


def missing(
    source: Registry, target: Registry, origin: Reference, goal: Reference, *, watch: Watch, options: Options
) -> Missing:
    """What `copy` would have to move, and how many bytes that is. Reads manifests alone; writes nothing."""
    crew = Crew(watch, options, (source, target))
    return crew.conduct(_Look(crew, source, target, origin, goal).missing)


def compare(
    source: Registry, target: Registry, origin: Reference, goal: Reference, *, watch: Watch, options: Options
) -> list[Difference]:
    """In what `goal` at the target differs from `origin`: every manifest, blob and referrer by digest; [] if in
    nothing. What the target has beyond that is no difference."""
    crew = Crew(watch, options, (source, target))
    return crew.conduct(_Look(crew, source, target, origin, goal).compare)


class _Look:
    def __init__(self, crew: Crew, source: Registry, target: Registry, origin: Reference, goal: Reference) -> None:
        self.crew = crew
        self.target = target
        self.origin = origin
        self.goal = goal
        self.walk = Walk(crew, source, origin.repository)
        self._seen: set[str] = set()

    def missing(self) -> Missing:
        here, there = self.walk.find(self.origin), self._head(self.goal)
        same = there is not None and there.digest == here.digest
        found = Missing(here.digest, "" if there is None or same else there.digest)
        manifests: list[Manifest] = []
        for root, where in self._images(here, there):
            if where is None or where.digest != root.digest or self.crew.options.thorough:
                manifests += self._lacking(root.digest)
        found.manifests = {each.digest: len(each.content) for each in manifests}
        blobs = list({blob.digest: blob for each in manifests for blob in self.walk.blobs(each)}.values())
        for blob, stored in zip(blobs, self._blobs(blobs), strict=True):
            if stored is None:
                kept = found.mountable if self._is_mountable(blob) else found.blobs
                kept[blob.digest] = blob.size
        return found

    def compare(self) -> list[Difference]:
        here, there = self.walk.find(self.origin), self._head(self.goal)
        found: list[Difference] = []
        for root, where in self._images(here, there):
            found += self._difference_of_tag(root, where)
            every = self.walk.manifests(root.digest)
            found += self._differences(every)
        return list(dict.fromkeys(found))

    def _images(self, here: Descriptor, there: Descriptor | None) -> Iterable[tuple[Descriptor, Descriptor | None]]:
        """The image and what is attached to it, each with what the target has in its place."""
        yield here, there
        waiting = [(here, DEEPEST)] if self.crew.options.referrers else []
        while waiting:
            root, depth = waiting.pop()
            digests = [each for each in self.walk.digests(root) if each not in self._seen]
            self._seen.update(digests)
            found = self._each(digests, self.walk.attachments)
            for reference in dict.fromkeys(reference for each in found for reference in each):
                attached = self.walk.find(reference)
                yield attached, self._head(Reference(self.goal.repository, reference.identifier))
                if depth:
                    waiting.append((attached, depth - 1))

    def _lacking(self, digest: str) -> list[Manifest]:
        """The manifests from `digest` down that the target's repository does not hold."""
        every = self.walk.manifests(digest)
        found = self._each([each.digest for each in every], lambda each: self._head(self.goal.at(each)))
        return [manifest for manifest, there in zip(every, found, strict=True) if there is None]

    def _difference_of_tag(self, here: Descriptor, there: Descriptor | None) -> list[Difference]:
        if there is None:
            return [Difference("tag", here.digest, "", f"{here.digest} is not there")]
        if there.digest != here.digest:
            return [Difference("tag", here.digest, there.digest, f"{there.digest} is there instead of {here.digest}")]
        return []

    def _differences(self, manifests: list[Manifest]) -> list[Difference]:
        digests = [each.digest for each in manifests]
        heads = self._each(digests, lambda each: self._head(self.goal.at(each)))
        found = [
            Difference("manifest", digest, "", f"manifest {digest} is not there")
            for digest, there in zip(digests, heads, strict=True)
            if there is None
        ]
        blobs = list({blob.digest: blob for each in manifests for blob in self.walk.blobs(each)}.values())
        for blob, stored in zip(blobs, self._blobs(blobs), strict=True):
            if stored is None:
                found.append(Difference("blob", blob.digest, "", f"blob {blob.digest} is not there"))
            elif stored.size != blob.size:
                sentence = f"blob {blob.digest} has {stored.size} bytes there, not {blob.size}"
                found.append(Difference("blob", blob.digest, blob.digest, sentence))
        return found

    def _is_mountable(self, blob: Descriptor) -> bool:
        holders = self.crew.ask(lambda: self.crew.watch.holders([blob.digest])).get(blob.digest, ())
        return any(self._blob(holder, blob) for holder in holders[:MOUNTS])

    # The target

    def _head(self, reference: Reference) -> Descriptor | None:
        return attempt(self.crew, TARGET, f"looking for {reference}", lambda: self.target.head_manifest(reference))

    def _blobs(self, blobs: list[Descriptor]) -> list[StoredBlob | None]:
        return self._each(blobs, lambda blob: self._blob(self.goal.repository, blob))

    def _blob(self, repository: str, blob: Descriptor) -> StoredBlob | None:
        what = f"looking for blob {blob.digest} in {repository}"
        return attempt(self.crew, TARGET, what, lambda: self.target.head_blob(repository, blob.digest))

    def _each(self, subjects: list[S], question: Callable[[S], T]) -> list[T]:
        return self.crew.each([partial(question, subject) for subject in subjects])
