from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from tests.stack import content
from tests.stack.content import Blob, Pushable
from tests.stack.people import People
from tests.stack.wire import Answer, Client

ALGORITHMS = ["sha256", "sha512"]


@dataclass(frozen=True)
class Place:
    """Somebody at a repository of the test's own."""

    client: Client
    repository: str

    def __call__(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """A request below the repository: `blobs/sha256:...`."""
        return self.client(method, f"/v2/{self.repository}/{path}", body, headers)

    def get_manifest(self, reference: str, method: str = "GET") -> Answer:
        return self(method, f"manifests/{reference}", headers={"Accept": "*/*"})

    def push(self, reference: str, pushed: Pushable) -> Answer:
        return self.client.push(self.repository, reference, pushed)

    def put_as(self, reference: str, pushed: Blob) -> Answer:
        """The manifest alone."""
        return self.client.put_manifest(self.repository, reference, pushed)

    def push_blob(self, blob: Blob, algorithm: str = "sha256") -> Answer:
        return self.client.push_blob(self.repository, blob, algorithm)

    def start(self, query: str = "") -> str:
        return self.client.start_upload(self.repository, query)

    def patch(self, location: str, chunk: bytes, first: int | None) -> Answer:
        """A chunk; with `first`, its place in the blob is said."""
        headers = {"Content-Type": "application/octet-stream"}
        if first is not None:
            headers["Content-Range"] = f"{first}-{first + len(chunk) - 1}"
        return self.client("PATCH", location, chunk, headers)


def repository_of(request: pytest.FixtureRequest) -> str:
    """A legal repository name made from the test's."""
    return re.sub(
        r"[^a-z0-9]+", "-", f"{request.module.__name__.rpartition('.')[2]}-{request.node.name}".lower()
    ).strip("-")


@pytest.fixture(params=ALGORITHMS)
def algorithm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session", params=["admin", "pusher"])
def writer(request: pytest.FixtureRequest, people: People) -> Client:
    """Who may write: the administrator, and a robot that may push."""
    return people.client(request.param)


@pytest.fixture
def place(writer: Client, request: pytest.FixtureRequest) -> Place:
    """A repository that does not exist yet, in the private project."""
    return Place(writer, f"private/{repository_of(request)}")


@pytest.fixture
def maintainer_place(people: People, request: pytest.FixtureRequest) -> Place:
    """The same for somebody who may delete as well."""
    return Place(people.client("maintainer"), f"private/{repository_of(request)}")


@pytest.fixture(scope="session")
def image() -> Pushable:
    return content.image(text="conformance")
