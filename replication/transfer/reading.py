"""One blob at the source: read in order, from wherever the target stands, and hashed as it passes.

A cut at the source is mended here, by Range, while the target waits. The last piece of a blob is handed out only when
the whole was hashed and is right, so a source that lies never completes an upload. Where the beginning cannot be hashed
(it went to the target from another process, and no spool of it is here) the target's own check must do: a registry
refuses an upload whose bytes are not those of the digest.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterator

from registry.client import BlobStream, Registry
from registry.errors import BlobUnknown, Damaged, DigestInvalid, RegistryError, Unavailable
from registry.manifests import Descriptor
from registry.references import algorithm_of
from replication.transfer.crew import Crew, Patience
from replication.transfer.sentences import SOURCE
from replication.transfer.spool import Spool
from replication.transfer.tally import Tally

PIECE = 1024 * 1024
SMALLEST_PIECE = 16 * 1024
SLOWEST = 1024
"""Bytes per second: a source that sends less for SLOW_WINDOW seconds is taken for one that never ends."""
SLOW_WINDOW = 60.0


class Reading:
    """The bytes of `blob` in `repository` of the source. Used by one thread; `close` when done."""

    def __init__(
        self, crew: Crew, source: Registry, repository: str, blob: Descriptor, spool: Spool | None, tally: Tally
    ) -> None:
        self.crew = crew
        self.source = source
        self.repository = repository
        self.blob = blob
        self.spool = spool
        self.tally = tally
        self.failed: RegistryError | None = None
        """What the source did, once it was too much."""
        bandwidth = crew.options.bandwidth
        self._piece = min(max(bandwidth // 10, SMALLEST_PIECE), PIECE) if bandwidth else PIECE
        self._patience = Patience(crew, SOURCE, f"reading blob {blob.digest} of {repository}")
        self._stream: BlobStream | None = None
        self._at = 0
        self._pulse = _Pulse()
        self._restart_hash()

    @property
    def verified(self) -> bool:
        """Whether every byte has been hashed, and the digest is right."""
        return self._hashed == self.blob.size and self._is_right()

    def pieces(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` to `end`.

        Raises Damaged where the blob's are not those of its digest, and DigestInvalid where it may have been the spool.
        """
        position = start
        while position < end:
            self.crew.check()
            piece = self._next(position, min(end - position, self._piece))
            self._hash(position, piece)
            position += len(piece)
            if position == self.blob.size:
                self._check_digest()
            self.crew.pace(len(piece))
            yield piece

    def ready(self, start: int, end: int) -> Iterator[bytes]:
        """As `pieces`, but when the first one comes, all of them are at hand: in the spool, or else in memory."""
        position, kept = start, []
        for piece in self.pieces(start, end):
            position += len(piece)
            if not self.spool or self.spool.length < position:
                kept.append(piece)
        return itertools.chain(self._spooled(start, end - sum(map(len, kept))), kept)

    def _spooled(self, start: int, end: int) -> Iterator[bytes]:
        while start < end:
            piece = self.spool.read(start, min(end - start, PIECE)) if self.spool else b""
            if not piece:
                raise DigestInvalid("the spool was damaged", {"digest": self.blob.digest})
            start += len(piece)
            yield piece

    def close(self) -> None:
        """Let go of the source; the spool is its owner's."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    # Where bytes come from

    def _next(self, position: int, limit: int) -> bytes:
        if self.spool and position < self.spool.length and (piece := self.spool.read(position, limit)):
            self._is_spooled = True
            return piece
        self._is_spooled = False
        piece = self._from_source(position, limit)
        self.tally.add(bytes_read=len(piece))
        if self.spool and position == self.spool.length:
            self.spool.append(piece)
        return piece

    def _from_source(self, position: int, limit: int) -> bytes:
        while True:
            try:
                piece = self._read(position, limit)
            except RegistryError as error:
                self.close()
                try:
                    self._patience.after(error)
                except RegistryError as told:
                    self.failed = told
                    raise
            else:
                self._at += len(piece)
                self._patience.progressed()
                return piece

    def _read(self, position: int, limit: int) -> bytes:
        if self._stream is None or self._at != position:
            self.close()
            self._stream = self._open(position)
            self._at = position
        began = time.monotonic()
        piece = self._stream.read(limit)
        self._pulse.beat(len(piece), time.monotonic() - began)
        if not piece:
            raise Unavailable("the answer broke off")
        return piece

    def _open(self, position: int) -> BlobStream:
        try:
            stream = self.source.open_blob(self.repository, self.blob.digest, position)
        except BlobUnknown as error:
            raise BlobUnknown("it has no such blob, although a manifest names it") from error
        if stream.size is not None and stream.size != self.blob.size - position:
            stream.close()
            raise Damaged(
                f"the blob has {stream.size + position} bytes, its manifest says {self.blob.size}",
                {"digest": self.blob.digest},
            )
        return stream

    # What they are

    def _restart_hash(self) -> None:
        self._sum = hashlib.new(algorithm_of(self.blob.digest))
        self._hashed = 0
        self._was_spooled = self._is_spooled = False

    def _hash(self, position: int, piece: bytes) -> None:
        """Hash what has not been hashed yet; bytes that go to the target a second time are skipped."""
        if self._hashed < position:
            self._catch_up(position)
        known = self._hashed - position
        if 0 <= known < len(piece):
            self._sum.update(memoryview(piece)[known:] if known else piece)
            self._hashed = position + len(piece)
            self._was_spooled |= self._is_spooled

    def _catch_up(self, position: int) -> None:
        """Hash what is at the target already, if the spool has it too."""
        while self.spool and self._hashed < position:
            self._was_spooled = True
            piece = self.spool.read(self._hashed, min(PIECE, position - self._hashed))
            if not piece:
                return
            self._sum.update(piece)
            self._hashed += len(piece)

    def _is_right(self) -> bool:
        return f"{self._sum.name}:{self._sum.hexdigest()}" == self.blob.digest

    def _check_digest(self) -> None:
        if self._hashed != self.blob.size or self._is_right():
            return
        found = f"{self._sum.name}:{self._sum.hexdigest()}"
        spooled = self._was_spooled
        self._restart_hash()
        if self.spool:
            self.spool.empty()
        if spooled:
            raise DigestInvalid("the spool was damaged", {"digest": self.blob.digest})
        error = Damaged(
            f"{SOURCE}, reading blob {self.blob.digest} of {self.repository}: it sent other bytes, whose digest is "
            f"{found}; nothing of it was stored",
            {"digest": self.blob.digest},
        )
        self.failed = error
        raise error


class _Pulse:
    """Notices a source that drips. Only time spent waiting for it counts, not what the target or a limit takes."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._bytes = 0

    def beat(self, count: int, seconds: float) -> None:
        self._seconds += seconds
        self._bytes += count
        if self._seconds >= SLOW_WINDOW:
            if self._bytes < SLOWEST * self._seconds:
                raise Unavailable(f"it sent {self._bytes} bytes in {self._seconds:.0f} seconds, which would never end")
            self._seconds, self._bytes = 0.0, 0
