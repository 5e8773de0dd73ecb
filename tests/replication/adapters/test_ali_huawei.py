"""Alibaba and Huawei, as their documentations tell of them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from registry.errors import Denied, RegistryError
from replication.adapters.ali import AliAcr
from replication.adapters.huawei import HuaweiSwr
from replication.endpoints import look
from tests.replication.adapters.recomputed import is_alibaba, is_huawei
from tests.replication.adapters.vendors import Answer, Call, Route, Vendor

REFUSED = "the registry refuses these credentials: check access key and secret"
KEY, SECRET = "AKIDHAVEN", "secret/of+the=cloud"
HOUR = int(time.time() + 3600)


def tags(adapter: Any, repository: str) -> list[str]:
    return [tag for found in adapter.artifacts(repository) for tag in found.tags]


# Alibaba Cloud: help.aliyun.com, cr 2016-06-07 (personal) and 2018-12-01 (Enterprise)

ALI = "cr.cn-hangzhou.aliyuncs.com"


def ali_signed(action: str, version: str, answer: Answer | Route) -> Route:
    def route(call: Call) -> Answer:
        if not is_alibaba(call, KEY, SECRET):
            return 400, {"Code": "SignatureDoesNotMatch", "Message": f"not signed with {SECRET}"}
        assert (call.headers["x-acs-action"], call.headers["x-acs-version"]) == (action, version)
        return answer(call) if callable(answer) else answer

    return route


def ali_registry(vendor: Vendor, host: str, service: str) -> None:
    vendor.secrets.append("temporary-password")
    vendor.registry(
        host,
        lambda: ("cr_temp_user", "temporary-password"),
        realm="dockerauth.cn-hangzhou.aliyuncs.com/auth",
        service=service,
        tags={"team/app": ["1", "2", "3"]},
    )


def personal(vendor: Vendor, secret: str = SECRET, url: str = "https://registry.cn-hangzhou.aliyuncs.com") -> AliAcr:
    def repositories(call: Call) -> Answer:
        assert call.query["PageSize"] == "100"
        page = int(call.query["Page"])
        names = [[f"app{number:03}" for number in range(100)], ["last"]][page - 1]
        repos = [{"repoNamespace": "team", "repoName": name} for name in names]
        return 200, {"data": {"page": page, "pageSize": 100, "total": 101, "repos": repos}, "requestId": "r"}

    spaces = {"data": {"namespaces": [{"namespace": "team"}]}}
    login = {"tempUserName": "cr_temp_user", "authorizationToken": "temporary-password", "expireDate": HOUR * 1000}
    old = "2016-06-07"
    vendor.routes |= {
        f"GET {ALI}/tokens": ali_signed("GetAuthorizationToken", old, (200, {"data": login})),
        f"GET {ALI}/namespace": ali_signed("GetNamespaceList", old, (200, spaces)),
        f"GET {ALI}/repos/team": ali_signed("GetRepoListByNamespace", old, repositories),
        f"GET {ALI}/repos/team/app": ali_signed("GetRepo", old, (200, {"data": {}})),
        f"GET {ALI}/repos/new/app": ali_signed("GetRepo", old, (404, {"code": "REPO_NOT_EXIST"})),
        f"PUT {ALI}/namespace": ali_signed("CreateNamespace", old, (200, {"data": {}})),
        f"PUT {ALI}/repos": ali_signed("CreateRepo", old, (200, {"data": {}})),
        f"DELETE {ALI}/repos/team/app/tags/1": ali_signed("DeleteImage", old, (200, {})),
    }
    ali_registry(vendor, "registry.cn-hangzhou.aliyuncs.com", "registry.aliyuncs.com:cn-hangzhou:26842")
    return vendor.adapter(AliAcr, url, KEY, secret)  # type: ignore[no-any-return]


def test_alibabas_personal_registry(vendor: Vendor) -> None:
    adapter = personal(vendor)
    assert look(adapter) == ""
    names = list(adapter.repositories(""))
    assert (len(names), names[0], names[-1]) == (101, "team/app000", "team/last")
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    adapter.prepare("team/app")
    assert vendor.called("PUT") == []
    adapter.prepare("new/app")
    made = [call.json for call in vendor.called("PUT")]
    repository = {"RepoNamespace": "new", "RepoName": "app", "Summary": "app", "RepoType": "PRIVATE"}
    assert made == [{"Namespace": {"Namespace": "new"}}, {"Repo": repository}]
    assert adapter.delete("team/app", "1", "")
    assert len(vendor.called("GET", f"{ALI}/tokens")) == 1, "a login is kept while it lasts"


def test_alibabas_api_address_means_its_registry(vendor: Vendor) -> None:
    adapter = personal(vendor, url=f"https://{ALI}")
    assert look(adapter) == "" and adapter.registry_url == "https://registry.cn-hangzhou.aliyuncs.com"


INSTANCE = "cri-0123456789"


def enterprise(vendor: Vendor) -> None:
    pages = {
        "ListNamespace": ("Namespaces", [{"NamespaceName": "team"}]),
        "ListRepository": (
            "Repositories",
            [{"RepoName": f"app{number:03}", "RepoId": f"crr-{number}"} for number in range(101)],
        ),
    }

    def act(call: Call) -> Answer:
        assert call.query["InstanceId"] == INSTANCE
        action = call.headers["x-acs-action"]
        if action == "GetAuthorizationToken":
            login = {"TempUsername": "cr_temp_user", "AuthorizationToken": "temporary-password"}
            return 200, {**login, "ExpireTime": HOUR * 1000, "IsSuccess": True}
        if action in pages:
            kind, entries = pages[action]
            wanted = [entry for entry in entries if call.query.get("RepoName") in (None, entry.get("RepoName"))]
            start = (int(call.query["PageNo"]) - 1) * 100
            return 200, {kind: wanted[start : start + 100], "TotalCount": str(len(wanted)), "IsSuccess": True}
        return 200, {"IsSuccess": True, "Code": "success"}

    def signed(call: Call) -> Answer:
        return ali_signed(call.headers["x-acs-action"], "2018-12-01", act)(call)

    vendor.routes[f"POST {ALI}/"] = signed


def test_alibabas_enterprise_edition(vendor: Vendor) -> None:
    enterprise(vendor)
    host = "haven-registry.cn-hangzhou.cr.aliyuncs.com"
    ali_registry(vendor, host, f"registry.aliyuncs.com:cn-hangzhou:china:{INSTANCE}")
    adapter = vendor.adapter(AliAcr, f"https://{host}", KEY, SECRET)
    assert look(adapter) == ""
    names = list(adapter.repositories(""))
    assert (len(names), names[0], names[-1]) == (101, "team/app000", "team/app100")
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    adapter.prepare("new/fresh", public=True)
    made = {
        call.headers["x-acs-action"]: call.query
        for call in vendor.called("POST")
        if "Create" in call.headers["x-acs-action"]
    }
    assert made["CreateNamespace"]["NamespaceName"] == "new" and made["CreateNamespace"]["AutoCreateRepo"] == "true"
    assert (made["CreateRepository"]["RepoName"], made["CreateRepository"]["RepoType"]) == ("fresh", "PUBLIC")
    assert adapter.delete("team/app007", "1", "")
    assert vendor.called("POST")[-1].query["RepoId"] == "crr-7"


def test_alibaba_refuses_clearly(vendor: Vendor) -> None:
    assert look(personal(vendor, "not-the-secret")) == REFUSED
    adapter = personal(vendor)
    vendor.routes[f"GET {ALI}/namespace"] = lambda call: (403, {"Code": "Forbidden.RAM", "Message": SECRET})
    with pytest.raises(Denied, match="may not call GetNamespaceList"):
        list(adapter.repositories(""))
    vendor.registry("elsewhere.example", lambda: ("", ""))
    assert "none of Alibaba Cloud's registries" in look(
        vendor.adapter(AliAcr, "https://elsewhere.example", KEY, SECRET)
    )


# Huawei Cloud: support.huaweicloud.com/intl/en-us/api-swr

SWR, MANAGE = "swr.eu-west-101.myhuaweicloud.eu", "swr-api.eu-west-101.myhuaweicloud.eu/v2/manage"
# printf AKIDHAVEN | openssl dgst -sha256 -hmac 'secret/of+the=cloud', as SWR's guide derives docker's password.
DERIVED = "299f7d890d0ace27098ffc20147531489c3ccf50e7f24251193833dfab26f21d"


def swr(vendor: Vendor, secret: str = SECRET) -> HuaweiSwr:
    def signed(answer: Answer | Route) -> Route:
        def route(call: Call) -> Answer:
            if not is_huawei(call, KEY, SECRET):
                return 401, {"error_code": "APIGW.0301", "error_msg": f"Incorrect IAM authentication: {SECRET}"}
            return answer(call) if callable(answer) else answer

        return route

    def repositories(call: Call) -> Answer:
        names = {"0": [f"app{number:03}" for number in range(100)], "100": ["last"]}
        asked = dict(part.split("::") for part in call.query["filter"].split("|"))
        assert (asked["namespace"], asked["limit"]) == ("team", "100")
        other = [{"namespace": "team-two", "name": "like"}] if asked["offset"] == "100" else []
        return 200, [{"namespace": "team", "name": name} for name in names[asked["offset"]]] + other

    spaces = {"namespaces": [{"id": 1, "name": "team", "auth": 7}]}
    vendor.routes |= {
        f"GET {MANAGE}/namespaces": signed((200, spaces)),
        f"GET {MANAGE}/repos": signed(repositories),
        f"GET {MANAGE}/namespaces/team": signed((200, {"id": 1, "name": "team"})),
        f"GET {MANAGE}/namespaces/new": signed((404, {})),
        f"POST {MANAGE}/namespaces": signed((201, {})),
        f"DELETE {MANAGE}/namespaces/team/repos/deep%24app/tags/1": signed((204, {})),
    }
    login = (f"eu-west-101@{KEY}", DERIVED)
    vendor.registry(SWR, lambda: login, realm=f"{SWR}/swr/auth/v2/registry/auth", tags={"team/app": ["1", "2", "3"]})
    vendor.secrets.append(DERIVED)
    return vendor.adapter(HuaweiSwr, f"https://{SWR}", KEY, secret)  # type: ignore[no-any-return]


def test_huawei_by_access_key(vendor: Vendor) -> None:
    adapter = swr(vendor)
    assert look(adapter) == ""
    names = list(adapter.repositories(""))
    assert (len(names), names[0], names[-1]) == (101, "team/app000", "team/last")
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    adapter.prepare("team/app")
    assert vendor.called("POST") == []
    adapter.prepare("new/app")
    [made] = vendor.called("POST")
    assert made.json == {"namespace": "new"}
    assert adapter.delete("team/deep/app", "1", "")


def test_huawei_by_dockers_login_as_harbor_has_it(vendor: Vendor) -> None:
    username, dockyard = f"eu-west-101@{KEY}", f"{SWR}/dockyard/v2"

    def basic(answer: Answer) -> Route:
        return lambda call: answer if call.is_basic(username, DERIVED) else (401, {})

    swr(vendor)
    found = [{"namespace": "team", "name": "app"}, {"namespace": "other", "name": "web"}]
    vendor.routes |= {
        f"GET {dockyard}/visible/namespaces": basic((200, {"namespaces": []})),
        f"GET {dockyard}/repositories": basic((200, found)),
        f"GET {dockyard}/namespaces/new": basic((200, {"name": ""})),
        f"POST {dockyard}/namespaces": basic((201, {})),
    }
    adapter = vendor.adapter(HuaweiSwr, f"https://{SWR}", username, DERIVED)
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["team/app", "other/web"]
    assert list(adapter.repositories("team/*")) == ["team/app"]
    assert vendor.called("GET", f"{dockyard}/repositories")[0].query == {"filter": "center::self"}
    adapter.prepare("new/app")
    assert [call.json for call in vendor.called("POST")] == [{"namespace": "new"}]
    assert vendor.called("GET", MANAGE) == []


def test_huawei_refuses_clearly(vendor: Vendor) -> None:
    adapter = swr(vendor, "not-the-secret")
    assert look(adapter) == REFUSED
    with pytest.raises(RegistryError, match="refuses these credentials"):
        list(adapter.repositories(""))
