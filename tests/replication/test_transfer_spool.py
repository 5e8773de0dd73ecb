"""The folder of what has been read, and copying with and without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.errors import Damaged
from replication.transfer import Options, Result, copy, sweep
from replication.transfer.spool import Spool
from tests.replication.test_transfer import GOAL, OPTIONS, ORIGIN, Pair, layer
from tests.stack import content
from tests.stack.content import Blob

LARGE = layer("a", 10_000)


@pytest.fixture
def pair() -> Pair:
    made = Pair()
    made.push(content.image(LARGE))
    return made


def owner_of(pair: Pair, who: str = "") -> str:
    """Whose the spool is that a copy of `pair` fills and takes up."""
    return f"{who}\n{pair.source.base_url}\n{ORIGIN.repository}"


def leave(folder: Path, owner: str, blob: Blob, beginning: bytes) -> None:
    """What a copy that was killed leaves of `blob`."""
    spool = Spool.claim(folder, owner, blob.digest(), len(blob.content), 2**30)
    assert spool
    spool.append(beginning)
    spool.close()


def test_a_spool_is_held_by_one_and_found_by_the_next(tmp_path: Path) -> None:
    digest = LARGE.digest()
    first = Spool.claim(tmp_path, "me", digest, 10_000, 20_000)
    assert first and Spool.claim(tmp_path, "me", digest, 10_000, 20_000) is None
    first.append(b"a" * 6_000)
    for owner in ("me", "another"):  # neither would fit beside the first
        assert Spool.claim(tmp_path, owner, "sha256:" + "b" * 64, 10_001, 20_000) is None
    first.close()
    assert sweep(tmp_path, 3600) == 0
    again = Spool.claim(tmp_path, "me", digest, 10_000, 20_000)
    assert again and again.length == 6_000 and again.read(5_990, 100) == b"a" * 10
    assert sweep(tmp_path, -1) == 0  # in use
    theirs = Spool.claim(tmp_path, "another", digest, 10_000, 20_000)
    assert theirs and theirs.length == 0
    theirs.discard()
    again.close()
    (tmp_path / f"sha256-{'a' * 64}-5.part").touch()  # an older version's
    assert sweep(tmp_path, -1) == 2 and list(tmp_path.iterdir()) == []


def test_a_damaged_spool_is_read_anew(pair: Pair, tmp_path: Path) -> None:
    big = layer("b", 2**20 + 5000)
    pair.push(content.image(big))
    leave(tmp_path, owner_of(pair), big, b"x" * 4096)

    assert pair.copy(spool=tmp_path, chunk=2**19).result == Result.COPIED

    assert pair.there.blobs["mirror/app", big.digest()] == big.content
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("whose", ["own", "another project's", "another source's", "another repository's"])
def test_a_copy_takes_up_its_own_spool_and_nobody_else_s(pair: Pair, tmp_path: Path, whose: str) -> None:
    """The source keeps the bytes to itself. Who merely names their digest does not get them from the folder."""
    big = layer("d", 2**20 + 5000)
    pair.push(content.image(big))
    owners = {
        "own": owner_of(pair, "project 1"),
        "another project's": owner_of(pair, "project 2"),
        "another source's": f"project 1\nhttps://elsewhere.test\n{ORIGIN.repository}",
        "another repository's": f"project 1\n{pair.source.base_url}\nlibrary/secret",
    }
    leave(tmp_path, owners[whose], big, big.content)
    pair.here.lies[big.digest()] = b""

    if whose == "own":
        assert pair.copy(spool=tmp_path, spool_owner="project 1", chunk=2**19).result == Result.COPIED
        assert pair.here.called("GET", big.digest()) == []
    else:
        with pytest.raises(Damaged):
            pair.copy(spool=tmp_path, spool_owner="project 1", chunk=2**19)
        assert ("mirror/app", big.digest()) not in pair.there.blobs and pair.there.called("PATCH") == []


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
