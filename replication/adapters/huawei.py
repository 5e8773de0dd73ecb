"""Huawei Cloud's SWR: organizations and repositories by its API.

With an access key (AK, SK) the API is called signed, and docker's login is derived from the key as Huawei documents it.
Who has given the derived login itself (`<region>@<AK>`), as Harbor wants it, is served by the older API, by Basic.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from registry import http
from registry.auth import Auth, Credentials
from registry.errors import Denied, Unauthorized
from replication.adapters.base import AT_LEAST_TWO, Info, Namespaced, ensure, is_pattern, namespace_of
from replication.adapters.calling import Answer, Api, basic, host_of, numbered, objects, part, refusal, texts
from replication.adapters.signing import Key, huawei

HOST = re.compile(r"swr\.([a-z0-9-]+)\.(myhuaweicloud\.(?:com|eu)|myhwclouds\.com)", re.ASCII)
PAGE = 100


class HuaweiSwr(Namespaced):
    """`https://swr.<region>.myhuaweicloud.com` with an access key, or with docker's long-term login."""

    info = Info("huawei-SWR", "Adapter for SWR -- The image registry of Huawei Cloud", path_components=AT_LEAST_TWO)

    def auth(self) -> Auth:
        username, secret = self.access.username, self.access.secret
        if self._region and username:
            secret = hmac.new(secret.encode(), username.encode(), hashlib.sha256).hexdigest()
            username = f"{self._region}@{username}"
        return Credentials(self.registry_url, self.access.session, username, secret)

    def check(self) -> None:
        """The registry takes the login, and the API the key."""
        self.registry.ping()
        self._namespaces()

    def repositories(self, pattern: str) -> Iterator[str]:
        """What the account owns."""
        if self._region or (pattern and not is_pattern(pattern)):
            yield from super().repositories(pattern)
            return
        only = namespace_of(pattern)
        entries = objects(self._call("GET", "/repositories", (("filter", "center::self"),)).document)
        yield from (name for name in _names(entries) if not only or name.startswith(f"{only}/"))

    def namespaces(self) -> Iterator[str]:
        """SWR calls them organizations."""
        return texts(self._namespaces().entries("namespaces"), "name")

    def repositories_in(self, namespace: str) -> Iterator[str]:
        def read(number: int) -> tuple[list[dict[str, Any]], bool]:
            asked = f"namespace::{namespace}|limit::{PAGE}|offset::{(number - 1) * PAGE}"
            entries = objects(self._call("GET", "/repos", (("filter", asked),)).document)
            return entries, len(entries) == PAGE

        yield from (
            name for name in _names(numbered(read)) if name.startswith(f"{namespace}/")
        )  # matched loosely there

    def prepare(self, repository: str, public: bool = False) -> None:
        """The organization is there afterwards, made by us if it was not; a push makes the repository, private."""
        namespace = repository.partition("/")[0]
        path = f"/namespaces/{part(namespace)}"
        what = f"the organization {namespace} could not be created in SWR"
        ensure(
            lambda: self._call("GET", path, missing_ok=True).text("name") == namespace,
            lambda: self._call("POST", "/namespaces", body={"namespace": namespace}, what=what),
        )

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """A tag goes alone, by the signed API; else as everywhere."""
        if not tag or not self._region:
            return super().delete(repository, tag, digest)
        namespace, _, name = repository.partition("/")
        name = name.replace("/", "$")  # as SWR writes it in paths
        path = f"/namespaces/{part(namespace)}/repos/{part(name)}/tags/{part(tag)}"
        return self._call("DELETE", path, missing_ok=True).is_good

    @property
    def _region(self) -> str:
        """Of an access key's API; empty where docker's login was given, or the address is not Huawei's."""
        found = HOST.fullmatch(host_of(self.access.url))
        return found[1] if found and "@" not in self.access.username else ""

    def _namespaces(self) -> Answer:
        return self._call("GET", "/namespaces" if self._region else "/visible/namespaces")

    def _call(
        self,
        method: str,
        path: str,
        query: tuple[tuple[str, str], ...] = (),
        body: Any = None,
        *,
        missing_ok: bool = False,
        what: str = "",
    ) -> Answer:
        answer = self._api.send(method, path, query, body, {"Content-Type": "application/json"})
        if answer.is_good or (missing_ok and answer.status == 404):
            return answer
        code = answer.text("error_code") or answer.text("errors", "errorCode")
        if code.startswith("APIGW.03"):
            raise Unauthorized("the registry refuses these credentials")
        if answer.status == 403:
            raise Denied(f"the account may not do this in SWR{': ' if what else ''}{what}")
        raise refusal(answer, what)

    @cached_property
    def _api(self) -> Api:
        found = HOST.fullmatch(host_of(self.access.url))
        if not self._region or found is None:
            sign = basic(self.access.username, self.access.secret)
            return Api(f"{self.access.url.rstrip('/')}/dockyard/v2", self.access.session, sign)
        key = Key(self.access.username, self.access.secret)

        def signed(request: http.Request) -> None:
            huawei(request, key, datetime.now(UTC))

        return Api(f"https://swr-api.{found[1]}.{found[2]}/v2/manage", self.access.session, signed)


def _names(entries: Any) -> Iterator[str]:
    """The full names of SWR's repositories."""
    for entry in entries:
        namespace, name = entry.get("namespace"), entry.get("name")
        if isinstance(namespace, str) and isinstance(name, str):
            yield f"{namespace}/{name}"
