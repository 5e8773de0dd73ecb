"""Docker Hub: listing and creating by its API (hub.docker.com/v2), images at registry-1.docker.io."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from registry import http
from registry.errors import Denied, Unauthorized, Unsupported
from replication.adapters.base import ONLY_TWO, Info, Namespaced, ensure
from replication.adapters.calling import Api, bearing, host_of, numbered, part, refusal, texts
from replication.adapters.logins import Kept, Login

HUB, REGISTRY = "hub.docker.com", "https://registry-1.docker.io"
PAGE = 100
LIFETIME = 600
"""Seconds that a token lives (Docker Hub API, "Create access token")."""


class DockerHub(Namespaced):
    """Docker Hub, or something that stands in for its API and its registry at one address."""

    info = Info(
        "docker-hub",
        path_components=ONLY_TWO,
        has_pattern=True,
        endpoint_type="EndpointPatternTypeFix",
        endpoints=(("hub.docker.com", "https://hub.docker.com"),),
    )

    @property
    def registry_url(self) -> str:
        return REGISTRY if host_of(self.access.url) in (HUB, "registry-1.docker.io", "docker.io") else self.access.url

    def check(self) -> None:
        """The API gives a token for these credentials, and the registry takes them."""
        if self.access.username:
            self._tokens.get()
        self.registry.ping()

    def namespaces(self) -> Iterator[str]:
        """The account's own and those of its organizations."""
        if not self.access.username:
            raise Unsupported("without an account Docker Hub lists no namespaces: begin the name filter with one")
        answer = self._api.ask("GET", "/v2/repositories/namespaces")
        yield from (name for name in answer.get("namespaces") or () if isinstance(name, str))

    def repositories_in(self, namespace: str) -> Iterator[str]:
        def read(number: int) -> tuple[list[str], bool]:
            query = (("page", number), ("page_size", PAGE))
            answer = self._api.ask("GET", f"/v2/namespaces/{part(namespace)}/repositories", query, also=(404,))
            return list(texts(answer.entries("results"), "name")), bool(answer.text("next"))

        for name in numbered(read):
            yield f"{namespace}/{name}"

    def prepare(self, repository: str, public: bool = False) -> None:
        """The repository is there afterwards; made private unless the source is public. A push would make it public."""
        namespace, _, name = repository.partition("/")
        path = f"/v2/namespaces/{part(namespace)}/repositories"

        def make() -> None:
            body = {"namespace": namespace, "name": name, "registry": "docker", "is_private": not public}
            answer = self._api.send("POST", path, body=body)
            if answer.status in (402, 403, 404):
                reason = "or its plan does not allow one more"
                raise Denied(f"the account may not create the repository {repository}, {reason}")
            if not answer.is_good:
                raise refusal(answer, f"the repository {repository} could not be created there")

        ensure(lambda: self._api.ask("GET", f"{path}/{part(name)}", also=(404,)).is_good, make)

    def delete(self, repository: str, tag: str, digest: str) -> bool:
        """By tag; Docker Hub knows nothing else."""
        if not tag:
            raise Unsupported("Docker Hub deletes by tag only")
        namespace, _, name = repository.partition("/")
        path = f"/v2/repositories/{part(namespace)}/{part(name)}/tags/{part(tag)}/"
        return self._api.ask("DELETE", path, also=(404,), what=f"{repository}:{tag} could not be deleted").is_good

    @property
    def _hub(self) -> str:
        return f"https://{HUB}" if self.registry_url == REGISTRY else self.access.url

    @cached_property
    def _api(self) -> Api:
        def sign(request: http.Request) -> None:
            if self.access.username:
                bearing(f"Bearer {self._tokens.get().secret}")(request)

        return Api(self._hub, self.access.session, sign)

    @cached_property
    def _tokens(self) -> Kept:
        def fetch() -> Login:
            body = {"identifier": self.access.username, "secret": self.access.secret}
            answer = Api(self._hub, self.access.session).ask("POST", "/v2/auth/token", body=body)
            if not answer.text("access_token"):
                raise Unauthorized("Docker Hub gives no token for these credentials")
            return Login(answer.text("access_token"), LIFETIME)

        return Kept(fetch)
