"""A folder of what has been read of large blobs, so that a source need not be read twice."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

SPARE = 512 * 1024 * 1024
"""Bytes that are left free on the folder's disk."""
_NAME = re.compile(r"(?:[a-f0-9]{32}-)?(?:sha256|sha512)-[a-f0-9]{64,128}-(\d+)\.part", re.ASCII)
"""Of a file; who owns it is left out in those of older versions, which are no longer taken up, but swept."""


class Spool:
    """The first `length` bytes of one blob, in a file that grows as the blob is read and that one copy at a time holds.

    The file outlives a killed worker: who comes next, on the same machine, reads on from there. It is found by its
    owner alone: to know a digest gives nobody the bytes that another was allowed to read, nor his own to another.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._file = descriptor
        self.length = os.fstat(descriptor).st_size

    @classmethod
    def claim(cls, folder: Path, owner: str, digest: str, size: int, limit: int) -> Spool | None:
        """The blob's file, of those that were read for `owner`; None where it does not fit, another copy holds it, or
        the folder cannot be used."""
        path = folder / f"{hashlib.sha256(owner.encode()).hexdigest()[:32]}-{digest.replace(':', '-')}-{size}.part"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists() and not _fits(folder, size, limit):
                return None
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            spool = cls(path, file)
        except OSError:
            os.close(file)
            return None
        if spool.length > size:
            spool.empty()
        return spool

    def read(self, position: int, limit: int) -> bytes:
        """At most `limit` of the bytes from `position` on; b"" where there are none, or none that can be read."""
        try:
            return os.pread(self._file, min(limit, self.length - position), position)
        except OSError:
            return b""

    def append(self, piece: bytes) -> None:
        """Let `piece` follow, if the disk can take it; otherwise the file stays as it is."""
        with suppress(OSError):
            written = os.pwrite(self._file, piece, self.length)
            self.length += written

    def empty(self) -> None:
        """Begin anew."""
        with suppress(OSError):
            os.ftruncate(self._file, 0)
        self.length = 0

    def close(self) -> None:
        """Let go of it, and keep it for another time."""
        os.close(self._file)

    def discard(self) -> None:
        """It is no longer needed."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
        self.close()


def _fits(folder: Path, size: int, limit: int) -> bool:
    """Whether a blob of `size` bytes may come to the others, each counted as what it may grow to."""
    claimed = sum(int(found[1]) for path in folder.iterdir() if (found := _NAME.fullmatch(path.name)))
    return claimed + size <= limit and shutil.disk_usage(folder).free - size >= SPARE


def sweep(folder: Path, age: float) -> int:
    """Remove what no job has touched for `age` seconds and nobody uses; how many files that was."""
    removed = 0
    for path in folder.glob("*.part") if folder.is_dir() else ():
        with suppress(OSError):
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _NAME.fullmatch(path.name) and os.fstat(file).st_mtime < time.time() - age:
                    path.unlink()
                    removed += 1
            finally:
                os.close(file)
    return removed
