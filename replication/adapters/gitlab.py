"""GitLab's container registry: tokens from GitLab's realm, projects and their repositories from its API."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from registry import http
from registry.errors import Denied, Unavailable
from replication.adapters.base import AT_LEAST_TWO, Adapter, Info, ensure, is_pattern, literal_prefix
from replication.adapters.calling import Api, challenge_of, marked, objects, part

PAGE = 100


class GitLab(Adapter):
    """GitLab with a user name and a personal, group or project access token (`api` or `read_api`).

    A repository is a project's path, or that and up to two components more.
    """

    info = Info("gitlab", path_components=AT_LEAST_TWO)

    def check(self) -> None:
        """The realm gives a token for these credentials, and the API takes the access token."""
        self.reach()
        if self.access.secret:
            self._api.ask("GET", "/projects", (("membership", "true"), ("per_page", 1)))

    def repositories(self, pattern: str) -> Iterator[str]:
        """Those of the projects that the account is a member of."""
        if pattern and not is_pattern(pattern):
            yield pattern
            return
        literal = literal_prefix(pattern).lower()
        for project in self._projects(literal):
            for repository in self._paged(f"/projects/{int(project['id'])}/registry/repositories"):
                if isinstance(repository.get("path"), str):
                    yield repository["path"].lower()

    def prepare(self, repository: str, public: bool = False) -> None:
        """The project of `repository` is there afterwards: made by us in its group if it was not."""
        ensure(lambda: self._has_project(repository), lambda: self._make_project(repository, public))

    def _has_project(self, repository: str) -> bool:
        components = repository.split("/")
        paths = (part("/".join(components[:count])) for count in range(len(components), 1, -1))
        return any(self._api.ask("GET", f"/projects/{path}", also=(404,)).is_good for path in paths)

    def _make_project(self, repository: str, public: bool) -> None:
        """In the innermost of the groups that are there."""
        components = repository.split("/")
        for count in range(len(components) - 1, 0, -1):
            number = self._api.ask("GET", f"/namespaces/{part('/'.join(components[:count]))}", also=(404,)).get("id")
            if isinstance(number, int):
                break
        else:
            raise Denied(f"GitLab has no group {components[0]} that the account may see: create it there first")
        name, visibility = components[count], "public" if public else "private"
        body = {"path": name, "name": name, "namespace_id": number, "visibility": visibility}
        self._api.ask("POST", "/projects", body=body, what=f"the project of {repository} could not be created there")

    def _projects(self, literal: str) -> Iterator[dict[str, Any]]:
        """Projects with a registry in which repositories beginning with `literal` can be."""
        group = literal.partition("/")[0]
        search = (("search", group), ("search_namespaces", "true")) if group else ()
        for project in self._paged("/projects", ("membership", "true"), ("simple", "false"), *search):
            path = str(project.get("path_with_namespace") or "").lower()
            disabled = project.get("container_registry_access_level") == "disabled"
            fits = f"{path}/".startswith(literal) or literal.startswith(f"{path}/")
            if isinstance(project.get("id"), int) and path and fits and not disabled:
                yield project

    def _paged(self, path: str, *query: tuple[str, str]) -> Iterator[dict[str, Any]]:
        def read(mark: str) -> tuple[list[Any], str]:
            answer = self._api.ask("GET", path, (*query, ("per_page", PAGE), ("page", mark or 1)), also=(404,))
            return objects(answer.document), answer.headers.get("x-next-page", "").strip()

        return marked(read)

    @cached_property
    def _api(self) -> Api:
        """At the host of the realm, which the registry names; it is GitLab itself."""
        realm = challenge_of(self.registry_url, self.access.session).parameters.get("realm", "")
        if not realm:
            raise Unavailable("the registry does not say where GitLab is: it names no token service")
        scheme, host, port = http.origin(realm)
        own = http.origin(self.registry_url)
        if scheme != "https" and (scheme, host) != own[:2]:
            raise Denied("the registry names a token service that may not see the token")
        standard = (scheme, port) in (("https", 443), ("http", 80))

        def sign(request: http.Request) -> None:
            if self.access.secret:
                request.headers["PRIVATE-TOKEN"] = self.access.secret

        return Api(f"{scheme}://{host}{'' if standard else f':{port}'}/api/v4", self.access.session, sign)
