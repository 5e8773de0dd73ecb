"""Quay and quay.io: images by a robot's or a person's password, lists and new repositories by its API and a token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property

from registry.auth import Auth, Credentials
from replication.adapters.base import AT_LEAST_TWO, Access, Info, Namespaced, ensure
from replication.adapters.calling import Api, bearing, marked, part, texts


class Quay(Namespaced):
    """Quay, with Harbor's JSON file as the secret (`account_name`, `docker_cli_password`, `oauth2_token`), or a plain
    user name and password, a robot's for instance. Without a token nothing but the v2 protocol is spoken.
    """

    info = Info(
        "quay",
        path_components=AT_LEAST_TWO,
        has_pattern=True,
        endpoint_type="EndpointPatternTypeStandard",
        access_key_type="AccessKeyTypeFix",
        access_key_data="json_file",
        access_secret_type="AccessSecretTypeFile",
    )

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        given = _file(access.secret)
        self._username = given.get("account_name", "") if given else access.username
        self._password = given.get("docker_cli_password", "") if given else access.secret
        self._token = given.get("oauth2_token", "")

    def auth(self) -> Auth:
        return Credentials(self.registry_url, self.access.session, self._username, self._password)

    def check(self) -> None:
        """The registry takes the password, and the API the token, where there is one."""
        self.reach()
        if self._token:
            self._api.ask("GET", "/api/v1/user/")

    def repositories(self, pattern: str) -> Iterator[str]:
        """By the API; by the catalog where there is no token."""
        if self._token:
            yield from super().repositories(pattern)
        else:
            yield from super(Namespaced, self).repositories(pattern)

    def namespaces(self) -> Iterator[str]:
        """The account's own and its organizations."""
        answer = self._api.ask("GET", "/api/v1/user/")
        yield from dict.fromkeys(
            name for name in (answer.text("username"), *texts(answer.entries("organizations"), "name")) if name
        )

    def repositories_in(self, namespace: str) -> Iterator[str]:
        def read(mark: str) -> tuple[list[str], str]:
            query = [("namespace", namespace), *([("next_page", mark)] if mark else [])]
            answer = self._api.ask("GET", "/api/v1/repository", query, also=(404,))
            return list(texts(answer.entries("repositories"), "name")), answer.text("next_page")

        for name in marked(read):
            yield f"{namespace}/{name}"

    def prepare(self, repository: str, public: bool = False) -> None:
        """The repository is there afterwards. Without a token the push makes it, private, if the account may."""
        if not self._token:
            return
        namespace, _, name = repository.partition("/")
        path = f"/api/v1/repository/{part(namespace)}/{part(name)}"
        body = {
            "repository": name,
            "namespace": namespace,
            "visibility": "public" if public else "private",
            "description": "",
            "repo_kind": "image",
        }
        what = f"the repository {repository} could not be created there; its organization must exist"
        ensure(
            lambda: self._api.ask("GET", path, (("includeTags", "false"),), also=(404,)).is_good,
            lambda: self._api.ask("POST", "/api/v1/repository", body=body, what=what),
        )

    @cached_property
    def _api(self) -> Api:
        return Api(self.access.url, self.access.session, bearing(f"Bearer {self._token}" if self._token else ""))


def _file(secret: str) -> dict[str, str]:
    """What Harbor's JSON file says; empty for a plain password."""
    try:
        found = json.loads(secret)
    except ValueError:
        return {}
    names = ("account_name", "docker_cli_password", "oauth2_token")
    return {name: str(found.get(name) or "") for name in names} if isinstance(found, dict) else {}
