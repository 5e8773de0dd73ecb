"""How an image came to be: the steps of its build, as its config tells them."""

from __future__ import annotations

import json
from typing import Any

from artifacts.description import has_readable_config
from artifacts.models import Artifact, Blob
from registry.client import Registry
from registry.manifests import parse


def build_history(registry: Registry, artifact: Artifact) -> list[dict[str, Any]]:
    """The `history` of the config of `artifact`, read from the registry; empty where there is none.

    The steps are as the builder wrote them: nothing in them can be relied on. Raises what the registry raises.
    """
    manifest = parse(bytes(artifact.manifest.content), artifact.media_type)
    if manifest.config is None or not has_readable_config(manifest):
        return []
    digest = manifest.config.digest
    known = Blob.objects.filter(repository=artifact.repository, digest=digest).first()
    with registry.get_blob(artifact.repository.name, known.stored_digest if known else digest) as stream:
        content = b"".join(stream)
    try:
        config = json.loads(content)
    except (ValueError, RecursionError):
        return []
    steps = config.get("history") if isinstance(config, dict) else None
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
