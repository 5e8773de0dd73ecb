"""The words between the copy engine and who runs it: what it asks, what it may do, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

MEGABYTE = 1024 * 1024


class Stopped(Exception):
    """The caller's Watch said stop. What has been uploaded so far is kept in its store, for another time."""


@dataclass(frozen=True, slots=True)
class Saved:
    """Where the upload of one blob stands: the bytes that the target has confirmed, and the session's address.

    The address is a secret of the target's (whoever holds it may go on with the upload): not for logs or answers.
    """

    offset: int
    location: str


class Watch(Protocol):
    """Who runs a copy, as the engine sees it: told how it goes, asked whether to stop, keeper of what to resume by.

    All methods but `throttle` and `lacks` are called in the thread that called the engine, so a database connection
    of that thread will do; none is called twice at the same time. What they raise ends the copy.
    """

    def stop(self) -> bool:
        """Whether to end, asked at least once a second; then the engine raises Stopped within seconds."""
        ...

    def progress(self, digest: str, done: int, total: int) -> None:
        """Of the blob's `total` bytes the target holds `done`. At most about twice a second for each blob, and last."""
        ...

    def log(self, line: str) -> None:
        """A sentence for the job's log; without a secret, without a newline."""
        ...

    def load(self, digest: str) -> Saved | None:
        """What `save` kept for this blob, source and target; also when another process saved it."""
        ...

    def save(self, digest: str, saved: Saved) -> None:
        """Keep it, durably before this returns: a stale address may cost the whole upload."""
        ...

    def forget(self, digest: str) -> None:
        """The blob has arrived, or its upload is lost; fine if nothing was kept."""
        ...

    def holders(self, digests: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Of each blob, repositories of the target that probably hold it, best first, to mount it from; a few at most.

        Those that nobody is known to hold may be left out.
        """
        ...

    def lacks(self, digest: str) -> bool:
        """Whether the target's repository most likely lacks the blob, so that a small one is sent without asking first.

        Asked by several threads at a time. Being wrong costs the sending of what is there already.
        """
        ...

    def throttle(self, count: int) -> float:
        """Take `count` bytes out of the bucket: seconds to wait before they may go; 0 at once.

        Asked only where `Options.bandwidth` is set, by several threads at a time, for at most a tenth of a second's
        bytes each. It does not wait itself.
        """
        ...


class Unwatched:
    """A Watch that does not care; a base for those that care about some of it. Remembers uploads in memory."""

    def __init__(self) -> None:
        self.saved: dict[str, Saved] = {}

    def stop(self) -> bool:
        return False

    def progress(self, digest: str, done: int, total: int) -> None:
        pass

    def log(self, line: str) -> None:
        pass

    def load(self, digest: str) -> Saved | None:
        return self.saved.get(digest)

    def save(self, digest: str, saved: Saved) -> None:
        self.saved[digest] = saved

    def forget(self, digest: str) -> None:
        self.saved.pop(digest, None)

    def holders(self, digests: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return {}

    def lacks(self, digest: str) -> bool:
        return False

    def throttle(self, count: int) -> float:
        return 0.0


@dataclass(frozen=True)
class Options:
    """How to copy."""

    override: bool = True
    """Whether a tag of the target that points elsewhere is moved; otherwise the outcome is KEPT."""
    referrers: bool = True
    """Whether signatures, SBOMs and whatever else refers to the image come along."""
    thorough: bool = False
    """Look at every child and blob even where the target's digest is the same: the repair of drift."""
    settled: frozenset[str] = frozenset()
    """Digests of images that an earlier call has just brought to the target's repository with all that belongs to
    them, or found there: what is left of another of their tags is the tag."""
    known_tags: frozenset[str] | None = None
    """The source repository's tags where they have been listed already (those that begin with `sha256-` are enough):
    saves four questions for each manifest."""
    parallel: int = 4
    """Blobs at a time."""
    chunk: int = 16 * MEGABYTE
    """Bytes of one chunk; a blob that is not larger goes in one piece. What a cut may cost, at most."""
    by_chunk: bool = True
    """Whether larger blobs go in chunks with Content-Range, or else in one stream. Chunks are what a cut cannot hurt
    at Haven; some registries take streams only, which is noticed."""
    ready_chunks: bool = False
    """Whether a chunk is read whole before its first byte is sent: for a target beside us that ends an upload which is
    cut, so that there is hardly a moment to cut it in. What the spool cannot take waits in memory."""
    spool: Path | None = None
    """A folder for what has been read of blobs above 1 MiB, so that the source is not read twice."""
    spool_owner: str = ""
    """For whom it is read. What lies in the folder is taken up for the same one only, from the same repository of the
    same source."""
    spool_limit: int = 4096 * MEGABYTE
    """Bytes that the folder may hold, of all jobs together; blobs that do not fit are not spooled."""
    bandwidth: int = 0
    """Bytes per second that `Watch.throttle` stands for; 0 where there is no limit and nothing to ask."""
    attempts: int = 6
    """How often in a row something may fail for the moment, without a byte of progress, before its error is raised."""
    patience: float = 60.0
    """Seconds to wait at most between two attempts: a registry that says Retry-After beyond that gets its error
    raised, with `retry_after`, so that the job can come back later."""


class Result(StrEnum):
    """What a copy came to."""

    COPIED = "copied"
    THERE = "there already"
    """The target had the same digest (and all that belongs to it): nothing was moved."""
    KEPT = "kept"
    """The target's tag points to another digest and must not be moved; nothing was changed."""


@dataclass
class Outcome:
    """What a copy did."""

    result: Result
    digest: str
    """The image's digest at the source."""
    replaced: str = ""
    """The digest that the target's tag pointed to before, if it was another."""
    manifests: int = 0
    """Manifests stored at the target."""
    blobs_copied: int = 0
    blobs_mounted: int = 0
    blobs_there: int = 0
    bytes_copied: int = 0
    """Bytes of the blobs that were copied."""
    bytes_sent: int = 0
    """Bytes sent to the target, those sent again after a cut included."""
    bytes_read: int = 0
    """Bytes of blobs read from the source."""
    bytes_skipped: int = 0
    """Bytes of the blobs that were there already, were mounted, or had been uploaded by an earlier run."""
    copied: dict[str, int] = field(default_factory=dict)
    """The blobs that are now in the target's repository and were not before: digest and size."""


@dataclass
class Missing:
    """What a copy would have to move: of each manifest and blob that the target lacks, the digest and the size."""

    digest: str
    replaces: str = ""
    """The digest that the target's tag points to now, if it is another."""
    manifests: dict[str, int] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)
    mountable: dict[str, int] = field(default_factory=dict)
    """Blobs that another repository of the target holds (`Watch.holders`): no bytes would move."""

    @property
    def bytes(self) -> int:
        """Bytes that would move."""
        return sum(self.manifests.values()) + sum(self.blobs.values())


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the target is not what the source is.

    `kind` is tag, manifest or blob; `here` is the digest at the source, `there` the one at the target: empty where it
    has none. A blob of another size has its digest in both, and `sentence` says so.
    """

    kind: str
    here: str
    there: str
    sentence: str
