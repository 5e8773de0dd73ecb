"""What a request may cost, whatever its size."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors import ANONYMOUS
from configuration.models import Setting
from tests.cast import Cast, assemble, make_robot
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import Door, door_of
from tests.stack import content
from tests.stack.content import Pushable

TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def image_of(layers: int) -> Pushable:
    return content.image(*(content.Blob(f"layer {number}".encode()) for number in range(layers)))


def door_for(who: str, cast: Cast) -> Door:
    if who == "robot":
        robot, _ = make_robot("ci", cast.public, "repository:pull", "repository:push")
        return Door(robot.actor)
    return Door(ANONYMOUS) if who == "anonymous" else door_of(getattr(cast, who))


def statements(queries: CaptureQueriesContext) -> list[str]:
    """What was asked, without what opens and closes the transaction, and what reads the settings every few seconds."""
    asked = [query["sql"] for query in queries.captured_queries]
    return [sql for sql in asked if not sql.startswith(TRANSACTION) and Setting._meta.db_table not in sql]


@pytest.mark.parametrize("who", ["admin", "alice", "robot"])
@pytest.mark.parametrize("layers", [20, 300])
def test_a_push_costs_eleven_queries(cast: Cast, registry: FakeRegistry, who: str, layers: int) -> None:
    door, image = door_for(who, cast), image_of(layers)
    for blob in image.blobs:
        registry.add_blob("public/app", blob.content)

    with CaptureQueriesContext(connection) as queries:
        assert door.put("public/app", "v1", image).status_code == 201

    assert len(statements(queries)) == 11, statements(queries)
    assert len(registry.called("HEAD", "/blobs/")) == layers + 1

    with CaptureQueriesContext(connection) as queries:
        assert door.put("public/app", "v2", image).status_code == 201
    assert len(statements(queries)) == 8, statements(queries)
    assert len(registry.called("HEAD", "/blobs/")) == layers + 1


@pytest.mark.parametrize("who", ["admin", "alice", "robot", "anonymous"])
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_pull_costs_one_query_and_no_write(cast: Cast, registry: FakeRegistry, who: str, by: str) -> None:
    image = image_of(2)
    door_of(cast.alice).push(registry, "public/app", "v1", image)
    door = door_for(who, cast)
    reference = "v1" if by == "tag" else image.digest()
    door.get("public/app", reference)  # PostgreSQL plans it, once for each connection
    registry.calls.clear()

    with CaptureQueriesContext(connection) as queries:
        answer = door.get("public/app", reference)

    assert answer.content == image.content
    assert len(queries) == 1, statements(queries)
    assert statements(queries)[0].lstrip().startswith(("SELECT", "EXECUTE"))
    assert registry.calls == []


@pytest.mark.django_db(transaction=True)
def test_a_plan_that_somebody_dropped(registry: FakeRegistry) -> None:
    """As behind a pooler, which gives each statement another connection."""
    cast, image = assemble(), image_of(2)
    door = door_of(cast.alice)
    door.push(registry, "public/app", "v1", image)
    assert door.get("public/app", "v1").content == image.content
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("DEALLOCATE ALL")

    for _ in range(2):
        assert door.get("public/app", "v1").content == image.content
