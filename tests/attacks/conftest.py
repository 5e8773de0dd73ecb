from __future__ import annotations

import pytest

from tests.api.conftest import stage as stage
from tests.gateway.conftest import registry as registry
from tokens.signing import key_folder


@pytest.fixture(scope="session", autouse=True)
def _token_keys() -> None:
    key_folder().prepare()
