"""Tencent and Volcengine, as their documentations tell of them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from registry.errors import Unsupported
from replication.adapters.tencent import TencentTcr
from replication.adapters.volcengine import VolcengineCr
from replication.endpoints import look
from tests.replication.adapters.recomputed import is_tencent, is_volcengine
from tests.replication.adapters.vendors import Answer, Call, Vendor

REFUSED = "the registry refuses these credentials: check access key and secret"
KEY, SECRET = "AKIDHAVEN", "secret/of+the=cloud"
HOUR = int(time.time() + 3600)


def tags(adapter: Any, repository: str) -> list[str]:
    return [tag for found in adapter.artifacts(repository) for tag in found.tags]


# Tencent Cloud: cloud.tencent.com/document/api/1141

TCR = "tcr.tencentcloudapi.com"


def tcr_listed(kind: str, entries: list[dict[str, Any]]) -> Any:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        named = body.get("RepositoryName") or (body.get("NamespaceName") if kind == "NamespaceList" else None)
        wanted = [entry for entry in entries if named is None or named in entry["Name"]]
        start = (body["Offset"] - 1) * body["Limit"]
        return {kind: wanted[start : start + body["Limit"]], "TotalCount": len(wanted)}

    return answer


def tcr(vendor: Vendor, secret: str = SECRET, key: str = KEY) -> TencentTcr:
    registries = [{"RegistryName": "haven", "RegistryId": "tcr-1", "RegionName": "ap-shanghai"}]
    login = {"Username": "100012", "Token": "temporary-password", "ExpTime": HOUR * 1000}
    repositories = [{"Name": f"team/app{number:03}"} for number in range(101)]
    actions: dict[str, Any] = {
        "DescribeInstances": lambda body: {"TotalCount": 1, "Registries": registries},
        "CreateInstanceToken": lambda body: login,
        "DescribeNamespaces": tcr_listed("NamespaceList", [{"Name": "team"}, {"Name": "team-two"}]),
        "DescribeRepositories": tcr_listed("RepositoryList", repositories),
        "CreateNamespace": lambda body: {},
        "CreateRepository": lambda body: {},
        "DeleteImage": lambda body: {} if body["ImageVersion"] == "1" else {"Error": {"Code": "ResourceNotFound"}},
    }

    def api(call: Call) -> Answer:
        if not is_tencent(call, KEY, SECRET, "tcr"):
            error = {"Code": "AuthFailure.SignatureFailure", "Message": f"not signed with {SECRET}"}
            return 200, {"Response": {"Error": error, "RequestId": "r"}}
        action = call.headers["x-tc-action"]
        instance = action != "DescribeInstances"
        assert call.headers["x-tc-version"] == "2019-09-24"
        assert call.headers["x-tc-region"] == ("ap-shanghai" if instance else "ap-guangzhou")
        assert call.json.get("RegistryId") == ("tcr-1" if instance else None)
        return 200, {"Response": {**actions[action](call.json), "RequestId": "r"}}

    vendor.routes[f"POST {TCR}/"] = api
    host = "haven.tencentcloudcr.com"
    vendor.registry(
        host,
        lambda: ("100012", "temporary-password"),
        realm=f"{host}/service/token",
        service="harbor-registry",
        tags={"team/app": ["1", "2", "3"]},
    )
    vendor.secrets.append("temporary-password")
    return vendor.adapter(TencentTcr, f"https://{host}", key, secret)  # type: ignore[no-any-return]


def test_tencent(vendor: Vendor) -> None:
    adapter = tcr(vendor)
    assert look(adapter) == ""
    names = list(adapter.repositories("team/**"))
    assert (len(names), names[0], names[-1]) == (101, "team/app000", "team/app100")
    assert list(adapter.namespaces()) == ["team", "team-two"]
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    adapter.prepare("team/app007")
    adapter.prepare("tea/app", public=True)
    made = [call.json for call in vendor.called("POST") if "Create" in call.headers["x-tc-action"]]
    assert made[1:] == [
        {"RegistryId": "tcr-1", "NamespaceName": "tea", "IsPublic": True},
        {"RegistryId": "tcr-1", "NamespaceName": "tea", "RepositoryName": "app"},
    ]
    assert adapter.delete("team/app", "1", "") and not adapter.delete("team/app", "gone", "")


def test_tencent_refuses_clearly(vendor: Vendor) -> None:
    assert look(tcr(vendor, "not-the-secret")) == REFUSED
    assert look(tcr(vendor, key="100012")) == REFUSED
    assert "no address of TCR" in look(vendor.adapter(TencentTcr, "https://elsewhere.example", KEY, SECRET))
    adapter = tcr(vendor)
    error = {"Error": {"Code": "UnauthorizedOperation.CamNoAuth", "Message": SECRET}}
    vendor.routes[f"POST {TCR}/"] = lambda call: (200, {"Response": error})
    assert look(adapter) == "the key may not call DescribeInstances in TCR"


# Volcengine: www.volcengine.com/docs/6420, cr 2022-05-12

VOLC, INSTANCE = "open.volcengineapi.com", "haven-cn-beijing.cr.volces.com"


def volc_listed(entries: list[str]) -> Any:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        names = body.get("Filter", {}).get("Names")
        wanted = [name for name in entries if names is None or name in names]
        start = (body["PageNumber"] - 1) * body["PageSize"]
        items = [{"Name": name} for name in wanted[start : start + body["PageSize"]]]
        return {"Items": items, "TotalCount": len(wanted)}

    return answer


def volc(vendor: Vendor, secret: str = SECRET) -> VolcengineCr:
    login = {"Username": "haven@1", "Token": "temporary-password", "ExpireTime": "2099-05-20T13:00:55Z"}
    actions: dict[str, Any] = {
        "GetAuthorizationToken": lambda body: login,
        "ListNamespaces": volc_listed(["team"]),
        "ListRepositories": volc_listed([f"app{number:03}" for number in range(101)]),
        "CreateNamespace": lambda body: None,
        "CreateRepository": lambda body: None,
        "DeleteTags": lambda body: None,
    }

    def api(call: Call) -> Answer:
        about = {"RequestId": "r", "Action": call.query["Action"], "Service": "cr", "Region": "cn-beijing"}
        if not is_volcengine(call, KEY, SECRET, "cn-beijing/cr"):
            error = {"CodeN": 100010, "Code": "SignatureDoesNotMatch", "Message": f"not signed with {SECRET}"}
            return 401, {"ResponseMetadata": {**about, "Error": error}}
        assert call.query["Version"] == "2022-05-12" and call.json["Registry"] == "haven"
        return 200, {"ResponseMetadata": about, "Result": actions[call.query["Action"]](call.json)}

    vendor.routes[f"POST {VOLC}/"] = api
    manifest = {
        "Docker-Content-Digest": f"sha256:{'1' * 64}",
        "Content-Type": "application/vnd.oci.image.manifest.v1+json",
    }
    vendor.routes[f"HEAD {INSTANCE}/v2/team/app/manifests/1"] = lambda call: (200, {}, manifest)
    vendor.routes[f"HEAD {INSTANCE}/v2/team/app/manifests/gone"] = lambda call: (404, {})
    vendor.registry(
        INSTANCE,
        lambda: ("haven@1", "temporary-password"),
        realm=f"{INSTANCE}/service/token",
        service="harbor-registry",
        tags={"team/app": ["1", "2", "3"]},
    )
    vendor.secrets.append("temporary-password")
    return vendor.adapter(VolcengineCr, f"https://{INSTANCE}", KEY, secret)  # type: ignore[no-any-return]


def test_volcengine(vendor: Vendor) -> None:
    adapter = volc(vendor)
    assert look(adapter) == ""
    names = list(adapter.repositories(""))
    assert (len(names), names[0], names[-1]) == (101, "team/app000", "team/app100")
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    adapter.prepare("team/app007")
    adapter.prepare("new/app")
    made = [call.json for call in vendor.called("POST") if call.query["Action"].startswith("Create")]
    assert made == [
        {"Registry": "haven", "Name": "new"},
        {"Registry": "haven", "Namespace": "new", "Name": "app", "AccessLevel": "Private"},
    ]
    assert adapter.delete("team/app", "1", "") and not adapter.delete("team/app", "gone", "")
    [removed] = [call.json for call in vendor.called("POST") if call.query["Action"] == "DeleteTags"]
    assert removed == {"Registry": "haven", "Namespace": "team", "Repository": "app", "Names": ["1"]}


def test_volcengine_refuses_clearly(vendor: Vendor) -> None:
    assert look(volc(vendor, "not-the-secret")) == REFUSED
    with pytest.raises(Unsupported, match="no address of Volcengine"):
        list(vendor.adapter(VolcengineCr, "https://elsewhere.example", KEY, SECRET).repositories(""))
