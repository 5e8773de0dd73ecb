"""Copying a large layer through a network that cuts: what is sent again, and that what arrives is whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.client import Registry
from registry.references import Reference
from replication.transfer import Options, Outcome, Result, Unwatched, compare, copy
from tests.replication.plain import Plain, client
from tests.replication.proxy import Proxy, proxy_to
from tests.stack import content
from tests.stack.content import OCI_LAYER, Blob, Pushable
from tests.stack.stack import ADMIN_PASSWORD, Stack

pytestmark = pytest.mark.stack

SIZE = 24 * 2**20 + 12345
CHUNK = 4 * 2**20
OVERHEAD = 64 * 1024
"""Bytes of requests beside the layer."""
ON_ITS_WAY = 8 * 2**20
"""Bytes that the network may hold when it is cut."""
ORIGIN = Reference("library/large", "1")
OPTIONS = Options(chunk=CHUNK, patience=0.2, attempts=5)
FINAL_PUT = r"PUT /v2/.*/blobs/uploads/"


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


@pytest.mark.parametrize("percent", [10, 50, 99])
def test_a_cut_on_the_way_to_the_target(way: Way, percent: int, tmp_path: Path) -> None:
    goal = Reference(f"library/cut-{percent}-{'haven' if way.username else 'plain'}", "1")
    way.to_target.cut_at = [SIZE * percent // 100]

    outcome = way.copy(goal, Options(**{**vars(OPTIONS), "spool": tmp_path}))

    assert way.to_target.cuts == 1 and outcome.result == Result.COPIED
    assert way.to_target.up <= SIZE + way.allowed + OVERHEAD
    assert way.from_source.down <= SIZE + OVERHEAD and outcome.bytes_read <= SIZE + OVERHEAD  # never read twice
    assert list(tmp_path.iterdir()) == []
    way.check(goal)


@pytest.mark.parametrize("when", ["cut_before", "cut_after"])
def test_a_cut_in_the_final_put(way: Way, when: str, tmp_path: Path) -> None:
    goal = Reference(f"library/{when.replace('_', '-')}-{'haven' if way.username else 'plain'}", "1")
    setattr(way.to_target, when, FINAL_PUT + ".*digest=sha256%3A" + _layer(way)[7:])

    outcome = way.copy(goal, Options(**{**vars(OPTIONS), "spool": tmp_path}))

    assert way.to_target.cuts == 1 and outcome.result == Result.COPIED
    assert way.to_target.up <= SIZE + OVERHEAD  # nothing is sent twice: the layer was there already
    way.check(goal)


def _layer(way: Way) -> str:
    manifest = client(way.from_source.url).get_manifest(ORIGIN)
    return manifest.layers[0].digest


def test_a_cut_on_the_way_from_the_source(way: Way) -> None:
    """The target never notices: the rest is fetched by Range while it waits."""
    goal = Reference(f"library/cut-source-{'haven' if way.username else 'plain'}", "1")
    way.from_source.cut_down_at = [SIZE // 3, SIZE // 2]

    way.copy(goal)

    assert way.from_source.cuts == 2
    assert way.from_source.down <= SIZE + 2 * ON_ITS_WAY + OVERHEAD
    assert way.to_target.up <= SIZE + OVERHEAD
    way.check(goal)


def test_many_cuts_one_after_the_other(way: Way, tmp_path: Path) -> None:
    goal = Reference(f"library/many-{'haven' if way.username else 'plain'}", "1")
    cuts = [SIZE * percent // 100 for percent in (20, 45, 70, 95)]
    way.to_target.cut_at = list(cuts)

    outcome = way.copy(goal, Options(**{**vars(OPTIONS), "spool": tmp_path}))

    assert way.to_target.cuts == len(cuts)
    assert way.to_target.up <= SIZE + len(cuts) * way.allowed + OVERHEAD
    assert outcome.bytes_read <= SIZE + OVERHEAD
    way.check(goal)
