"""Manifests for tests."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from registry.manifests import OCI_INDEX, OCI_MANIFEST, Manifest, parse

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


def sha256(content: bytes) -> str:
    """The digest of `content`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes = b"content", media_type: str = LAYER_TYPE, **more: Any) -> dict[str, Any]:
    """A descriptor of `content`."""
    return {"mediaType": media_type, "digest": sha256(content), "size": len(content), **more}


def image(*layers: bytes, **more: Any) -> dict[str, Any]:
    """An image's manifest, as a document, its config being `{}`; `more` replaces or adds fields."""
    return {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(b"{}", CONFIG_TYPE),
        "layers": [descriptor(layer) for layer in layers],
        **more,
    }


def index(*children: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An index, as a document."""
    return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children), **more}


def encode(document: Any) -> bytes:
    """A document's bytes."""
    return json.dumps(document).encode()


def manifest(document: dict[str, Any]) -> Manifest:
    """A document, parsed as what it says it is."""
    return parse(encode(document), document["mediaType"])
