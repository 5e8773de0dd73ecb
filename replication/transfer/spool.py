"""A folder of what has been read of large blobs, so that a source need not be read twice."""

from __future__ import annotations

from pathlib import Path


def sweep(folder: Path, age: float) -> int:
    """Remove what no job has touched for `age` seconds and nobody uses; how many files that was."""
    raise NotImplementedError
