from __future__ import annotations

from replication.adapters.base import Adapter, Info


class DockerRegistry(Adapter):
    """Any registry that speaks v2, with no credentials, Basic or Bearer: `distribution`, zot, Nexus."""

    info = Info("docker-registry", "Any registry that speaks the OCI distribution API", copy_by_chunk=True)
