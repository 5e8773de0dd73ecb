from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from registry.auth import OwnTokens
from registry.client import Registry
from registry.http import session_to
from tests.registry.server import RegistryServer
from tokens import upstream
from tokens.signing import key_folder


@pytest.fixture(scope="module")
def server() -> Iterator[RegistryServer]:
    """A real registry that accepts the tokens of the tests' settings."""
    folder = key_folder()
    folder.prepare()
    server = RegistryServer(Path(folder.path))
    server.start()
    yield server
    server.remove()


@pytest.fixture
def real(server: RegistryServer) -> Registry:
    """The real registry, as web speaks to it."""
    return Registry(server.url, session_to(server.url), OwnTokens(upstream.own_token))
