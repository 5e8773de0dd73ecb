"""Images that are small to write and endless to walk."""

from __future__ import annotations

from replication.transfer import compare, missing
from tests.replication.test_transfer import GOAL, OPTIONS, ORIGIN, Pair, layer
from tests.stack import content
from tests.stack.content import Pushable

WIDE, DEEP = 10, 7


def put(pair: Pair, pushed: Pushable) -> None:
    pair.here.manifests[ORIGIN.repository, pushed.digest()] = (pushed.media_type, pushed.content)
    for blob in pushed.blobs:
        pair.here.add_blob(ORIGIN.repository, blob.content)


def test_indexes_that_name_each_other_are_walked_once_each() -> None:
    """Each index of a level lists all of the next: seventy-one manifests, ten million ways through them."""
    pair = Pair()
    level = [content.image(layer("a"))]
    put(pair, level[0])
    for _ in range(DEEP):
        level = [content.index(*level, annotations={"place": str(place)}) for place in range(WIDE)]
        for each in level:
            put(pair, each)
    pair.here.known_tags[ORIGIN.repository, ORIGIN.identifier] = level[0].digest()

    lacks = missing(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS)
    outcome = pair.copy()
    differences = compare(pair.source, pair.target, ORIGIN, GOAL, watch=pair.watch, options=OPTIONS)

    assert len(lacks.manifests) == outcome.manifests == WIDE * (DEEP - 1) + 2
    assert differences == [] and len(pair.here.called("GET", "/manifests/")) <= 3 * outcome.manifests
