"""Alibaba Cloud's container registry, personal and Enterprise edition: lists, logins and new repositories by its API.

Which edition it is, in which region and which instance, the registry's own challenge tells: its service is
`registry.aliyuncs.com:cn-hangzhou:china:cri-...` for an instance and without the last part for the personal edition.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from registry import http
from registry.auth import Auth
from registry.errors import Denied, TooManyRequests, Unauthorized, Unavailable, Unsupported
from replication.adapters.base import AT_LEAST_TWO, Info, Namespaced, ensure
from replication.adapters.calling import Answer, Api, challenge_of, host_of, numbered, part, refusal, texts
from replication.adapters.logins import Kept, Login, LoginAuth
from replication.adapters.signing import Key, alibaba

API_HOST = re.compile(r"cr\.([a-z0-9-]+)\.aliyuncs\.com", re.ASCII)
SERVICE = re.compile(r"registry\.aliyuncs\.com:([a-z0-9-]+)(?::(?:.*:)?([a-z0-9-]+))?", re.ASCII)
PERSONAL, ENTERPRISE = "2016-06-07", "2018-12-01"
PAGE = 100
REFUSED = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "IncompleteSignature", "InvalidSecurityToken")
DENIED = ("Forbidden", "NoPermission", "USER_NO_PERMISSION", "DENIED")
REGIONS = (
    "cn-qingdao cn-beijing cn-zhangjiakou cn-huhehaote cn-wulanchabu cn-hangzhou cn-shanghai cn-shenzhen cn-heyuan"
    " cn-guangzhou cn-chengdu cn-hongkong ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5 ap-south-1"
    " ap-northeast-1 us-west-1 us-east-1 eu-central-1 eu-west-1 me-east-1"
)
KINDS = (
    ("", "https://registry.{}.aliyuncs.com"),
    ("-vpc", "https://registry-vpc.{}.aliyuncs.com"),
    ("-internal", "https://registry-internal.{}.aliyuncs.com"),
    ("-ee-vpc", "https://instanceName-registry-vpc.{}.cr.aliyuncs.com"),
    ("-ee", "https://instanceName-registry.{}.cr.aliyuncs.com"),
)


class AliAcr(Namespaced):
    """One region's personal registry, or an instance of the Enterprise edition, with an access key's id and secret."""

    info = Info(
        "ali-acr",
        path_components=AT_LEAST_TWO,
        has_pattern=True,
        endpoint_type="EndpointPatternTypeList",
        endpoints=tuple((f"{region}{kind}", url.format(region)) for region in REGIONS.split() for kind, url in KINDS),
    )

    @property
    def registry_url(self) -> str:
        """Who gave the API's address means the registry of that region."""
        found = API_HOST.fullmatch(host_of(self.access.url))
        return f"https://registry.{found[1]}.aliyuncs.com" if found else self.access.url

    def auth(self) -> Auth:
        return LoginAuth(self.registry_url, self.access.session, Kept(self._login))

    def namespaces(self) -> Iterator[str]:
        if not self._instance:
            answer = self._call("GetNamespaceList", "GET", "/namespace")
            yield from texts(answer.entries("data", "namespaces"), "namespace")
        else:
            yield from texts(self._listed("ListNamespace", "Namespaces"), "NamespaceName")

    def repositories_in(self, namespace: str) -> Iterator[str]:
        if self._instance:
            only = (("RepoNamespaceName", namespace), ("RepoStatus", "NORMAL"))
            names = texts(self._listed("ListRepository", "Repositories", *only), "RepoName")
        else:
            names = texts(numbered(lambda number: self._personal_page(namespace, number)), "repoName")
        yield from (f"{namespace}/{name}" for name in names)

    def prepare(self, repository: str, public: bool = False) -> None:
        """Namespace and repository are there afterwards, made by us if they were not."""
        namespace, _, name = repository.partition("/")
        kind = "PUBLIC" if public else "PRIVATE"
        if self._instance:
            space = (("NamespaceName", namespace), ("AutoCreateRepo", "true"), ("DefaultRepoType", kind))
            named = (("RepoNamespaceName", namespace), ("RepoName", name), ("Summary", name[:100]), ("RepoType", kind))
            ensure(lambda: namespace in set(self.namespaces()), lambda: self._act("CreateNamespace", *space))
            ensure(lambda: bool(self._repository_id(namespace, name)), lambda: self._act("CreateRepository", *named))
            return
        body = {"RepoNamespace": namespace, "RepoName": name, "Summary": name[:100], "RepoType": kind}
        ensure(
            lambda: namespace in set(self.namespaces()),
            lambda: self._call("CreateNamespace", "PUT", "/namespace", body={"Namespace": {"Namespace": namespace}}),
        )
        ensure(
            lambda: self._call("GetRepo", "GET", f"/repos/{part(namespace)}/{part(name)}", missing_ok=True).is_good,
            lambda: self._call("CreateRepo", "PUT", "/repos", body={"Repo": body}),
        )

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """A tag goes alone, by the API; by digest as everywhere."""
        if not tag:
            return super().delete(repository, tag, digest)
        namespace, _, name = repository.partition("/")
        if not self._instance:
            path = f"/repos/{part(namespace)}/{part(name)}/tags/{part(tag)}"
            return self._call("DeleteImage", "DELETE", path, missing_ok=True).is_good
        number = self._repository_id(namespace, name)
        if not number:
            return False
        self._act("DeleteRepoTag", ("RepoId", number), ("Tag", tag))
        return True

    def _personal_page(self, namespace: str, number: int) -> tuple[list[dict[str, Any]], bool]:
        query = (("Page", str(number)), ("PageSize", str(PAGE)))
        answer = self._call("GetRepoListByNamespace", "GET", f"/repos/{part(namespace)}", query, missing_ok=True)
        total, size = answer.get("data", "total"), answer.get("data", "pageSize")
        more = isinstance(total, int) and isinstance(size, int) and number * size < total
        return answer.entries("data", "repos"), more

    def _listed(self, action: str, kind: str, *query: tuple[str, str]) -> Iterator[dict[str, Any]]:
        def read(number: int) -> tuple[list[dict[str, Any]], bool]:
            answer = self._act(action, *query, ("PageNo", str(number)), ("PageSize", str(PAGE)))
            total = str(answer.get("TotalCount"))  # a number in quotes
            return answer.entries(kind), total.isdecimal() and number * PAGE < int(total)

        return numbered(read)

    def _repository_id(self, namespace: str, name: str) -> str:
        """The id of an instance's repository; empty where there is none."""
        only = (("RepoNamespaceName", namespace), ("RepoName", name), ("RepoStatus", "ALL"))
        found = (
            entry for entry in self._listed("ListRepository", "Repositories", *only) if entry.get("RepoName") == name
        )
        return next((str(entry.get("RepoId")) for entry in found), "")

    def _login(self) -> Login:
        """A user name and password for docker that last an hour."""
        if self._instance:
            answer = self._act("GetAuthorizationToken")
            username, secret = answer.text("TempUsername"), answer.text("AuthorizationToken")
            until = answer.get("ExpireTime")
        else:
            answer = self._call("GetAuthorizationToken", "GET", "/tokens")
            username, secret = answer.text("data", "tempUserName"), answer.text("data", "authorizationToken")
            until = answer.get("data", "expireDate")
        if not secret:
            raise Unavailable("the answer of Alibaba Cloud's registry holds no login")
        return Login(secret, until / 1000 - time.time() if isinstance(until, int) else 0, username)

    @cached_property
    def _place(self) -> tuple[str, str]:
        """The region, and the instance's id or nothing."""
        service = challenge_of(self.registry_url, self.access.session).parameters.get("service", "")
        found = SERVICE.fullmatch(service)
        if found is None:
            raise Unsupported("the address is none of Alibaba Cloud's registries")
        return found[1], found[2] if (found[2] or "").startswith("cri-") else ""

    @property
    def _instance(self) -> str:
        return self._place[1]

    def _act(self, action: str, *query: tuple[str, str]) -> Answer:
        """An action of the Enterprise edition, on the instance."""
        return self._call(action, "POST", "/", (("InstanceId", self._instance), *query))

    def _call(
        self,
        action: str,
        method: str,
        path: str,
        query: tuple[tuple[str, str], ...] = (),
        body: Any = None,
        *,
        missing_ok: bool = False,
    ) -> Answer:
        key, version = Key(self.access.username, self.access.secret), ENTERPRISE if self._instance else PERSONAL

        def sign(request: http.Request) -> None:
            alibaba(request, key, action, version, datetime.now(UTC), uuid.uuid4().hex)

        api = Api(f"https://cr.{self._place[0]}.aliyuncs.com", self.access.session, sign)
        answer = api.send(method, path, query, body)
        code = answer.text("Code") or answer.text("code")
        if answer.is_good and answer.get("IsSuccess") is not False:
            return answer
        if code.startswith(REFUSED):
            raise Unauthorized("the registry refuses these credentials")
        if code.startswith(DENIED):
            raise Denied(f"the key may not call {action} in Alibaba Cloud's registry")
        if code.startswith("Throttling"):
            raise TooManyRequests("Alibaba Cloud takes no more calls for the moment")
        if missing_ok and answer.status == 404:
            return answer
        if answer.is_good:
            raise Unsupported(f"Alibaba Cloud refuses {action}")
        raise refusal(answer, f"Alibaba Cloud refuses {action}")
