"""Reading an edge's answer, and the targets that the tests ask for."""

from __future__ import annotations

import json

HEX = "a" * 64
BLOB = f"/v2/library/app/blobs/sha256:{HEX}"
BLOB_512 = f"/v2/library/app/blobs/sha512:{'b' * 128}"
MANIFEST = "/v2/library/app/manifests/v1"
UPLOAD = "/v2/library/app/blobs/uploads/0123-abc"
LONG = "n" * 250


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def header(answer: bytes, name: str) -> str | None:
    """The only header called `name`."""
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    values = [line.partition(":")[2].strip() for line in lines if line.lower().startswith(f"{name.lower()}:")]
    assert len(values) < 2, f"{name} is there twice: {values}"
    return values[0] if values else None


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def error(answer: bytes) -> str:
    """The code of an error in the form of the OCI specification."""
    assert (header(answer, "Content-Type") or "").startswith("application/json")
    (only,) = json.loads(body(answer))["errors"]
    assert only["message"]
    return str(only["code"])
