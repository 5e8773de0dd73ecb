"""The folder of what has been read, and copying with and without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.errors import Damaged
from replication.transfer import Options, Result, copy, sweep
from replication.transfer.spool import Spool
from tests.replication.test_transfer import GOAL, OPTIONS, ORIGIN, Pair, layer
from tests.stack import content

LARGE = layer("a", 10_000)


@pytest.fixture
def pair() -> Pair:
    made = Pair()
    made.push(content.image(LARGE))
    return made


def test_a_spool_is_held_by_one_and_found_by_the_next(tmp_path: Path) -> None:
    digest = LARGE.digest()
    first = Spool.claim(tmp_path, digest, 10_000, 20_000)
    assert first and Spool.claim(tmp_path, digest, 10_000, 20_000) is None
    first.append(b"a" * 6_000)
    assert Spool.claim(tmp_path, "sha256:" + "b" * 64, 10_001, 20_000) is None  # it would not fit beside the first
    first.close()
    assert sweep(tmp_path, 3600) == 0
    again = Spool.claim(tmp_path, digest, 10_000, 20_000)
    assert again and again.length == 6_000 and again.read(5_990, 100) == b"a" * 10
    assert sweep(tmp_path, -1) == 0  # in use
    again.close()
    assert sweep(tmp_path, -1) == 1 and list(tmp_path.iterdir()) == []


def test_a_damaged_spool_is_read_anew(pair: Pair, tmp_path: Path) -> None:
    big = layer("b", 2**20 + 5000)
    pair.push(content.image(big))
    spool = Spool.claim(tmp_path, big.digest(), len(big.content), 2**30)
    assert spool
    spool.append(b"x" * 4096)
    spool.close()

    assert pair.copy(spool=tmp_path, chunk=2**19).result == Result.COPIED

    assert pair.there.blobs["mirror/app", big.digest()] == big.content
    assert list(tmp_path.iterdir()) == []


def test_chunks_are_ready_in_the_spool_before_they_are_sent(pair: Pair, tmp_path: Path) -> None:
    big = layer("c", 2**20 + 5000)
    pair.push(content.image(big))
    pair.here.lies[big.digest()] = big.content[:-1] + b"x"
    with pytest.raises(Damaged, match="the source, reading blob"):
        pair.copy(spool=tmp_path, chunk=2**18, ready_chunks=True)
    assert sum(len(call.body) for call in pair.there.called("PATCH")) == 2**20  # the last was never begun
    pair.here.lies.clear()
    outcome = pair.copy(spool=tmp_path, chunk=2**18, ready_chunks=True)
    assert outcome.result == Result.COPIED and outcome.bytes_read == outcome.bytes_copied
    assert pair.there.blobs["mirror/app", big.digest()] == big.content


def test_copying_needs_no_spool(pair: Pair) -> None:
    options = Options(**{**vars(OPTIONS), "spool": Path("/proc/nowhere")})
    outcome = copy(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=options)
    assert outcome.result == Result.COPIED
