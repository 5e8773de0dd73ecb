"""What Harbor 2.x answers about its adapters, word for word, where clients and its form read it."""

from __future__ import annotations

import sys

from api.registries import RegistryProviderInfo, provider, show_info
from replication.adapters import KINDS
from replication.copying import options
from replication.models import Endpoint, Policy
from replication.transfer import Options

TYPES = [
    "ali-acr",
    "aws-ecr",
    "azure-acr",
    "docker-hub",
    "docker-registry",
    "dtr",
    "github-ghcr",
    "gitlab",
    "google-gcr",
    "harbor",
    "huawei-SWR",
    "jfrog-artifactory",
    "quay",
    "tencent-tcr",
    "volcengine-cr",
]
PATTERNED = {
    "ali-acr": 115,
    "aws-ecr": 23,
    "docker-hub": 1,
    "github-ghcr": 1,
    "google-gcr": 4,
    "quay": 0,
    "tencent-tcr": None,
    "volcengine-cr": None,
}
"""How many addresses there are to choose from; None where the form knows nothing particular."""


def test_there_is_an_adapter_for_every_type_of_harbors() -> None:
    assert sorted(KINDS) == TYPES


def test_forms_are_described_as_harbor_does() -> None:
    infos = {
        name: RegistryProviderInfo.of(provider(kind.info)) for name, kind in KINDS.items() if kind.info.has_pattern
    }
    assert infos.keys() == PATTERNED.keys()
    for name, count in PATTERNED.items():
        pattern = infos[name].get("endpoint_pattern")
        assert (None if pattern is None else len(pattern.get("endpoints") or [])) == count, name
    first = infos["ali-acr"]["endpoint_pattern"]["endpoints"]
    assert first[0] == {"key": "cn-qingdao", "value": "https://registry.cn-qingdao.aliyuncs.com"}
    assert first[4]["value"] == "https://instanceName-registry.cn-qingdao.cr.aliyuncs.com"
    assert infos["aws-ecr"]["endpoint_pattern"]["endpoint_type"] == "EndpointPatternTypeList"
    assert infos["github-ghcr"]["endpoint_pattern"]["endpoint_type"] == "EndpointPatternTypeFix"
    assert infos["google-gcr"]["credential_pattern"] == {
        "access_key_type": "AccessKeyTypeFix",
        "access_key_data": "_json_key",
        "access_secret_type": "AccessSecretTypeFile",
        "access_secret_data": "No Change",
    }
    assert infos["quay"]["endpoint_pattern"]["endpoint_type"] == "EndpointPatternTypeStandard"
    assert infos["quay"]["credential_pattern"]["access_key_data"] == "json_file"
    assert infos["tencent-tcr"] == {} and infos["volcengine-cr"] == {}


def test_rules_can_have_what_harbors_can() -> None:
    vendors = [kind.info for name, kind in KINDS.items() if name not in ("harbor", "docker-registry")]
    for info in vendors:
        shown = show_info(info)
        assert [style["type"] for style in shown["supported_resource_filters"]] == ["name", "tag"], info.type
        assert shown["supported_triggers"] == ["manual", "scheduled"], info.type
        assert shown.get("supported_copy_by_chunk", False) == (info.type == "azure-acr"), info.type
    assert show_info(KINDS["huawei-SWR"].info)["description"] == "Adapter for SWR -- The image registry of Huawei Cloud"


def test_large_blobs_go_in_one_piece_where_chunks_are_refused() -> None:
    def chunk(kind: str, is_push: bool = True) -> int:
        there = Endpoint(pk=1, type=kind, url="https://registry.example")
        rule = Policy(target=there) if is_push else Policy(source=there)
        return options(rule, {}).chunk

    assert chunk("github-ghcr") == chunk("google-gcr") == sys.maxsize
    assert chunk("github-ghcr", is_push=False) == chunk("aws-ecr") == chunk("harbor") == Options.chunk
