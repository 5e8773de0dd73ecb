"""GitHub's container registry (ghcr.io): it has no catalog, GitHub's API lists the packages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from registry.errors import Unauthorized, Unsupported
from replication.adapters.base import AT_LEAST_TWO, Info, Namespaced
from replication.adapters.calling import Api, at, bearing, host_of, numbered, objects, part, texts

PAGE = 100
API_VERSION = "2022-11-28"


class GitHub(Namespaced):
    """ghcr.io with a user name and a personal access token (classic: `read:packages`, `write:packages`)."""

    info = Info(
        "github-ghcr",
        path_components=AT_LEAST_TWO,
        one_piece=True,  # a PATCH of more than 4 MiB is 416
        has_pattern=True,
        endpoint_type="EndpointPatternTypeFix",
        endpoints=(("ghcr.io", "https://ghcr.io"),),
    )

    def check(self) -> None:
        """The registry takes the token, and the API does."""
        self.reach()
        if self.access.secret:
            self._api.ask("GET", "/user")

    def namespaces(self) -> Iterator[str]:
        """The account and its organizations."""
        if not self.access.secret:
            raise Unsupported("without a token GitHub lists no packages: give the repository's full name")
        login = self._api.ask("GET", "/user").text("login")
        if not login:
            raise Unauthorized("GitHub does not say whose token this is")
        yield login.lower()
        yield from (name.lower() for name in texts(self._paged("/user/orgs"), "login"))

    def repositories_in(self, namespace: str) -> Iterator[str]:
        owner = self._owner(namespace)
        packages = self._paged(f"{owner}/packages", ("package_type", "container")) if owner else ()
        for name in texts(packages, "name"):
            yield f"{namespace}/{name}"

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """GitHub deletes whole versions: one with another tag beside this one stays, with a sentence."""
        namespace, _, name = repository.partition("/")
        owner = self._owner(namespace)
        versions = f"{owner}/packages/container/{part(name)}/versions"
        for version in self._paged(versions) if owner else ():
            tags = at(version, "metadata", "container", "tags") or []
            if (tag in tags) if tag else version.get("name") == digest:
                if tag and tags != [tag]:
                    raise Unsupported("GitHub deletes whole versions only, and this one has other tags, too")
                path = f"{versions}/{part(str(version.get('id')))}"
                return self._api.ask("DELETE", path, also=(404,), what=f"{repository} could not be deleted").is_good
        return False

    def _owner(self, namespace: str) -> str:
        """The API's path of an organization or a person; empty where there is none."""
        for kind in ("orgs", "users"):
            if self._api.ask("GET", f"/{kind}/{part(namespace)}", also=(404,)).is_good:
                return f"/{kind}/{part(namespace)}"
        return ""

    def _paged(self, path: str, *query: tuple[str, str]) -> Iterator[dict[str, Any]]:
        def read(number: int) -> tuple[list[Any], bool]:
            answer = self._api.ask("GET", path, (*query, ("per_page", PAGE), ("page", number)), also=(404,))
            entries = objects(answer.document)
            return entries, len(entries) == PAGE

        return numbered(read)

    @cached_property
    def _api(self) -> Api:
        """`containers.<host>` is GitHub Enterprise Server, whose API is below the host itself."""
        host = host_of(self.access.url)
        url = "https://api.github.com" if host == "ghcr.io" else self.access.url
        if host.startswith("containers."):
            url = f"https://{host.removeprefix('containers.')}/api/v3"
        sign = bearing(f"Bearer {self.access.secret}" if self.access.secret else "")

        def versioned(request: Any) -> None:
            request.headers["X-GitHub-Api-Version"] = API_VERSION
            sign(request)

        return Api(url, self.access.session, versioned)
