"""The kinds of registry that Haven replicates with: one file each. To add one, write it and name its class here."""

from __future__ import annotations

from replication.adapters.base import Access, Adapter, Found, Info
from replication.adapters.docker_registry import DockerRegistry
from replication.adapters.harbor import Harbor

KINDS: dict[str, type[Adapter]] = {kind.info.type: kind for kind in (Harbor, DockerRegistry)}
"""The adapters by type, in the order in which they are offered."""

__all__ = ["KINDS", "Access", "Adapter", "Found", "Info"]
