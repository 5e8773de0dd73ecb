"""Images with layers too large to be held in memory."""

from __future__ import annotations

import hashlib
import os

from registry.client import Body, Registry
from registry.manifests import parse
from registry.references import Reference
from tests.stack import content
from tests.stack.content import OCI_LAYER, Blob

MEGABYTE = 2**20


def push_large(registry: Registry, repository: str, megabytes: int) -> str:
    """Push an image of one layer of that size as tag `1`; the layer's digest."""
    block = os.urandom(MEGABYTE)
    seen = hashlib.sha256()
    for _ in range(megabytes):
        seen.update(block)
    digest, size = f"sha256:{seen.hexdigest()}", megabytes * MEGABYTE
    registry.put_blob(repository, digest, Body((block for _ in range(megabytes)), size))
    config = Blob(b'{"architecture":"amd64","os":"linux"}', content.OCI_CONFIG)
    registry.put_blob(repository, config.digest(), config.content)
    layer = {"mediaType": OCI_LAYER, "digest": digest, "size": size}
    document = {"schemaVersion": 2, "mediaType": content.OCI_IMAGE, "config": config.descriptor(), "layers": [layer]}
    image = content.manifest(document)
    registry.put_manifest(Reference(repository, "1"), parse(image.content, image.media_type))
    return digest
