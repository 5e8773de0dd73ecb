"""Where an upload stands, where the address that the client kept is older than the upload."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from registry.states import offset_of
from tests.cast import Cast
from tests.fakes.registry import FakeRegistry
from tests.gateway.conftest import door_of

IDENTIFIER = "3f0a1b2c-0000-4000-8000-1234567890ab"
UPLOAD = f"private/app/blobs/uploads/{IDENTIFIER}"
SECRET = "a secret of the tests"


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    """The upload's file, of 1000 bytes, long settled."""
    settings.REGISTRY_STORAGE = {"driver": "filesystem", "root": str(tmp_path), "options": {}}
    settings.REGISTRY_HTTP_SECRET = SECRET
    file = tmp_path / "docker/registry/v2/repositories/private/app/_uploads" / IDENTIFIER / "data"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x" * 1000)
    os.utime(file, (1, 1))
    return file


def ask(cast: Cast, offset: int, secret: str = SECRET) -> Any:
    text = json.dumps({"Name": "private/app", "UUID": IDENTIFIER, "Offset": offset}).encode()
    state = base64.urlsafe_b64encode(hmac.digest(secret.encode(), text, hashlib.sha256) + text).decode()
    return door_of(cast.developer)("GET", f"{UPLOAD}?_state={state}")


def test_an_old_address_leads_to_where_the_upload_stands(cast: Cast, data: Path, registry: FakeRegistry) -> None:
    answer = ask(cast, 500)
    assert (answer.status_code, answer["Range"]) == (204, "0-999")
    url = urlsplit(answer["Location"])
    assert url.path == f"/v2/{UPLOAD}" and offset_of(parse_qs(url.query)["_state"][0]) == 1000
    assert registry.calls == []


def test_all_other_addresses_are_the_registry_s_to_judge(cast: Cast, data: Path, settings: Settings) -> None:
    assert ask(cast, 1000)["X-Accel-Redirect"] == "@registry"
    settings.REGISTRY_HTTP_SECRET = ""
    assert ask(cast, 500)["X-Accel-Redirect"] == "@registry"
    settings.REGISTRY_HTTP_SECRET = SECRET
    data.unlink()
    assert ask(cast, 500)["X-Accel-Redirect"] == "@registry"


def test_an_address_that_the_registry_did_not_sign(cast: Cast, data: Path) -> None:
    answer = ask(cast, 500, "another secret")
    assert answer.status_code in (400, 404) and "Location" not in answer


def test_a_chunk_that_is_still_being_stored_is_waited_for(cast: Cast, data: Path) -> None:
    os.utime(data)
    answer = ask(cast, 500)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
