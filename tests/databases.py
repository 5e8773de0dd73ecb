"""A database that several processes share, of either kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.postgres import Postgres

KINDS = ("sqlite", "postgresql")


@contextmanager
def shared_database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of one of the KINDS; it goes with the body."""
    if kind == "sqlite":
        yield f"sqlite:///{folder}/haven.sqlite3"
        return
    postgres = Postgres()
    try:
        postgres.start()
        yield postgres.url
    finally:
        postgres.remove()
