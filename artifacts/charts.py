"""What a Helm chart's package holds for a reader: its values, its readme, the charts it depends on."""

from __future__ import annotations

import io
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from artifacts.models import Artifact, Blob
from registry.client import Registry
from registry.manifests import parse

PACKAGE = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MOST_PACKED = 8 * 2**20
MOST_UNPACKED = 32 * 2**20
"""Bytes that are read of a package, and unpacked of it; a larger one shows what was read until then."""
MOST_SHOWN = 512 * 1024
"""Bytes of a file."""
MOST_MEMBERS = 2000
WANTED = {"values.yaml": "values", "readme.md": "readme"}


@dataclass(frozen=True)
class Chart:
    """A chart as its package tells; an empty text for a file that is not there."""

    values: str = ""
    readme: str = ""
    dependencies: list[dict[str, Any]] = field(default_factory=list)


def read_chart(registry: Registry, artifact: Artifact) -> Chart:
    """The package of the chart `artifact`, read from the registry. Raises what the registry raises.

    Nothing in it can be relied on: it is read by the bytes it yields, never by what it claims, and nothing is unpacked
    to a disk.
    """
    manifest = parse(bytes(artifact.manifest.content), artifact.media_type)
    package = next((layer for layer in manifest.layers if layer.media_type == PACKAGE), None)
    if package is None or package.size > MOST_PACKED:
        return Chart()
    known = Blob.objects.filter(repository=artifact.repository, digest=package.digest).first()
    digest = known.stored_digest if known else package.digest
    with registry.get_blob(artifact.repository.name, digest) as stream:
        unpacked = _unpack(iter(stream))
    return Chart(**_files(unpacked), dependencies=_dependencies(artifact.extra_attrs.get("dependencies")))


def _unpack(chunks: Iterator[bytes]) -> bytes:
    """The bytes that gzip holds, as far as they may be read."""
    inflate = zlib.decompressobj(wbits=31)
    unpacked, packed = bytearray(), 0
    for chunk in chunks:
        packed += len(chunk)
        try:
            unpacked += inflate.decompress(chunk, MOST_UNPACKED - len(unpacked) + 1)
        except zlib.error:
            break
        if packed > MOST_PACKED or len(unpacked) > MOST_UNPACKED:
            break
    return bytes(unpacked[:MOST_UNPACKED])


def _files(unpacked: bytes) -> dict[str, str]:
    """The wanted files, which lie in the one folder of the package."""
    found: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(unpacked), mode="r:") as archive:
            for _, member in zip(range(MOST_MEMBERS), archive, strict=False):
                name = WANTED.get(member.name.partition("/")[2].lower())
                if name and name not in found and member.isreg() and not member.issparse():
                    content = archive.extractfile(member)
                    found[name] = content.read(MOST_SHOWN).decode(errors="replace") if content else ""
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError):
        pass  # what was read until then is shown
    return found


def _dependencies(listed: Any) -> list[dict[str, Any]]:
    """Name, version and repository of the charts that this one asks for."""
    entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    return [{name: str(entry.get(name) or "") for name in ("name", "version", "repository")} for entry in entries]
