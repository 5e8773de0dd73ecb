"""Where copies go in the tests that break things: a plain registry and Haven, each behind a proxy that can cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from registry.client import Registry
from registry.references import Reference
from replication.transfer import Options, Outcome, Unwatched, compare, copy
from tests.replication.plain import Plain, client
from tests.replication.proxy import Proxy, proxy_to
from tests.stack import content
from tests.stack.content import OCI_LAYER, Blob, Pushable
from tests.stack.stack import ADMIN_PASSWORD, Stack

SIZE = 24 * 2**20 + 12345
CHUNK = 4 * 2**20
OVERHEAD = 64 * 1024
"""Bytes of requests beside the layer."""
ON_ITS_WAY = 8 * 2**20
"""Bytes that the network may hold when it is cut."""
ORIGIN = Reference("library/large", "1")
OPTIONS = Options(chunk=CHUNK, patience=2.0, attempts=5)


@pytest.fixture(scope="module")
def image() -> Pushable:
    return content.image(Blob(os.urandom(SIZE), OCI_LAYER))


@pytest.fixture(scope="module")
def source(image: Pushable) -> Iterator[Plain]:
    plain = Plain()
    plain.start()
    plain.push(ORIGIN.repository, ORIGIN.identifier, image)
    yield plain
    plain.remove()


@pytest.fixture(scope="module")
def plain() -> Iterator[Plain]:
    target = Plain()
    yield target.start()
    target.remove()


@dataclass
class Way:
    """A source and a target, each behind a proxy; `keeps` says whether the target's uploads survive a cut."""

    from_source: Proxy
    to_target: Proxy
    target_url: str
    keeps: bool
    username: str = ""
    password: str = ""

    def goal(self, name: str) -> Reference:
        """A repository that no other test uses."""
        return Reference(f"library/{name}-{'haven' if self.username else 'plain'}", "1")

    def target(self) -> Registry:
        return client(self.target_url, self.username, self.password)

    def copy(self, goal: Reference, options: Options = OPTIONS, watch: Unwatched | None = None) -> Outcome:
        source = client(self.from_source.url)
        return copy(source, self.target(), ORIGIN, goal, watch=watch or Unwatched(), options=options)

    def check(self, goal: Reference) -> None:
        """The target has what the source has, byte for byte."""
        source, target = client(self.from_source.url), self.target()
        assert compare(source, target, ORIGIN, goal, watch=Unwatched(), options=OPTIONS) == []
        for blob in source.get_manifest(ORIGIN).blobs:
            with target.get_blob(goal.repository, blob.digest) as stream:
                assert sum(map(len, stream)) == blob.size  # the stream checks the digest

    @property
    def allowed(self) -> int:
        """Bytes that one cut may cost."""
        return CHUNK if self.keeps else SIZE


@pytest.fixture(params=["plain", "haven"])
def way(request: pytest.FixtureRequest, source: Plain) -> Iterator[Way]:
    with proxy_to(source.port) as from_source:
        if request.param == "plain":
            plain: Plain = request.getfixturevalue("plain")
            with proxy_to(plain.port) as to_target:
                yield Way(from_source, to_target, to_target.url, plain.generation >= 3)
        else:
            stack: Stack = request.getfixturevalue("stack")
            with proxy_to(stack.port) as to_target:
                url = f"http://localhost:{to_target.port}"
                yield Way(from_source, to_target, url, True, "admin", ADMIN_PASSWORD)
