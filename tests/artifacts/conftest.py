from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_django import Settings

from registry.objects import Folder
from registry.storage import LAYOUT
from tests.gateway.conftest import Door, door_of, registry
from tests.gateway.conftest import _token_keys as _token_keys
from tests.stack.content import Pushable

__all__ = ["Door", "door_of", "registry"]
THREE_HOURS = 3 * 3600


@dataclass(frozen=True)
class Shelf:
    """A storage as `distribution` lays it out, written by hand."""

    root: Path

    @property
    def layout(self) -> Path:
        return self.root / LAYOUT

    def write(self, key: str, content: bytes, age: float = THREE_HOURS) -> Path:
        path = self.layout / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (time.time() - age, time.time() - age))
        return path

    def add_blob(self, repository: str, content: bytes, age: float = THREE_HOURS, kind: str = "_layers") -> Path:
        """The bytes, and the repository's link to them."""
        digest = hashlib.sha256(content).hexdigest()
        self.write(f"repositories/{repository}/{kind}/sha256/{digest}/link", f"sha256:{digest}".encode(), age)
        return self.write(f"blobs/sha256/{digest[:2]}/{digest}/data", content, age)

    def add_image(self, repository: str, image: Pushable, age: float = THREE_HOURS) -> list[Path]:
        paths = [self.add_blob(repository, blob.content, age) for blob in image.blobs]
        return [*paths, self.add_blob(repository, image.content, age, "_manifests/revisions")]

    @property
    def files(self) -> set[str]:
        return {one.key for one in Folder(self.root).objects()}


@pytest.fixture
def shelf(tmp_path: Path, settings: Settings) -> Shelf:
    settings.REGISTRY_STORAGE = {"driver": "filesystem", "root": str(tmp_path), "options": {}}
    return Shelf(tmp_path)
