"""Connections that outlive the server they were made to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from harbor import environment
from tests.postgres import Postgres


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Running: a test that stops it starts it again."""
    postgres = Postgres()
    postgres.start()
    yield postgres
    postgres.remove()


@pytest.fixture
def connection(server: Postgres, django_db_blocker: DjangoDbBlocker) -> Iterator[BaseDatabaseWrapper]:
    """A connection with the settings of Haven."""
    handler = ConnectionHandler({"default": environment.database(server.url, Path("/unused"))})
    connection = handler["default"]
    with django_db_blocker.unblock():
        yield connection
        connection.close()


def next_request(connection: BaseDatabaseWrapper) -> int:
    """A query, as the first one of a request."""
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_a_connection_is_kept(connection: BaseDatabaseWrapper) -> None:
    assert next_request(connection) == next_request(connection) == next_request(connection)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["fast", "immediate"])
def test_no_request_notices_that_the_server_was_restarted(
    server: Postgres, connection: BaseDatabaseWrapper, how: signal.Signals
) -> None:
    before = next_request(connection)
    server.stop(how)
    server.start()
    assert next_request(connection) != before


def test_a_connection_that_an_operator_ended_is_made_anew(server: Postgres, connection: BaseDatabaseWrapper) -> None:
    before = next_request(connection)
    server.sql(f"SELECT pg_terminate_backend({before}, 5000)")
    assert next_request(connection) != before


def test_while_the_server_is_away_requests_fail_and_later_ones_do_not(
    server: Postgres, connection: BaseDatabaseWrapper
) -> None:
    next_request(connection)
    server.stop()
    for _ in range(2):
        with pytest.raises(OperationalError):
            next_request(connection)
    server.start()
    assert next_request(connection)
