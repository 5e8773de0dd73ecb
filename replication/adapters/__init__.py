"""The kinds of registry that Haven replicates with: one file each. To add one, write it and name its class here."""

from __future__ import annotations

from replication.adapters.ali import AliAcr
from replication.adapters.artifactory import Artifactory
from replication.adapters.aws_ecr import AwsEcr
from replication.adapters.azure import AzureAcr
from replication.adapters.base import Access, Adapter, Found, Info
from replication.adapters.docker_hub import DockerHub
from replication.adapters.docker_registry import DockerRegistry
from replication.adapters.dtr import Dtr
from replication.adapters.github import GitHub
from replication.adapters.gitlab import GitLab
from replication.adapters.google import Google
from replication.adapters.harbor import Harbor
from replication.adapters.huawei import HuaweiSwr
from replication.adapters.quay import Quay
from replication.adapters.tencent import TencentTcr
from replication.adapters.volcengine import VolcengineCr

KINDS: dict[str, type[Adapter]] = {
    kind.info.type: kind
    for kind in (
        Harbor,
        DockerRegistry,
        DockerHub,
        GitHub,
        GitLab,
        Quay,
        AwsEcr,
        Google,
        AzureAcr,
        AliAcr,
        HuaweiSwr,
        TencentTcr,
        VolcengineCr,
        Artifactory,
        Dtr,
    )
}
"""The adapters by type, in the order in which they are offered."""

__all__ = ["KINDS", "Access", "Adapter", "Found", "Info"]
