"""Tencent Container Registry: everything but the images by signed calls of its API 3.0."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from registry import http
from registry.auth import Auth
from registry.errors import Denied, TooManyRequests, Unauthorized, Unavailable, Unsupported
from replication.adapters.base import AT_LEAST_TWO, Info, Namespaced, ensure
from replication.adapters.calling import Answer, Api, host_of, numbered, refusal, texts
from replication.adapters.logins import Kept, Login, LoginAuth
from replication.adapters.signing import Key, tencent

HOST = re.compile(r"([a-z0-9-]+)\.tencentcloudcr\.com", re.ASCII)
API, VERSION = "https://tcr.tencentcloudapi.com", "2019-09-24"
FIRST_REGION = "ap-guangzhou"
"""Where the instance is asked for: the call looks everywhere."""
PAGE = 100


class TencentTcr(Namespaced):
    """`https://<instance>.tencentcloudcr.com` with a SecretId and a SecretKey (not docker's user name)."""

    info = Info("tencent-tcr", path_components=AT_LEAST_TWO, has_pattern=True)

    def auth(self) -> Auth:
        def fetch() -> Login:
            answer = self._call("CreateInstanceToken", {"RegistryId": self._instance[0]})
            until = answer.get("Response", "ExpTime")
            if not answer.text("Response", "Token"):
                raise Unavailable("TCR's answer holds no login")
            seconds = until / 1000 - time.time() if isinstance(until, int) else 0
            return Login(answer.text("Response", "Token"), seconds, answer.text("Response", "Username"))

        return LoginAuth(self.registry_url, self.access.session, Kept(fetch))

    def namespaces(self) -> Iterator[str]:
        return self._names("DescribeNamespaces", "NamespaceList", {})

    def repositories_in(self, namespace: str) -> Iterator[str]:
        for name in self._names("DescribeRepositories", "RepositoryList", {"NamespaceName": namespace}):
            yield name if name.startswith(f"{namespace}/") else f"{namespace}/{name}"

    def prepare(self, repository: str, public: bool = False) -> None:
        """Namespace and repository are there afterwards, made by us if they were not."""
        namespace, _, name = repository.partition("/")
        space = {"RegistryId": self._instance[0], "NamespaceName": namespace}
        only = {"NamespaceName": namespace}
        ensure(
            lambda: namespace in set(self._names("DescribeNamespaces", "NamespaceList", only)),
            lambda: self._call("CreateNamespace", {**space, "IsPublic": public}),
        )
        ensure(
            lambda: repository in set(self._matching(namespace, name)),
            lambda: self._call("CreateRepository", {**space, "RepositoryName": name}),
        )

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """A tag goes alone, by DeleteImage; by digest as everywhere."""
        if not tag:
            return super().delete(repository, tag, digest)
        namespace, _, name = repository.partition("/")
        body = {"NamespaceName": namespace, "RepositoryName": name, "ImageVersion": tag}
        answer = self._call("DeleteImage", {"RegistryId": self._instance[0], **body}, fine="ResourceNotFound")
        return not answer.get("Response", "Error")

    def _matching(self, namespace: str, name: str) -> Iterator[str]:
        only = {"NamespaceName": namespace, "RepositoryName": name}
        for found in self._names("DescribeRepositories", "RepositoryList", only):
            yield found if found.startswith(f"{namespace}/") else f"{namespace}/{found}"

    def _names(self, action: str, kind: str, only: dict[str, Any]) -> Iterator[str]:
        """The names in a list; its `Offset` counts pages."""
        seen = 0

        def read(number: int) -> tuple[list[str], bool]:
            nonlocal seen
            answer = self._call(action, {"RegistryId": self._instance[0], "Limit": PAGE, "Offset": number, **only})
            entries = answer.entries("Response", kind)
            seen += len(entries)
            total = answer.get("Response", "TotalCount")
            return list(texts(entries, "Name")), isinstance(total, int) and seen < total

        return numbered(read)

    @cached_property
    def _instance(self) -> tuple[str, str]:
        """The instance's id and region."""
        found = HOST.fullmatch(host_of(self.access.url))
        if found is None:
            raise Unsupported("this is no address of TCR: give https://<instance>.tencentcloudcr.com")
        if not self.access.username.startswith("AKID"):
            raise Unauthorized("TCR takes a SecretId (AKID...) and its SecretKey, not docker's user name and password")
        body = {"AllRegion": True, "Filters": [{"Name": "RegistryName", "Values": [found[1]]}]}
        entries = self._call("DescribeInstances", body, FIRST_REGION).entries("Response", "Registries")
        named = [entry for entry in entries if entry.get("RegistryName") == found[1]]
        if not named or not isinstance(named[0].get("RegistryId"), str):
            raise Unavailable(f"TCR shows these credentials no instance {found[1]}")
        return named[0]["RegistryId"], str(named[0].get("RegionName") or FIRST_REGION)

    def _call(self, action: str, body: dict[str, Any], region: str = "", fine: str = "") -> Answer:
        """The answer to an action. Refusals come as 200; one whose code begins with `fine` is an answer."""
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-TC-Action": action,
            "X-TC-Version": VERSION,
            "X-TC-Region": region or self._instance[1],
        }
        answer = self._api.send("POST", "/", body=body, headers=headers)
        code = answer.text("Response", "Error", "Code")
        if code.startswith("AuthFailure") and code != "AuthFailure.UnauthorizedOperation":
            raise Unauthorized("the registry refuses these credentials")
        if code.startswith(("UnauthorizedOperation", "AuthFailure")):
            raise Denied(f"the key may not call {action} in TCR")
        if code.startswith(("RequestLimitExceeded", "LimitExceeded")):
            raise TooManyRequests("TCR takes no more calls for the moment")
        if code and not (fine and code.startswith(fine)):
            raise Unsupported(f"TCR refuses {action}")
        if not answer.is_good or not isinstance(answer.get("Response"), dict):
            raise refusal(answer, f"TCR answers {action} with an error")
        return answer

    @cached_property
    def _api(self) -> Api:
        key = Key(self.access.username, self.access.secret)

        def sign(request: http.Request) -> None:
            tencent(request, key, "tcr", datetime.now(UTC))

        return Api(API, self.access.session, sign)
