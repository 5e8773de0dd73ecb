"""What a machine-learning model, packed as CNCF's model specification says, holds for a reader: documents and files.

https://github.com/modelpack/model-spec: each layer is a file, named by an annotation. Nothing of it can be relied on.
"""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterable
from typing import Any

from accounts.errors import NotFound
from artifacts.models import Artifact, Blob
from registry.client import Registry
from registry.manifests import Descriptor, parse

DOCUMENT = "application/vnd.cncf.model.doc.v1"
DOCUMENTS = (f"{DOCUMENT}.raw", f"{DOCUMENT}.tar", f"{DOCUMENT}.tar+gzip")
FILEPATH = "org.cncf.model.filepath"
NAMES = {"readme.md": ("readme", "readme.md"), "license": ("license", "license.txt")}
"""The files that are an addition, whatever their case."""
LARGEST = 4 * 2**20
"""Bytes of a document, packed and unpacked; Harbor's limit."""
MOST_MEMBERS = 100
"""Of an archive, looked through for its one file: a member of less than no bytes leads back to itself, for ever."""
DEEPEST = 32
"""Folders in folders; what lies deeper is left out."""


def read_document(registry: Registry, artifact: Artifact, addition: str) -> str:
    """The readme or the licence of `artifact`. NotFound where it has none; raises what the registry raises."""
    layer = next((one for one in _layers(artifact) if _is_called(one, NAMES[addition])), None)
    if layer is None:
        raise NotFound(f"{addition} of the model not found")
    if layer.size > LARGEST:
        raise NotFound(f"{addition} of the model is too large to be shown")
    known = Blob.objects.filter(repository=artifact.repository, digest=layer.digest).first()
    with registry.get_blob(artifact.repository.name, known.stored_digest if known else layer.digest) as stream:
        content = _first(stream)
    if layer.media_type.endswith("+gzip"):
        content = _inflated(content)
    return (content if layer.media_type.endswith(".raw") else _first_file(content)).decode(errors="replace")


def files(artifact: Artifact) -> list[dict[str, Any]]:
    """The files of `artifact` as a tree, by what its layers are called: folders first, each level by name."""
    root: dict[str, Any] = {}
    for layer in _layers(artifact):
        path = layer.annotations.get(FILEPATH, "")
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if not parts or len(parts) > DEEPEST:
            continue
        folder: Any = root
        for part in parts[:-1]:
            folder = folder.setdefault(part, {})
            if not isinstance(folder, dict):
                break  # a file of that name came first
        else:
            folder.setdefault(parts[-1], {} if path.endswith("/") else layer.size)
    return _listed(root)


def _layers(artifact: Artifact) -> tuple[Descriptor, ...]:
    return tuple(parse(bytes(artifact.manifest.content), artifact.media_type).layers)


def _is_called(layer: Descriptor, names: tuple[str, ...]) -> bool:
    return layer.media_type in DOCUMENTS and layer.annotations.get(FILEPATH, "").lower() in names


def _listed(folder: dict[str, Any]) -> list[dict[str, Any]]:
    """As Harbor writes it: no size of an empty file, no children of an empty folder."""
    shown = []
    for name, held in sorted(folder.items(), key=lambda item: (not isinstance(item[1], dict), item[0])):
        kind, key = ("directory", "children") if isinstance(held, dict) else ("file", "size")
        value = _listed(held) if isinstance(held, dict) else held
        shown.append({"name": name, "type": kind} | ({key: value} if value else {}))
    return shown


def _first(chunks: Iterable[bytes]) -> bytes:
    """As many bytes as a document may have, whatever it claims."""
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > LARGEST:
            break
    return bytes(content[:LARGEST])


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(content, LARGEST)
    except zlib.error:
        return b""


def _first_file(content: bytes) -> bytes:
    """The one file of an archive; what can be read of a broken one."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
            for _, member in zip(range(MOST_MEMBERS), archive, strict=False):
                if member.isreg() and not member.issparse():
                    held = archive.extractfile(member)
                    return held.read(LARGEST) if held else b""
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError):
        pass
    return b""
