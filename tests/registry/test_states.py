"""The state in an upload's address, as `distribution` 2.8.2 wrote this one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from registry.errors import BlobUploadInvalid
from registry.states import moved_to, offset_of

SECRET = "a secret of the tests"
TEXT = b'{"Name":"a/b","UUID":"3f0a","Offset":500,"StartedAt":"2026-01-01T00:00:00Z"}'


def state(text: bytes = TEXT, secret: str = SECRET) -> str:
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), text, hashlib.sha256) + text).decode()


def test_a_state_is_moved_and_signed_anew() -> None:
    moved = moved_to(state(), 900, SECRET)
    assert (offset_of(state()), offset_of(moved)) == (500, 900)
    content = base64.urlsafe_b64decode(moved)
    assert content[:32] == hmac.digest(SECRET.encode(), content[32:], hashlib.sha256)
    assert json.loads(content[32:]) == {**json.loads(TEXT), "Offset": 900}


@pytest.mark.parametrize("secret", ["", "another"])
def test_a_state_that_another_signed_is_not_moved(secret: str) -> None:
    with pytest.raises(BlobUploadInvalid):
        moved_to(state(), 900, secret)
    with pytest.raises(BlobUploadInvalid):
        moved_to(state(secret=""), 900, "")


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"Offset":"5"}', b"x", b"[" * 10_000])
def test_a_state_that_is_none(text: bytes) -> None:
    with pytest.raises(BlobUploadInvalid):
        offset_of(state(text))
