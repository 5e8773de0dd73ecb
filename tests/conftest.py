from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from accounts import scratch
from configuration import values
from tests import cast as people
from tests.cast import Cast
from tests.redis import Redis
from tests.settings import REDIS_SOCKET

pytest_plugins = ["tests.stack.fixtures"]

# What is tried is judged, not how busy the machine is meanwhile.
settings.register_profile("haven", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("haven")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", action="store_true", help="only what uses the database: for the second kind of it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--database`, leave out what another kind of database cannot change."""
    if not config.getoption("--database"):
        return
    chosen = [item for item in items if uses_database(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
    items[:] = chosen


def uses_database(item: pytest.Item) -> bool:
    """Whether a test asks for the database; what starts databases of its own tries both kinds anyway."""
    named = getattr(item, "fixturenames", [])
    return item.get_closest_marker("django_db") is not None or bool({"db", "transactional_db"} & {*named})


def pytest_collection_finish() -> None:
    """What is there when the tests begin stays there: not looked through again each time garbage is collected."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[Redis]:
    """The Redis that the settings name, private to this process."""
    server = Redis(REDIS_SOCKET)
    server.start()
    yield server
    server.remove()


@pytest.fixture(autouse=True)
def _clean_redis(redis_server: Redis) -> Iterator[None]:
    """No test sees what another left in Redis or in the process's own cache."""
    yield
    values.forget()
    scratch.reset()
    if not redis_server.empty():
        redis_server.start()


@pytest.fixture
def no_redis(redis_server: Redis) -> None:
    """Redis is away for the length of the test."""
    redis_server.stop()


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody of `tests/cast.py`."""
    return people.assemble()
