"""Docker Trusted Registry, now Mirantis Secure Registry: lists, organizations and repositories by its API."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from replication.adapters.base import ONLY_TWO, Info, Namespaced, ensure
from replication.adapters.calling import Api, basic, marked, objects, part, texts

PAGE = 100


class Dtr(Namespaced):
    """DTR 2 with a user name and a password or access token. Creating organizations takes an administrator."""

    info = Info("dtr", path_components=ONLY_TWO)

    def check(self) -> None:
        """The registry takes these credentials, and the API does."""
        self.registry.ping()
        self._api.ask("GET", "/api/v0/repositories", (("pageSize", 1),))

    def namespaces(self) -> Iterator[str]:
        """People and organizations, which DTR calls accounts."""
        return texts(self._paged("/enzi/v0/accounts", "accounts", "limit", "start"), "name")

    def repositories_in(self, namespace: str) -> Iterator[str]:
        path = f"/api/v0/repositories/{part(namespace)}"
        for name in texts(self._paged(path, "repositories", "pageSize", "pageStart"), "name"):
            yield f"{namespace}/{name}"

    def prepare(self, repository: str, public: bool = False) -> None:
        """Organization and repository are there afterwards, made by us if they were not."""
        namespace, _, name = repository.partition("/")
        account, repositories = f"/enzi/v0/accounts/{part(namespace)}", f"/api/v0/repositories/{part(namespace)}"
        organization = {"name": namespace, "fullName": namespace, "isOrg": True}
        no_organization = f"the organization {namespace} could not be created in DTR"
        body = {"name": name, "visibility": "public" if public else "private", "enableManifestLists": True}
        no_repository = f"the repository {repository} could not be created in DTR"

        def make() -> None:
            ensure(
                lambda: self._api.ask("GET", account, also=(404,)).is_good,
                lambda: self._api.ask("POST", "/enzi/v0/accounts", body=organization, what=no_organization),
            )
            self._api.ask("POST", repositories, body=body, what=no_repository)

        ensure(lambda: self._api.ask("GET", f"{repositories}/{part(name)}", also=(404,)).is_good, make)

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """A tag goes alone, by the API; by digest as everywhere."""
        if not tag:
            return super().delete(repository, tag, digest)
        namespace, _, name = repository.partition("/")
        path = f"/api/v0/repositories/{part(namespace)}/{part(name)}/tags/{part(tag)}"
        return self._api.ask("DELETE", path, also=(404,), what=f"{repository}:{tag} could not be deleted").is_good

    def _paged(self, path: str, name: str, size: str, start: str) -> Iterator[dict[str, Any]]:
        def read(mark: str) -> tuple[list[dict[str, Any]], str]:
            query = [(size, str(PAGE)), *([(start, mark)] if mark else [])]
            answer = self._api.ask("GET", path, query, also=(404,))
            return objects(answer.get(name)), answer.headers.get("x-next-page-start", "")

        return marked(read)

    @cached_property
    def _api(self) -> Api:
        return Api(self.access.url, self.access.session, basic(self.access.username, self.access.secret))
