"""Volcengine's container registry: everything but the images by signed calls of its API."""

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
from registry.references import Reference
from replication.adapters.base import AT_LEAST_TWO, Info, Namespaced, ensure
from replication.adapters.calling import Answer, Api, host_of, numbered, refusal, texts
from replication.adapters.logins import Kept, Login, LoginAuth
from replication.adapters.signing import Key, volcengine

HOST = re.compile(r"([a-z0-9-]+?)-((?:cn|ap)-[a-z0-9-]+)\.cr\.i?volces\.com", re.ASCII)
API, VERSION = "https://open.volcengineapi.com", "2022-05-12"
PAGE = 100
REFUSED = ("InvalidAccessKey", "SignatureDoesNotMatch", "InvalidCredential", "MissingAuthenticationToken")


class VolcengineCr(Namespaced):
    """`https://<instance>-<region>.cr.volces.com` with an access key's id and secret."""

    info = Info("volcengine-cr", path_components=AT_LEAST_TWO, has_pattern=True)

    def auth(self) -> Auth:
        def fetch() -> Login:
            answer = self._call("GetAuthorizationToken", {})
            if not answer.text("Result", "Token"):
                raise Unavailable("the answer of Volcengine's registry holds no login")
            until = _moment(answer.text("Result", "ExpireTime"))
            return Login(answer.text("Result", "Token"), until - time.time(), answer.text("Result", "Username"))

        return LoginAuth(self.registry_url, self.access.session, Kept(fetch))

    def namespaces(self) -> Iterator[str]:
        return self._names("ListNamespaces", {})

    def repositories_in(self, namespace: str) -> Iterator[str]:
        for name in self._names("ListRepositories", {"Filter": {"Namespaces": [namespace]}}):
            yield f"{namespace}/{name}"

    def prepare(self, repository: str, public: bool = False) -> None:
        """Namespace and repository are there afterwards, made by us if they were not."""
        namespace, _, name = repository.partition("/")
        body = {"Namespace": namespace, "Name": name, "AccessLevel": "Public" if public else "Private"}
        only = {"Filter": {"Namespaces": [namespace], "Names": [name]}}
        ensure(
            lambda: namespace in set(self._names("ListNamespaces", {"Filter": {"Names": [namespace]}})),
            lambda: self._call("CreateNamespace", {"Name": namespace}),
        )
        ensure(
            lambda: name in set(self._names("ListRepositories", only)),
            lambda: self._call("CreateRepository", body),
        )

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """A tag goes alone, by DeleteTags; by digest as everywhere."""
        if not tag:
            return super().delete(repository, tag, digest)
        namespace, _, name = repository.partition("/")
        if self.registry.head_manifest(Reference(repository, tag)) is None:
            return False
        self._call("DeleteTags", {"Namespace": namespace, "Repository": name, "Names": [tag]})
        return True

    def _names(self, action: str, only: dict[str, Any]) -> Iterator[str]:
        def read(number: int) -> tuple[list[str], bool]:
            answer = self._call(action, {"PageNumber": number, "PageSize": PAGE, **only})
            total = answer.get("Result", "TotalCount")
            return list(texts(answer.entries("Result", "Items"), "Name")), isinstance(
                total, int
            ) and number * PAGE < total

        return numbered(read)

    @cached_property
    def _place(self) -> tuple[str, str]:
        """The instance's name and region."""
        found = HOST.fullmatch(host_of(self.access.url))
        if found is None:
            raise Unsupported("this is no address of Volcengine: give https://<instance>-<region>.cr.volces.com")
        return found[1], found[2]

    def _call(self, action: str, body: dict[str, Any]) -> Answer:
        query = (("Action", action), ("Version", VERSION))
        answer = self._api.send("POST", "/", query, {"Registry": self._place[0], **body})
        code = answer.text("ResponseMetadata", "Error", "Code")
        if code.startswith(REFUSED):
            raise Unauthorized("the registry refuses these credentials")
        if code.startswith("AccessDenied"):
            raise Denied(f"the key may not call {action} in Volcengine's registry")
        if code.startswith(("FlowLimitExceeded", "RequestLimitExceeded")):
            raise TooManyRequests("Volcengine takes no more calls for the moment")
        if code or not answer.is_good:
            raise refusal(answer, f"Volcengine refuses {action}")
        return answer

    @cached_property
    def _api(self) -> Api:
        key = Key(self.access.username, self.access.secret)

        def sign(request: http.Request) -> None:
            volcengine(request, key, self._place[1], "cr", datetime.now(UTC))

        return Api(API, self.access.session, sign)


def _moment(text: str) -> float:
    """Seconds since the epoch; 0 for what is no time."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return 0
