"""Copying an image: digests first, then what is missing below it, its manifest last.

The order is what keeps half an image from being seen: blobs, children, the image by its digest, what is attached to it,
and only then the tag.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from registry.client import Registry
from registry.errors import ManifestBlobUnknown, ManifestInvalid, Unavailable
from registry.manifests import MANIFEST_TYPES, OCI_INDEX, Descriptor, Manifest, parse
from registry.references import Reference
from replication.transfer.crew import Crew, attempt
from replication.transfer.sentences import TARGET
from replication.transfer.tally import Tally
from replication.transfer.terms import Options, Outcome, Result, Watch
from replication.transfer.uploading import Uploading
from replication.transfer.walking import DEEPEST, Walk, fallback_tag


def copy(
    source: Registry, target: Registry, origin: Reference, goal: Reference, *, watch: Watch, options: Options
) -> Outcome:
    """Copy the image `origin` of `source`, with all that belongs to it, to `goal` of `target`.

    `goal.identifier` is a tag, or the image's own digest. The two registries need sessions that no other copy uses:
    stopping this one cuts their connections. Not safe to call from two threads with the same Watch.
    """
    crew = Crew(watch, options, (source, target))
    copying = _Copying(crew, source, target, origin, goal)
    return crew.conduct(copying.run)


class _Copying:
    def __init__(self, crew: Crew, source: Registry, target: Registry, origin: Reference, goal: Reference) -> None:
        self.crew = crew
        self.source = source
        self.target = target
        self.origin = origin
        self.goal = goal
        self.walk = Walk(crew, source, origin.repository)
        self.tally = Tally()
        self._settled: set[str] = set()
        """Digests of manifests that the target's repository holds by now."""

    def run(self) -> Outcome:
        here = self.walk.find(self.origin)
        there = self._head(self.goal)
        replaced = there.digest if there and there.digest != here.digest else ""
        if replaced and not self.crew.options.override:
            self.crew.log(f"{self.goal} is another image at the target, {replaced}, and is not replaced")
            return Outcome(Result.KEPT, here.digest, replaced)
        self._image(here, there, self.goal, DEEPEST)
        moved = self.tally.numbers.get("manifests", 0) > 0
        result = Result.COPIED if moved or self.tally.copied else Result.THERE
        return Outcome(result, here.digest, replaced, copied=self.tally.copied, **self.tally.numbers)

    def _image(self, here: Descriptor, there: Descriptor | None, goal: Reference, depth: int) -> None:
        """Copy the image `here` to `goal`, where the target has `there`."""
        same = there is not None and there.digest == here.digest
        whole = here.digest in self.crew.options.settled
        if same:
            self._settled.add(here.digest)
        if not whole and (not same or self.crew.options.thorough):
            self._contents(here.digest)
        attachments = self._attachments(here) if self.crew.options.referrers and not whole else []
        if attachments and not same and depth:
            # Who sees the tag sees the signatures too.
            self._put(goal.at(here.digest), self.walk.manifest(here.digest))
        for attachment in attachments if depth else ():
            self._attach(attachment, depth - 1)
        if not same and (not goal.is_digest or here.digest not in self._settled):
            self._put(goal, self.walk.manifest(here.digest))

    def _contents(self, digest: str) -> None:
        """Copy all that the manifest `digest` stands for, but for itself where nobody has it yet."""
        missing = self._missing(digest)
        blobs = {blob.digest: blob for each in missing for blob in self.walk.blobs(each)}
        # The largest first, so that none is left alone in the end.
        wanted = sorted(blobs.values(), key=lambda blob: -blob.size)
        holders = self.crew.ask(lambda: self.crew.watch.holders(list(blobs))) if blobs else {}
        self.crew.each([self._uploading(blob, holders.get(blob.digest, ())).run for blob in wanted])
        for each in missing:
            if each.digest != digest and not self._is_there(each.digest):
                self._put(self.goal.at(each.digest), each)

    def _is_there(self, digest: str) -> bool:
        """Whether a manifest that was taken for missing is not (who is thorough takes all for missing)."""
        return self.crew.options.thorough and self._head(self.goal.at(digest)) is not None

    def _uploading(self, blob: Descriptor, holders: Sequence[str]) -> Uploading:
        repositories = (self.origin.repository, self.goal.repository)
        return Uploading(self.crew, self.source, self.target, *repositories, blob, self.tally, holders)

    def _missing(self, digest: str) -> list[Manifest]:
        """The manifest and those below it that the target lacks (or all of them, to be thorough), children first."""
        found: dict[str, Manifest] = {}
        self._gather(digest, DEEPEST, found)
        return list(found.values())

    def _gather(self, digest: str, depth: int, found: dict[str, Manifest]) -> None:
        """Put into `found` what `_missing` gives. What is in it already is not walked again."""
        manifest = self.walk.manifest(digest)
        if manifest.children and depth == 0:
            raise ManifestInvalid(f"{self.origin} holds indexes within indexes without end")
        children = list(dict.fromkeys(child.digest for child in manifest.children if child.digest not in found))
        if not self.crew.options.thorough:
            there = self.crew.each([partial(self._head, self.goal.at(each)) for each in children])
            children = [each for each, stands in zip(children, there, strict=True) if stands is None]
        for each in children:
            if each not in found:
                self._gather(each, depth - 1, found)
        found[digest] = manifest

    # What is attached

    def _attachments(self, here: Descriptor) -> list[Reference]:
        digests = self.walk.digests(here)
        found = self.crew.each([partial(self.walk.attachments, digest) for digest in digests])
        return list(dict.fromkeys(reference for each in found for reference in each))

    def _attach(self, reference: Reference, depth: int) -> None:
        if reference.identifier in self._settled:
            return
        here = self.walk.find(reference)
        goal = Reference(self.goal.repository, reference.identifier)
        there = self._head(goal)
        if there and there.digest != here.digest and not self.crew.options.override:
            self.crew.log(f"{goal} is another one at the target and is not replaced")
            return
        self._image(here, there, goal, depth)

    # The target

    def _head(self, reference: Reference) -> Descriptor | None:
        return attempt(self.crew, TARGET, f"looking for {reference}", lambda: self.target.head_manifest(reference))

    def _put(self, goal: Reference, manifest: Manifest) -> None:
        def put() -> bool:
            try:
                return self.target.put_manifest(goal, manifest)
            except ManifestBlobUnknown as error:
                # It was there a moment ago, or came from here.
                raise Unavailable(f"it has lost a part of the image meanwhile: {error.message}") from error

        lists = attempt(self.crew, TARGET, f"storing {goal}", put)
        if manifest.digest not in self._settled:
            self.tally.add(manifests=1)
        self._settled.add(manifest.digest)
        if manifest.subject and not lists:
            self._list_referrer(goal, manifest)

    def _list_referrer(self, goal: Reference, manifest: Manifest) -> None:
        """Add `manifest` to the index of what refers to its subject, for a target that keeps no such list itself."""
        assert manifest.subject
        tag = Reference(goal.repository, fallback_tag(manifest.subject.digest))

        def add() -> None:
            found = self.target.head_manifest(tag)
            entries = self.target.get_manifest(tag).raw["manifests"] if found and found.media_type == OCI_INDEX else []
            if all(entry["digest"] != manifest.digest for entry in entries):
                self.target.put_manifest(tag, _index([*entries, _entry(manifest)]))

        attempt(self.crew, TARGET, f"listing what refers to {goal.at(manifest.subject.digest)}", add)


def _entry(manifest: Manifest) -> dict[str, object]:
    """The descriptor of a referrer, as the specification wants it in the index."""
    entry: dict[str, object] = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.content),
    }
    if manifest.artifact_type and (manifest.media_type in MANIFEST_TYPES or manifest.raw.get("artifactType")):
        entry["artifactType"] = manifest.artifact_type
    if manifest.annotations:
        entry["annotations"] = manifest.annotations
    return entry


def _index(entries: list[dict[str, object]]) -> Manifest:
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return parse(json.dumps(document, separators=(",", ":")).encode(), OCI_INDEX)
