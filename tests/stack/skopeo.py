"""skopeo, and OCI layouts on disk for it to copy."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.stack.content import Blob, Pushable


class SkopeoFailed(AssertionError):
    """skopeo said no; `str()` is what it said."""


def skopeo(*arguments: str) -> str:
    """What skopeo prints."""
    command = ["skopeo", "--insecure-policy", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode:
        raise SkopeoFailed(done.stdout + done.stderr)
    return done.stdout


def write_layout(folder: Path, pushed: Pushable, tag: str = "1") -> str:
    """`pushed` as an OCI layout in `folder`; the name by which skopeo finds it."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for blob in everything(pushed):
        (blobs / blob.digest().partition(":")[2]).write_bytes(blob.content)
    entry = pushed.descriptor(annotations={"org.opencontainers.image.ref.name": tag})
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return f"oci:{folder}:{tag}"


def layout_digests(folder: Path) -> set[str]:
    """The digests of all that a layout holds."""
    return {f"sha256:{path.name}" for path in (folder / "blobs" / "sha256").iterdir()}


def everything(pushed: Pushable) -> Iterator[Blob]:
    """`pushed`, its blobs, its children and theirs."""
    yield pushed
    yield from pushed.blobs
    for child in pushed.children:
        yield from everything(child)
