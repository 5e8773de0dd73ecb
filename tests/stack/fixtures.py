"""Fixtures of the tests that need the real stack. One stack serves a whole session unless a test breaks its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.postgres import Postgres
from tests.replication.plain import Plain
from tests.settings import GIVEN
from tests.stack.engine import Docker, Engine
from tests.stack.people import People, settle
from tests.stack.replicas import HTPASSWD, LOOPBACK, Replicas
from tests.stack.stack import Stack

MakeStack = Callable[..., Stack]


@pytest.fixture(scope="session")
def make_stack() -> Iterator[MakeStack]:
    """Makes stacks, not started: on SQLite, or with STACK_DATABASE=postgres each on a database of its own."""
    postgres = None
    made: list[Stack] = []
    if GIVEN.get("STACK_DATABASE") == "postgres":
        postgres = Postgres()
        postgres.start()

    def make(**environment: str) -> Stack:
        database = {"DATABASE_URL": postgres.create(f"stack_{len(made)}")} if postgres else {}
        made.append(Stack(**database, **environment))
        return made[-1]

    yield make
    for stack in made:
        stack.remove()
    if postgres:
        postgres.remove()


@pytest.fixture(scope="session")
def stack(make_stack: MakeStack) -> Stack:
    """The session's stack. Leave it as healthy as you found it."""
    return make_stack().start()


@pytest.fixture(scope="session")
def replicas(make_stack: MakeStack) -> Iterator[Replicas]:
    """Two Havens and a plain registry. Leave no rule behind."""
    plain = Plain(htpasswd=HTPASSWD)
    try:
        here = make_stack(HAVEN_ALLOWED_NETWORKS=LOOPBACK).start()
        there = make_stack().start()
        yield Replicas(here, there, plain.start()).settle()
    finally:
        plain.remove()


@pytest.fixture(scope="session")
def people(stack: Stack) -> People:
    return settle(stack)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine()
    try:
        yield engine.start()
    finally:
        engine.remove()


@pytest.fixture
def docker(engine: Engine, stack: Stack) -> Callable[[], Docker]:
    """Another person at the engine's command line, every time it is called."""
    return lambda: Docker(engine, stack.host)


@pytest.fixture
def docker_of(people: People, docker: Callable[[], Docker]) -> Callable[[str], Docker]:
    """`who`, logged in."""

    def logged_in(who: str) -> Docker:
        person = docker()
        if who != "anonymous":
            person.login(*people.secrets[who])
        return person

    return logged_in
