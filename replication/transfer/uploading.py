"""One blob on its way into the target: by mount, in one piece, or in chunks of an upload that a cut does not end.

How much a cut costs depends on the target. Haven's edge keeps a chunk with Content-Range to itself until it is whole,
and `distribution` 3 keeps what it received: there the upload goes on where it stood. `distribution` 2.8 forgets an
upload that was cut: it begins anew, from the spool where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from registry.client import Body, Registry, StoredBlob
from registry.errors import (
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    Damaged,
    DigestInvalid,
    NameUnknown,
    RangeInvalid,
    RegistryError,
    Unauthorized,
    Unsupported,
)
from registry.manifests import Descriptor
from replication.transfer.crew import Crew, Patience, attempt
from replication.transfer.reading import PIECE, Reading
from replication.transfer.sentences import TARGET
from replication.transfer.spool import Spool
from replication.transfer.tally import Tally
from replication.transfer.terms import Saved

LOST = (BlobUploadUnknown, BlobUploadInvalid, BlobUnknown)
"""What a registry says of an upload that it no longer knows, or will not go on with."""
MOUNTS = 3
"""Repositories that a blob is tried to be mounted from."""


class Uploading:
    """`blob` from `origin`, a repository of the source, into `goal`, one of the target. `run` it once."""

    def __init__(
        self,
        crew: Crew,
        source: Registry,
        target: Registry,
        origin: str,
        goal: str,
        blob: Descriptor,
        tally: Tally,
        holders: Sequence[str] = (),
    ) -> None:
        self.crew = crew
        self.source = source
        self.target = target
        self.origin = origin
        self.goal = goal
        self.blob = blob
        self.tally = tally
        self.holders = holders
        """Repositories of the target to mount it from."""
        self.patience = Patience(crew, TARGET, f"storing blob {blob.digest} in {goal}")
        self._location = ""
        self._offset = 0
        self._by_chunk = crew.options.by_chunk
        self._all_sent = False
        self._renewed = False
        self._doubted = False

    def run(self) -> None:
        """Return when the target's repository holds the blob."""
        blob = self.blob
        if found := self._find():
            self.tally.add(blobs_there=1, bytes_skipped=found.size)
        elif self._mount():
            self.tally.add(blobs_mounted=1, bytes_skipped=blob.size)
            self.tally.holds(blob.digest, blob.size)
        else:
            self._upload()
            self.tally.add(blobs_copied=1, bytes_copied=blob.size)
            self.tally.holds(blob.digest, blob.size)
        self.crew.report(blob.digest, blob.size, blob.size)

    def _find(self) -> StoredBlob | None:
        if self.blob.size <= PIECE and self.crew.watch.lacks(self.blob.digest):
            return None
        what = f"looking for blob {self.blob.digest} in {self.goal}"
        found = attempt(self.crew, TARGET, what, lambda: self.target.head_blob(self.goal, self.blob.digest))
        if found and found.size != self.blob.size:
            raise Damaged(
                f"the manifest says that blob {self.blob.digest} has {self.blob.size} bytes, but it has {found.size}: "
                "the image is not copied"
            )
        return found

    def _mount(self) -> bool:
        for holder in [each for each in self.holders if each != self.goal][:MOUNTS]:
            if self._location:
                self.target.cancel_upload(self.goal, self._location)
            try:
                self._location = self.target.mount_or_start(holder, self.goal, self.blob.digest)
            except RegistryError:
                # Whatever it was (no right to pull there, say): the upload will show whether it matters.
                self._location = ""
                continue
            if not self._location:
                return True
        return False

    # The upload

    def _upload(self) -> None:
        options = self.crew.options
        spool = None
        if options.spool and self.blob.size > PIECE:
            owner = "\n".join((options.spool_owner, self.source.base_url, self.origin))
            spool = Spool.claim(options.spool, owner, self.blob.digest, self.blob.size, options.spool_limit)
        reading = Reading(self.crew, self.source, self.origin, self.blob, spool, self.tally)
        try:
            self._insist(reading)
        except BaseException:
            if spool:
                spool.close()
            raise
        else:
            if spool:
                spool.discard()
        finally:
            reading.close()

    def _insist(self, reading: Reading) -> None:
        if self._is_resumable:
            self._take_up()
        while True:
            try:
                self._send(reading)
                break
            except RegistryError as error:
                if error is reading.failed:
                    if isinstance(error, Damaged):
                        self._abandon()
                    raise
                if self._all_sent and self._has_arrived():
                    break
                self._consider(error, reading)
        if self._is_resumable:
            self._forget()

    @property
    def _is_resumable(self) -> bool:
        """Whether the upload is worth being gone on with; others are begun anew."""
        return self.blob.size > self.crew.options.chunk

    def _send(self, reading: Reading) -> None:
        self._all_sent = False
        if not self._location:
            self._location = self._start()
            self._offset = 0
            if self._is_resumable:
                self._keep()
        size = self.blob.size
        rest: bytes | Body = b""
        if self._is_resumable:
            self._send_chunks(reading)
        elif size <= PIECE:
            rest = b"".join(self._sent(reading.pieces(0, size)))
        else:
            rest = Body(self._sent(reading.pieces(0, size)), size)
        self._all_sent = True
        self.target.finish_upload(self.goal, self._location, self.blob.digest, rest)

    def _start(self) -> str:
        try:
            return self.target.start_upload(self.goal)
        except LOST as error:
            raise NameUnknown(f"there is no place for {self.goal}: does the project exist there?") from error

    def _send_chunks(self, reading: Reading) -> None:
        size = self.blob.size
        while self._offset < size:
            start = self._offset
            end = min(start + self.crew.options.chunk, size) if self._by_chunk else size
            pieces = reading.ready if self.crew.options.ready_chunks else reading.pieces
            body = Body(self._sent(pieces(start, end)), end - start)
            self._location = self.target.upload_chunk(
                self.goal, self._location, body, start if self._by_chunk else None
            )
            self._stands_at(end)
            self._keep()

    def _sent(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        at = self._offset
        for piece in pieces:
            self.tally.add(bytes_sent=len(piece))
            yield piece
            at += len(piece)
            self.crew.report(self.blob.digest, at, self.blob.size)

    def _stands_at(self, offset: int) -> None:
        if offset > self._offset:
            self.patience.progressed()
            self._renewed = False
        self._offset = offset

    # When it fails

    def _consider(self, error: RegistryError, reading: Reading) -> None:
        """Wait, and find out where to go on. Raises the error where that is of no use."""
        if isinstance(error, DigestInvalid) and not self._doubted:
            # What was sent by somebody else, or from a damaged spool, could not be checked here: once more, from the
            # first byte on, which will show whose fault it is.
            self._doubted = True
            self._begin_anew()
        elif isinstance(error, Unauthorized) and not self._renewed:
            # The token ended while a body was on its way, which can be sent once. Questions without one draw a new one.
            self._renewed = True
            self._ask_where_it_stands()
        elif isinstance(error, RangeInvalid | Unsupported | BlobUploadInvalid) and self._by_chunk and not self._offset:
            self._by_chunk = False
            self._begin_anew()
        else:
            self.patience.after(error, mendable=isinstance(error, (*LOST, RangeInvalid)))
            self._ask_where_it_stands()

    def _ask_where_it_stands(self) -> None:
        if not self._is_resumable or not self._location:
            self._begin_anew()
            return
        while True:
            try:
                offset, self._location = self.target.resume_upload(self.goal, self._location)
            except LOST:
                self.crew.log(f"the upload of blob {self.blob.digest} is lost at the target and begins anew")
                self._begin_anew()
                return
            except RegistryError as error:
                self.patience.after(error)
            else:
                self._stands_at(offset if offset <= self.blob.size else 0)
                self._keep()
                return

    def _begin_anew(self) -> None:
        if self._is_resumable:
            self._forget()
        elif self._location:
            self.target.cancel_upload(self.goal, self._location)
        self._location = ""
        self._offset = 0

    def _abandon(self) -> None:
        """What has been sent is worth nothing: let neither side keep it."""
        if self._location and self._is_resumable:
            self.target.cancel_upload(self.goal, self._location)
        self._begin_anew()

    def _has_arrived(self) -> bool:
        """Whether the upload ended well although its last answer was lost."""
        try:
            found = self.target.head_blob(self.goal, self.blob.digest)
        except RegistryError:
            return False
        return found is not None and found.size == self.blob.size

    # What is kept for another time

    def _take_up(self) -> None:
        saved = self.crew.ask(lambda: self.crew.watch.load(self.blob.digest))
        if saved is None or not self.target.is_upload_address(saved.location):
            return
        if self._location:
            self.target.cancel_upload(self.goal, self._location)
        self._location = saved.location
        self._ask_where_it_stands()
        if self._offset:
            self.tally.add(bytes_skipped=self._offset)
            self.crew.log(f"blob {self.blob.digest} goes on at byte {self._offset} of {self.blob.size}")

    def _keep(self) -> None:
        saved = Saved(self._offset, self._location)
        self.crew.ask(lambda: self.crew.watch.save(self.blob.digest, saved))

    def _forget(self) -> None:
        self.crew.ask(lambda: self.crew.watch.forget(self.blob.digest))
