"""Artifactory and DTR, which people run themselves, as their documentations tell of them."""

from __future__ import annotations

from typing import Any

import pytest

from registry.errors import Denied
from replication.adapters.artifactory import Artifactory
from replication.adapters.dtr import Dtr
from replication.endpoints import look
from tests.replication.adapters.vendors import Answer, Call, Route, Vendor

REFUSED = "the registry refuses these credentials: check access key and secret"
USER, PASSWORD = "haven", "password-of-the-server"


def tags(adapter: Any, repository: str) -> list[str]:
    return [tag for found in adapter.artifacts(repository) for tag in found.tags]


def basic(answer: Answer | Route) -> Route:
    """The answer for who brings the password."""

    def route(call: Call) -> Answer:
        if not call.is_basic(USER, PASSWORD):
            return 401, {"errors": [{"message": f"bad credentials: {PASSWORD}"}]}
        return answer(call) if callable(answer) else answer

    return route


# Artifactory: jfrog.com/help/r/jfrog-rest-apis


def artifactory(vendor: Vendor, password: str = PASSWORD) -> Artifactory:
    def keys(call: Call) -> Answer:
        assert call.query == {"packageType": "docker"}
        return 200, [{"key": "images", "type": "LOCAL", "packageType": "Docker"}, {"key": "remote", "type": "REMOTE"}]

    def catalog(call: Call) -> Answer:
        if "last" not in call.query:
            assert call.query == {"n": "1000"}
            link = {"Link": '</artifactory/api/docker/images/v2/_catalog?n=1000&last=team%2Fapp>; rel="next"'}
            return 200, {"repositories": ["alone", "team/app"]}, link
        assert call.query["last"] == "team/app"
        return 200, {"repositories": ["team/web"]}

    at = "jfrog.example/artifactory/api"
    vendor.routes |= {
        f"GET {at}/repositories": basic(keys),
        f"GET {at}/docker/images/v2/_catalog": basic(catalog),
        f"GET {at}/docker/remote/v2/_catalog": basic((404, {})),
        f"PUT {at}/repositories/new": basic((200, b"Successfully created repository 'new'")),
        f"PUT {at}/repositories/closed": basic((403, {"errors": [{"status": 403, "message": PASSWORD}]})),
    }
    vendor.registry("jfrog.example", lambda: (USER, PASSWORD), tags={"images/team/app": ["1", "2", "3"]})
    return vendor.adapter(Artifactory, "https://jfrog.example", USER, password)  # type: ignore[no-any-return]


def test_artifactory(vendor: Vendor) -> None:
    adapter = artifactory(vendor)
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["images/alone", "images/team/app", "images/team/web"]
    assert list(adapter.repositories("images/team/*")) == ["images/alone", "images/team/app", "images/team/web"]
    assert tags(adapter, "images/team/app") == ["1", "2", "3"]
    adapter.prepare("images/new")
    assert vendor.called("PUT") == []
    adapter.prepare("new/app")
    [made] = vendor.called("PUT")
    assert (made.json["key"], made.json["rclass"], made.json["packageType"]) == ("new", "local", "docker")


def test_artifactory_refuses_clearly(vendor: Vendor) -> None:
    assert look(artifactory(vendor, "not-the-password")) == REFUSED
    with pytest.raises(Denied, match="the docker repository closed does not exist") as refused:
        artifactory(vendor).prepare("closed/app")
    assert PASSWORD not in str(refused.value)


# DTR: docs.mirantis.com/msr, the API of version 2


def dtr(vendor: Vendor, password: str = PASSWORD) -> Dtr:
    def accounts(call: Call) -> Answer:
        if "start" not in call.query:
            assert call.query == {"limit": "100"}
            return 200, {"accounts": [{"name": "haven", "isOrg": False}]}, {"X-Next-Page-Start": "team"}
        return 200, {"accounts": [{"name": "team", "isOrg": True}]}

    def repositories(call: Call) -> Answer:
        if "pageStart" not in call.query:
            return 200, {"repositories": [{"namespace": "team", "name": "app"}]}, {"X-Next-Page-Start": "id-2"}
        assert call.query["pageStart"] == "id-2"
        return 200, {"repositories": [{"namespace": "team", "name": "web"}]}

    at = "dtr.example/api/v0/repositories"
    vendor.routes |= {
        f"GET {at}": basic((200, {"repositories": []})),
        "GET dtr.example/enzi/v0/accounts": basic(accounts),
        f"GET {at}/haven": basic((200, {"repositories": []})),
        f"GET {at}/team": basic(repositories),
        f"GET {at}/team/app": basic((200, {"name": "app"})),
        f"GET {at}/new/app": basic((404, {"errors": [{"code": "NO_SUCH_REPOSITORY"}]})),
        "GET dtr.example/enzi/v0/accounts/new": basic((404, {})),
        "POST dtr.example/enzi/v0/accounts": basic((201, {"name": "new"})),
        f"POST {at}/new": basic((201, {"name": "app"})),
        f"DELETE {at}/team/app/tags/1": basic((204, {})),
        f"DELETE {at}/team/app/tags/gone": basic((404, {})),
    }
    vendor.registry(
        "dtr.example",
        lambda: (USER, PASSWORD),
        realm="dtr.example/auth/token",
        service="dtr.example",
        tags={"team/app": ["1", "2", "3"]},
    )
    return vendor.adapter(Dtr, "https://dtr.example", USER, password)  # type: ignore[no-any-return]


def test_dtr(vendor: Vendor) -> None:
    adapter = dtr(vendor)
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["team/app", "team/web"]
    assert list(adapter.repositories("team/*")) == ["team/app", "team/web"]
    assert tags(adapter, "team/app") == ["1", "2", "3"]
    adapter.prepare("team/app")
    assert vendor.called("POST") == []
    adapter.prepare("new/app")
    organization, repository = (call.json for call in vendor.called("POST"))
    assert organization == {"name": "new", "fullName": "new", "isOrg": True}
    assert (repository["name"], repository["visibility"]) == ("app", "private")
    assert adapter.delete("team/app", "1", "") and not adapter.delete("team/app", "gone", "")


def test_dtr_refuses_clearly(vendor: Vendor) -> None:
    assert look(dtr(vendor, "not-the-password")) == REFUSED
