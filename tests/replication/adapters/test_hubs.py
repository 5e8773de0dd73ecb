"""Docker Hub, GitHub, GitLab and Quay, as their documentations tell of them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from registry.errors import Denied, RegistryError, TooManyRequests, Unsupported
from replication.adapters.calling import Answer as ApiAnswer
from replication.adapters.calling import refusal
from replication.adapters.docker_hub import DockerHub
from replication.adapters.github import GitHub
from replication.adapters.gitlab import GitLab
from replication.adapters.quay import Quay
from replication.endpoints import look
from tests.replication.adapters.vendors import Answer, Call, Route, Vendor

REFUSED = "the registry refuses these credentials: check access key and secret"


def tags(adapter: Any, repository: str) -> list[str]:
    return [tag for found in adapter.artifacts(repository) for tag in found.tags]


# Docker Hub: docs.docker.com/reference/api/hub


def hub(vendor: Vendor, secret: str = "hub-token") -> DockerHub:
    def token(call: Call) -> Answer:
        if call.json != {"identifier": "haven", "secret": "hub-token"}:
            return 401, {"detail": "Incorrect authentication credentials"}
        return 200, {"access_token": "jwt-of-the-hub"}

    def page(call: Call) -> Answer:
        assert call.bears("jwt-of-the-hub") and call.query["page_size"] == "100"
        if call.query["page"] == "1":
            following = "https://hub.docker.com/v2/namespaces/acme/repositories?page=2"
            return 200, {"count": 3, "next": following, "results": [{"name": "one"}, {"name": "two"}]}
        return 200, {"count": 3, "next": None, "results": [{"name": "three"}]}

    vendor.routes |= {
        "POST hub.docker.com/v2/auth/token": token,
        "GET hub.docker.com/v2/repositories/namespaces": lambda call: (200, {"namespaces": ["haven", "acme"]}),
        "GET hub.docker.com/v2/namespaces/acme/repositories": page,
        "GET hub.docker.com/v2/namespaces/haven/repositories": lambda call: (200, {"next": None, "results": []}),
        "GET hub.docker.com/v2/namespaces/acme/repositories/new": lambda call: (404, {}),
        "GET hub.docker.com/v2/namespaces/acme/repositories/one": lambda call: (200, {"name": "one"}),
        "POST hub.docker.com/v2/namespaces/acme/repositories": lambda call: (201, {"name": call.json["name"]}),
        "DELETE hub.docker.com/v2/repositories/acme/one/tags/1.0/": lambda call: (204, {}),
        "DELETE hub.docker.com/v2/repositories/acme/one/tags/gone/": lambda call: (404, {}),
    }
    vendor.registry(
        "registry-1.docker.io",
        lambda: ("haven", "hub-token"),
        realm="auth.docker.io/token",
        service="registry.docker.io",
        tags={"acme/one": ["1.0", "1.1", "latest"]},
    )
    return vendor.adapter(DockerHub, "https://hub.docker.com", "haven", secret)  # type: ignore[no-any-return]


def test_docker_hub_lists_and_creates(vendor: Vendor) -> None:
    adapter = hub(vendor)
    assert look(adapter) == ""
    assert list(adapter.repositories("acme/**")) == ["acme/one", "acme/two", "acme/three"]
    assert list(adapter.repositories("")) == ["acme/one", "acme/two", "acme/three"]
    assert tags(adapter, "acme/one") == ["1.0", "1.1", "latest"] and tags(adapter, "acme/none") == []
    adapter.prepare("acme/one")
    assert vendor.called("POST", "hub.docker.com/v2/namespaces") == []
    adapter.prepare("acme/new")
    [made] = vendor.called("POST", "hub.docker.com/v2/namespaces")
    assert made.json == {"namespace": "acme", "name": "new", "registry": "docker", "is_private": True}
    assert adapter.delete("acme/one", "1.0", "sha256:1") and not adapter.delete("acme/one", "gone", "sha256:1")
    with pytest.raises(Unsupported):
        adapter.delete("acme/one", "", "sha256:1")
    assert len(vendor.called("POST", "hub.docker.com/v2/auth/token")) == 1, "a token is kept while it lasts"


def test_docker_hub_refuses_clearly(vendor: Vendor) -> None:
    assert look(hub(vendor, "not-the-token")) == REFUSED
    anonymous = vendor.adapter(DockerHub, "https://hub.docker.com")
    with pytest.raises(Unsupported, match="begin the name filter"):
        list(anonymous.repositories(""))
    adapter = hub(vendor)
    vendor.routes["POST hub.docker.com/v2/namespaces/acme/repositories"] = lambda call: (403, {"message": "hub-token"})
    with pytest.raises(Denied, match="may not create the repository acme/new") as refused:
        adapter.prepare("acme/new")
    assert "hub-token" not in str(refused.value)


# GitHub: docs.github.com/rest/packages


def github(vendor: Vendor, secret: str = "ghp_0123456789") -> GitHub:
    def api(answer: Answer) -> Route:
        def route(call: Call) -> Answer:
            assert call.headers["x-github-api-version"] == "2022-11-28"
            return answer if call.bears("ghp_0123456789") else (401, {"message": "Bad credentials"})

        return route

    def packages(call: Call) -> Answer:
        assert call.query["package_type"] == "container" and call.query["per_page"] == "100"
        names = {"1": [f"image{number:03}" for number in range(100)], "2": ["nested/image"]}[call.query["page"]]
        return 200, [{"name": name, "package_type": "container"} for name in names]

    versions = [
        {"id": 7, "name": "sha256:7", "metadata": {"container": {"tags": ["1.0"]}}},
        {"id": 8, "name": "sha256:8", "metadata": {"container": {"tags": ["2.0", "latest"]}}},
    ]
    vendor.routes |= {
        "GET api.github.com/user": api((200, {"login": "Haven"})),
        "GET api.github.com/user/orgs": api((200, [{"login": "Acme"}])),
        "GET api.github.com/orgs/haven": api((404, {})),
        "GET api.github.com/users/haven": api((200, {})),
        "GET api.github.com/orgs/acme": api((200, {})),
        "GET api.github.com/users/haven/packages": api((200, [{"name": "own"}])),
        "GET api.github.com/orgs/acme/packages": packages,
        "GET api.github.com/orgs/acme/packages/container/nested%2Fimage/versions": api((200, versions)),
        "DELETE api.github.com/orgs/acme/packages/container/nested%2Fimage/versions/7": api((204, {})),
    }
    vendor.registry(
        "ghcr.io",
        lambda: ("haven", "ghp_0123456789"),
        realm="ghcr.io/token",
        service="ghcr.io",
        tags={"acme/nested/image": ["1.0", "2.0", "latest"]},
    )
    return vendor.adapter(GitHub, "https://ghcr.io", "haven", secret)  # type: ignore[no-any-return]


def test_github_lists_by_its_api(vendor: Vendor) -> None:
    adapter = github(vendor)
    assert look(adapter) == ""
    names = list(adapter.repositories(""))
    assert (len(names), names[0], names[-1]) == (102, "haven/own", "acme/nested/image")
    assert list(adapter.repositories("acme/image05*"))[:2] == ["acme/image000", "acme/image001"]
    assert tags(adapter, "acme/nested/image") == ["1.0", "2.0", "latest"]
    adapter.prepare("acme/new")
    assert vendor.called("POST") == [], "a push makes packages, nothing else does"


def test_github_deletes_whole_versions_only(vendor: Vendor) -> None:
    adapter = github(vendor)
    assert adapter.delete("acme/nested/image", "1.0", "sha256:7")
    assert not adapter.delete("acme/nested/image", "9.9", "sha256:9")
    with pytest.raises(Unsupported, match="has other tags"):
        adapter.delete("acme/nested/image", "2.0", "sha256:8")
    assert len(vendor.called("DELETE")) == 1


def test_github_refuses_clearly(vendor: Vendor) -> None:
    assert look(github(vendor, "ghp_wrong")) == REFUSED


# GitLab: docs.gitlab.com/api/container_registry, /api/projects


def gitlab_projects(call: Call) -> Answer:
    assert call.query["membership"] == "true"
    first = [
        {"id": 1, "path_with_namespace": "Acme/App", "container_registry_access_level": "enabled"},
        {"id": 2, "path_with_namespace": "acme/closed", "container_registry_access_level": "disabled"},
    ]
    if call.query.get("page", "1") == "1":
        return 200, first, {"X-Next-Page": "2"}
    return 200, [{"id": 3, "path_with_namespace": "other/acme"}], {"X-Next-Page": ""}


def gitlab_repositories(call: Call) -> Answer:
    if call.query["page"] == "1":
        return 200, [{"id": 11, "path": "Acme/App"}], {"X-Next-Page": "2"}
    return 200, [{"id": 12, "path": "acme/app/worker"}], {"X-Next-Page": ""}


def gitlab(vendor: Vendor, secret: str = "glpat-0123456789") -> GitLab:
    def api(answer: Answer | Route) -> Route:
        def route(call: Call) -> Answer:
            if call.headers.get("private-token") != "glpat-0123456789":
                return 401, {"message": "401 Unauthorized"}
            return answer(call) if callable(answer) else answer

        return route

    at = "gitlab.example/api/v4"
    vendor.routes |= {
        f"GET {at}/projects": api(gitlab_projects),
        f"POST {at}/projects": api((201, {"id": 4})),
        f"GET {at}/projects/1/registry/repositories": api(gitlab_repositories),
        f"GET {at}/projects/3/registry/repositories": api((200, [{"path": "other/acme"}])),
        f"GET {at}/projects/acme%2Fapp%2Fworker": api((404, {})),
        f"GET {at}/projects/acme%2Fapp": api((200, {"id": 1})),
        f"GET {at}/projects/acme%2Fnew": api((404, {})),
        f"GET {at}/projects/nobody%2Fnew": api((404, {})),
        f"GET {at}/projects/acme%2Fteam": api((404, {})),
        f"GET {at}/projects/acme%2Fteam%2Ftool": api((404, {})),
        f"GET {at}/namespaces/acme%2Fteam": api((200, {"id": 78, "kind": "group"})),
        f"GET {at}/namespaces/acme": api((200, {"id": 77, "kind": "group"})),
        f"GET {at}/namespaces/nobody": api((404, {})),
    }
    vendor.registry(
        "registry.gitlab.example",
        lambda: ("haven", "glpat-0123456789"),
        realm="gitlab.example/jwt/auth",
        service="container_registry",
        tags={"acme/app": ["1.0", "1.1", "1.2"]},
    )
    return vendor.adapter(GitLab, "https://registry.gitlab.example", "haven", secret)  # type: ignore[no-any-return]


def test_gitlab_lists_projects_registries(vendor: Vendor) -> None:
    adapter = gitlab(vendor)
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["acme/app", "acme/app/worker", "other/acme"]
    assert list(adapter.repositories("acme/**")) == ["acme/app", "acme/app/worker"]
    searched = [call.query for call in vendor.called("GET", "gitlab.example/api/v4/projects") if "search" in call.query]
    assert searched and all((query["search"], query["search_namespaces"]) == ("acme", "true") for query in searched)
    assert tags(adapter, "acme/app") == ["1.0", "1.1", "1.2"]
    assert "repository:acme/app:pull" in vendor.scopes


def test_gitlab_makes_the_project_in_its_group(vendor: Vendor) -> None:
    adapter = gitlab(vendor)
    adapter.prepare("acme/app/worker")
    assert vendor.called("POST") == []
    adapter.prepare("acme/new")
    [made] = vendor.called("POST")
    assert made.json == {"path": "new", "name": "new", "namespace_id": 77, "visibility": "private"}
    adapter.prepare("acme/team/tool")
    assert vendor.called("POST")[-1].json == {
        "path": "tool",
        "name": "tool",
        "namespace_id": 78,
        "visibility": "private",
    }, "in the group within the group"
    with pytest.raises(Denied, match="no group nobody"):
        adapter.prepare("nobody/new")


def test_gitlab_refuses_clearly(vendor: Vendor) -> None:
    assert look(gitlab(vendor, "glpat-wrong")) == REFUSED


def test_gitlab_sends_the_token_to_no_realm_without_tls(vendor: Vendor) -> None:
    adapter = gitlab(vendor)
    challenge = {"WWW-Authenticate": 'Bearer realm="http://gitlab.example/jwt/auth",service="container_registry"'}
    vendor.below["GET registry.gitlab.example/v2/"] = lambda call: (401, {}, challenge)
    with pytest.raises(Denied, match="may not see"):
        list(adapter.repositories(""))
    assert vendor.called("GET", "gitlab.example/") == []


# Quay: docs.quay.io/api/swagger

FILE = {"account_name": "acme+robot", "docker_cli_password": "robots-password", "oauth2_token": "oauth-of-quay"}


def quay(vendor: Vendor, file: dict[str, str] | str = FILE, username: str = "json_file") -> Quay:
    def api(answer: Answer | Route) -> Route:
        def route(call: Call) -> Answer:
            if not call.bears("oauth-of-quay"):
                return 401, {"error_type": "invalid_token", "detail": "oauth-of-quay"}
            return answer(call) if callable(answer) else answer

        return route

    def repositories(call: Call) -> Answer:
        assert call.query["namespace"] in ("acme", "haven")
        if call.query["namespace"] == "haven":
            return 200, {"repositories": []}
        if "next_page" not in call.query:
            return 200, {"repositories": [{"namespace": "acme", "name": "one"}], "next_page": "gAAAA=="}
        assert call.query["next_page"] == "gAAAA=="
        return 200, {"repositories": [{"namespace": "acme", "name": "two"}]}

    vendor.routes |= {
        "GET quay.io/api/v1/user/": api((200, {"username": "haven", "organizations": [{"name": "acme"}]})),
        "GET quay.io/api/v1/repository": api(repositories),
        "GET quay.io/api/v1/repository/acme/one": api((200, {"name": "one"})),
        "GET quay.io/api/v1/repository/acme/new": api((404, {})),
        "POST quay.io/api/v1/repository": api((201, {"namespace": "acme", "name": "new"})),
    }
    vendor.registry(
        "quay.io",
        lambda: ("acme+robot", "robots-password"),
        realm="quay.io/v2/auth",
        service="quay.io",
        tags={"acme/one": ["1", "2", "3"]},
        catalog=["acme/one", "acme/two", "zeta/three"],
    )
    secret = file if isinstance(file, str) else json.dumps(file)
    vendor.secrets += ["robots-password", "oauth-of-quay"]
    return vendor.adapter(Quay, "https://quay.io", username, secret)  # type: ignore[no-any-return]


def test_quay_lists_and_creates_with_a_token(vendor: Vendor) -> None:
    adapter = quay(vendor)
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["acme/one", "acme/two"]
    assert list(adapter.repositories("acme/*")) == ["acme/one", "acme/two"]
    assert tags(adapter, "acme/one") == ["1", "2", "3"]
    adapter.prepare("acme/one")
    adapter.prepare("acme/new", public=True)
    [made] = vendor.called("POST")
    assert (made.json["namespace"], made.json["repository"], made.json["visibility"]) == ("acme", "new", "public")


def test_quay_without_a_token_speaks_v2_alone(vendor: Vendor) -> None:
    adapter = quay(vendor, "robots-password", "acme+robot")
    assert look(adapter) == ""
    assert list(adapter.repositories("")) == ["acme/one", "acme/two", "zeta/three"]
    adapter.prepare("acme/new")
    assert vendor.called("GET", "quay.io/api/") == [] and vendor.called("POST") == []


def test_quay_refuses_clearly(vendor: Vendor) -> None:
    for wrong in ({"docker_cli_password": "wrong-password"}, {"oauth2_token": "wrong-token"}):
        assert look(quay(vendor, {**FILE, **wrong})) == REFUSED
    with pytest.raises(RegistryError) as refused:
        list(quay(vendor, {**FILE, "oauth2_token": "wrong-token"}).repositories(""))
    assert "oauth" not in str(refused.value) and "wrong" not in str(refused.value)


# What an API that has enough of us says, each in its own way


def test_limits_are_waited_for_as_each_vendor_tells_them() -> None:
    later = str(int(time.time()) + 90)
    spent = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": later}
    for status, headers in ((429, {"retry-after": "90"}), (429, {"x-retry-after": later}), (403, spent)):
        error = refusal(ApiAnswer(status, headers))
        assert isinstance(error, TooManyRequests) and error.temporary, headers
        assert error.retry_after is not None and 80 <= error.retry_after <= 90, headers
    for status, headers in ((403, {}), (403, {"x-ratelimit-remaining": "59", "x-ratelimit-reset": later})):
        assert isinstance(refusal(ApiAnswer(status, headers)), Denied), headers
