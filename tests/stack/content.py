"""Things to push: layers, images, indexes, artifacts, charts. Deterministic, so that a digest can be expected."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"
HELM_CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def digest_of(content: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@dataclass(frozen=True)
class Blob:
    """Bytes with the media type that a descriptor gives them."""

    content: bytes
    media_type: str = "application/octet-stream"

    def digest(self, algorithm: str = "sha256") -> str:
        return digest_of(self.content, algorithm)

    def descriptor(self, algorithm: str = "sha256", **more: Any) -> dict[str, Any]:
        return {
            "mediaType": self.media_type,
            "digest": self.digest(algorithm),
            "size": len(self.content),
            **more,
        }


EMPTY = Blob(b"{}", OCI_EMPTY)


@dataclass(frozen=True)
class Pushable(Blob):
    """A manifest with all that has to be pushed before it."""

    blobs: tuple[Blob, ...] = ()
    children: tuple[Pushable, ...] = ()
    algorithm: str = "sha256"
    document: Mapping[str, Any] = field(default_factory=dict, compare=False)


def layer(files: Mapping[str, bytes]) -> Blob:
    """A gzipped tar of `files`."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return Blob(gzip.compress(raw.getvalue(), mtime=0), OCI_LAYER)


def manifest(document: Mapping[str, Any], blobs: Iterable[Blob] = (), **more: Any) -> Pushable:
    """`document` as it stands."""
    content = json.dumps(document, separators=(",", ":")).encode()
    return Pushable(content, document["mediaType"], tuple(blobs), document=document, **more)


def image(
    *layers: Blob,
    text: str = "hello",
    architecture: str = "amd64",
    media_type: str = OCI_IMAGE,
    algorithm: str = "sha256",
    **fields: Any,
) -> Pushable:
    """An image; without `layers` it has one, whose file holds `text`. `fields` go into the manifest as they are."""
    stack = layers or (layer({"hello.txt": text.encode()}),)
    config = Blob(
        json.dumps(
            {
                "architecture": architecture,
                "os": "linux",
                "config": {"Cmd": ["/hello"], "Labels": {"text": text}},
                "rootfs": {"type": "layers", "diff_ids": [_diff_id(each) for each in stack]},
                "history": [{"created_by": f"COPY {number} /"} for number, _ in enumerate(stack)],
            }
        ).encode(),
        OCI_CONFIG,
    )
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": config.descriptor(algorithm),
        "layers": [each.descriptor(algorithm) for each in stack],
        **fields,
    }
    return manifest(document, (config, *stack), algorithm=algorithm)


def index(*children: Pushable, media_type: str = OCI_INDEX, algorithm: str = "sha256", **fields: Any) -> Pushable:
    """An index of `children`, on as many platforms."""
    architectures = ["amd64", "arm64", "s390x", "ppc64le", "riscv64"]
    entries = [
        child.descriptor(algorithm, platform={"os": "linux", "architecture": architectures[position % 5]})
        for position, child in enumerate(children)
    ]
    document = {"schemaVersion": 2, "mediaType": media_type, "manifests": entries, **fields}
    return manifest(document, children=children, algorithm=algorithm)


def artifact(
    artifact_type: str, *layers: Blob, subject: Blob | None = None, algorithm: str = "sha256", **fields: Any
) -> Pushable:
    """An artifact with an empty config, about `subject` if there is one."""
    if subject is not None:
        fields["subject"] = {
            "mediaType": subject.media_type,
            "digest": subject.digest(algorithm),
            "size": len(subject.content),
        }
    stack = layers or (EMPTY,)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "artifactType": artifact_type,
        "config": EMPTY.descriptor(algorithm),
        "layers": [each.descriptor(algorithm) for each in stack],
        **fields,
    }
    return manifest(document, {EMPTY, *stack}, algorithm=algorithm)


def chart(name: str = "hello", version: str = "1.2.3") -> Pushable:
    """What `helm push` sends."""
    about = {"apiVersion": "v2", "name": name, "version": version, "description": "A chart that says hello"}
    config = Blob(json.dumps(about).encode(), HELM_CONFIG)
    files = {f"{name}/Chart.yaml": json.dumps(about).encode(), f"{name}/values.yaml": b"replicas: 1\n"}
    package = Blob(layer(files).content, HELM_CHART)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_IMAGE,
        "config": config.descriptor(),
        "layers": [package.descriptor()],
        "annotations": {"org.opencontainers.image.title": name, "org.opencontainers.image.version": version},
    }
    return manifest(document, (config, package))


def _diff_id(blob: Blob) -> str:
    return digest_of(gzip.decompress(blob.content) if blob.content[:2] == b"\x1f\x8b" else blob.content)
