"""A copy in a process of its own, that can be killed: `python -m tests.replication.worker <JSON>`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from registry.references import Reference
from replication.transfer import Options, Saved, Unwatched, copy
from tests.replication.plain import client


class FileWatch(Unwatched):
    """Keeps what it is told in `folder`, as a job's row would; lets `rate` bytes a second pass."""

    def __init__(self, folder: Path, rate: int = 0) -> None:
        self.folder = folder
        self.rate = rate

    def load(self, digest: str) -> Saved | None:
        path = self.folder / digest
        return Saved(*json.loads(path.read_text())) if path.exists() else None

    def save(self, digest: str, saved: Saved) -> None:
        path = self.folder / "new"
        path.write_text(json.dumps([saved.offset, saved.location]))
        path.rename(self.folder / digest)

    def forget(self, digest: str) -> None:
        (self.folder / digest).unlink(missing_ok=True)

    def throttle(self, count: int) -> float:
        return count / self.rate


def run(about: dict[str, Any]) -> None:
    source, target = client(about["source"]), client(about["target"], *about["credentials"])
    options = Options(chunk=about["chunk"], spool=Path(about["spool"]), bandwidth=about["rate"], patience=0.5)
    watch = FileWatch(Path(about["folder"]), about["rate"])
    copy(source, target, Reference(*about["origin"]), Reference(*about["goal"]), watch=watch, options=options)


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
