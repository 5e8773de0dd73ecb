"""Copying a large layer through a network that cuts: what is sent again, and that what arrives is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from replication.transfer import Options, Result
from tests.replication.plain import client
from tests.replication.ways import ON_ITS_WAY, OPTIONS, ORIGIN, OVERHEAD, SIZE, Way, image, plain, source, way

pytestmark = pytest.mark.stack
__all__ = ["image", "plain", "source", "way"]

FINAL_PUT = r"PUT /v2/.*/blobs/uploads/"


@pytest.mark.parametrize("percent", [10, 50, 99])
def test_a_cut_on_the_way_to_the_target(way: Way, percent: int, tmp_path: Path) -> None:
    goal = way.goal(f"cut-{percent}")
    way.to_target.cut_at = [SIZE * percent // 100]

    outcome = way.copy(goal, Options(**{**vars(OPTIONS), "spool": tmp_path}))

    assert way.to_target.cuts == 1 and outcome.result == Result.COPIED
    assert way.to_target.up <= SIZE + way.allowed + OVERHEAD
    assert way.from_source.down <= SIZE + OVERHEAD and outcome.bytes_read <= SIZE + OVERHEAD  # never read twice
    assert list(tmp_path.iterdir()) == []
    way.check(goal)


@pytest.mark.parametrize("when", ["cut_before", "cut_after"])
def test_a_cut_in_the_final_put(way: Way, when: str, tmp_path: Path) -> None:
    goal = way.goal(when.replace("_", "-"))
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
    goal = way.goal("cut-source")
    way.from_source.cut_down_at = [SIZE // 3, SIZE // 2]

    way.copy(goal)

    assert way.from_source.cuts == 2
    assert way.from_source.down <= SIZE + 2 * ON_ITS_WAY + OVERHEAD
    assert way.to_target.up <= SIZE + OVERHEAD
    way.check(goal)


def test_many_cuts_one_after_the_other(way: Way, tmp_path: Path) -> None:
    goal = way.goal("many")
    cuts = [SIZE * percent // 100 for percent in (20, 45, 70, 95)]
    way.to_target.cut_at = list(cuts)

    outcome = way.copy(goal, Options(**{**vars(OPTIONS), "spool": tmp_path}))

    assert way.to_target.cuts == len(cuts)
    assert way.to_target.up <= SIZE + len(cuts) * way.allowed + OVERHEAD
    assert outcome.bytes_read <= SIZE + OVERHEAD
    way.check(goal)
