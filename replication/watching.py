"""What the copy engine is told and asked, for a job: its row, its log, what it resumes by."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from configuration.sealed import seal, unseal
from jobs.running import Running
from replication.bandwidth import Bucket
from replication.models import BlobInFlight
from replication.newness import never
from replication.transfer import Saved

Holders = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]
SHOWN_EVERY = 1.0
"""Seconds between two writes of the progress."""
RATE_OVER = 5.0
"""Seconds that the shown rate is the mean of, more or less."""


class JobWatch:
    """A `transfer.Watch` for the job `running`, which copies into `repository` of the target."""

    def __init__(
        self,
        running: Running,
        repository: str,
        bucket: Bucket | None,
        holders: Holders,
        lacks: Callable[[str], bool] = never,
    ) -> None:
        self.running = running
        self.repository = repository
        self._bucket = bucket
        self._holders = holders
        self._lacks = lacks
        self._blobs: dict[str, tuple[int, int]] = {}
        self._at_first: dict[str, int] = {}
        self._shown = time.monotonic()  # what is done within a second shows its end alone
        self._measured = (time.monotonic(), 0)
        self._rate = 0.0

    def stop(self) -> bool:
        return self.running.stopping

    def progress(self, digest: str, done: int, total: int) -> None:
        self._at_first.setdefault(digest, 0 if done == total else done)
        self._blobs[digest] = (done, total)
        if time.monotonic() - self._shown >= SHOWN_EVERY:
            self.show()

    def show(self) -> None:
        """Write down how far the job is: `bytes` of `size` in `done` of `blobs` blobs, at `rate` bytes a second."""
        self._shown = now = time.monotonic()
        done = sum(held for held, _ in self._blobs.values())
        moved = done - sum(self._at_first.values())
        since, before = self._measured
        if now - since >= RATE_OVER / 5:
            fresh = max(moved - before, 0) / (now - since)
            weight = min((now - since) / RATE_OVER, 1.0) if self._rate else 1.0
            self._rate += (fresh - self._rate) * weight
            self._measured = (now, moved)
        self.running.progress(
            bytes=done,
            size=sum(size for _, size in self._blobs.values()),
            done=sum(held >= size for held, size in self._blobs.values()),
            blobs=len(self._blobs),
            rate=round(self._rate),
        )

    def log(self, line: str) -> None:
        self.running.log(line)

    def load(self, digest: str) -> Saved | None:
        row = self._row(digest).first()
        location = unseal(row.sealed_location) if row else None
        return Saved(row.offset, location) if row and location else None

    def save(self, digest: str, saved: Saved) -> None:
        BlobInFlight.objects.update_or_create(
            job_id=self.running.job.pk,
            repository=self.repository,
            digest=digest,
            defaults={"sealed_location": seal(saved.location), "offset": saved.offset},
        )

    def forget(self, digest: str) -> None:
        self._row(digest).delete()

    def holders(self, digests: Sequence[str]) -> Mapping[str, Sequence[str]]:
        return self._holders(digests)

    def lacks(self, digest: str) -> bool:
        return self._lacks(digest)

    def throttle(self, count: int) -> float:
        return self._bucket.take(count) if self._bucket else 0.0

    def _row(self, digest: str):  # type: ignore[no-untyped-def]
        return BlobInFlight.objects.filter(job=self.running.job.pk, repository=self.repository, digest=digest)
