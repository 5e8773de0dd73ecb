"""The state of an upload, as `distribution` writes it into the upload's address.

Base64 of a signature (HMAC-SHA256) and JSON, the same in 2.8 and 3.x (registry/handlers/hmac.go).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import Any

from registry.errors import BlobUploadInvalid

MAC_BYTES = 32


def offset_of(state: str) -> int:
    """How many bytes the upload holds, going by its state, whose signature is not checked. Raises BlobUploadInvalid."""
    offset = _document(_decoded(state)).get("Offset")
    if not isinstance(offset, int):
        raise BlobUploadInvalid("the upload's address is not complete")
    return offset


def moved_to(state: str, offset: int, secret: str) -> str:
    """The same state at another offset, signed with the registry's `secret`. Raises BlobUploadInvalid for a state that
    was not."""
    content = _decoded(state)
    signature, text = content[:MAC_BYTES], content[MAC_BYTES:]
    if not secret or not hmac.compare_digest(signature, _sign(text, secret)):
        raise BlobUploadInvalid("the upload's address is not one that was given out")
    moved = json.dumps({**_document(content), "Offset": offset}).encode()
    return base64.urlsafe_b64encode(_sign(moved, secret) + moved).decode()


def _decoded(state: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
    except (binascii.Error, ValueError) as error:
        raise BlobUploadInvalid("the upload's address is not complete") from error


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content[MAC_BYTES:])
    except (ValueError, RecursionError) as error:
        raise BlobUploadInvalid("the upload's address is not complete") from error
    if not isinstance(document, dict):
        raise BlobUploadInvalid("the upload's address is not complete")
    return document


def _sign(text: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), text, hashlib.sha256)
