from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replication.adapters.vendors import Vendor, standing_in
from tests.stack.tls import Authority

NAMES = """
    hub.docker.com registry-1.docker.io auth.docker.io ghcr.io api.github.com gitlab.example registry.gitlab.example
    quay.io api.ecr.eu-west-1.amazonaws.com 123456789012.dkr.ecr.eu-west-1.amazonaws.com gcr.io
    ecr.eu-west-1.api.aws 123456789012.dkr-ecr.eu-west-1.on.aws
    europe-docker.pkg.dev artifactregistry.googleapis.com oauth2.googleapis.com haven.azurecr.io
    registry.cn-hangzhou.aliyuncs.com haven-registry.cn-hangzhou.cr.aliyuncs.com cr.cn-hangzhou.aliyuncs.com
    dockerauth.cn-hangzhou.aliyuncs.com swr.eu-west-101.myhuaweicloud.eu swr-api.eu-west-101.myhuaweicloud.eu
    swr.example haven.tencentcloudcr.com tcr.tencentcloudapi.com haven-cn-beijing.cr.volces.com open.volcengineapi.com
    jfrog.example dtr.example elsewhere.example
"""
"""The hosts that it stands in for."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("vendors"))


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> tuple[Path, Path]:
    return authority.issue("127.0.0.1", *NAMES.split())


@pytest.fixture
def vendor(authority: Authority, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture) -> Iterator[Vendor]:
    """A stand-in that was asked nothing but what its table knows, and whose secrets are in no log."""
    caplog.set_level(logging.DEBUG)
    with standing_in(authority, certificate) as vendor:
        yield vendor
    assert vendor.unexpected == []
    for record in caplog.records:
        assert not any(secret in record.getMessage() for secret in vendor.secrets), record
