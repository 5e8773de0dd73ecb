from __future__ import annotations

import pytest

from tests.tokens.realm import Realm
from tokens.signing import key_folder


@pytest.fixture
def realm() -> Realm:
    """The token realm, with keys."""
    key_folder().prepare()
    return Realm()
