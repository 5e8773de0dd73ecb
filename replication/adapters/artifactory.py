"""JFrog Artifactory, its docker repositories by path: `<repository key>/<image>`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

from registry.references import is_name
from replication.adapters.base import AT_LEAST_TWO, Info, Namespaced, ensure
from replication.adapters.calling import Api, basic, marked, objects, part, texts

PAGE = 1000
REPOSITORIES = "/artifactory/api/repositories"


class Artifactory(Namespaced):
    """Artifactory with a user name and a password, API key or identity token."""

    info = Info("jfrog-artifactory", path_components=AT_LEAST_TWO)

    def check(self) -> None:
        """The registry takes these credentials, and the API does."""
        self.registry.ping()
        self._api.ask("GET", REPOSITORIES, (("packageType", "docker"),))

    def namespaces(self) -> Iterator[str]:
        """The keys of the docker repositories."""
        answer = self._api.ask("GET", REPOSITORIES, (("packageType", "docker"),))
        yield from texts(objects(answer.document), "key")

    def repositories_in(self, namespace: str) -> Iterator[str]:
        """By the catalog that each docker repository has below the API."""

        def read(mark: str) -> tuple[list[str], str]:
            query = [("n", str(PAGE)), *([("last", mark)] if mark else [])]
            answer = self._api.ask("GET", f"/artifactory/api/docker/{part(namespace)}/v2/_catalog", query, also=(404,))
            names = answer.get("repositories")
            link = re.match(r'\s*<([^>]{1,4096})>\s*;\s*rel="?next"?', answer.headers.get("link", ""))
            last = parse_qs(urlsplit(link[1]).query).get("last", [""])[0] if link else ""
            return [name for name in names if isinstance(name, str)] if isinstance(names, list) else [], last

        yield from (f"{namespace}/{name}" for name in marked(read) if is_name(name))

    def prepare(self, repository: str, public: bool = False) -> None:
        """The docker repository is there afterwards: a local one made by us if it was not."""
        key = repository.partition("/")[0]
        body = {"key": key, "rclass": "local", "packageType": "docker", "dockerApiVersion": "V2"}
        what = f"the docker repository {key} does not exist in Artifactory and could not be created"
        ensure(
            lambda: key in set(self.namespaces()),
            lambda: self._api.ask("PUT", f"{REPOSITORIES}/{part(key)}", body=body, what=what),
        )

    @cached_property
    def _api(self) -> Api:
        return Api(self.access.url, self.access.session, basic(self.access.username, self.access.secret))
