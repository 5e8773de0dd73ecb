"""The secrets of one installation: made once, kept in one file that only its owner reads."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from harbor.environment import read_file

KEYS = ("SECRET_KEY", "REGISTRY_HTTP_SECRET", "ENCRYPTION_KEY")


def keep(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The secrets: what the environment gives, else what `path` holds, else new ones, which `path` then holds."""
    held = read_file(path)
    missing = {key: _make(key) for key in KEYS if not given.get(key) and not held.get(key)}
    if missing:
        held |= missing
        write_private(path, "".join(f"{key}={value}\n" for key, value in held.items()))
    return {key: given.get(key) or held[key] for key in KEYS}


def _make(key: str) -> str:
    if key == "ENCRYPTION_KEY":  # a Fernet key
        return base64.urlsafe_b64encode(os.urandom(32)).decode()
    return secrets.token_urlsafe(48)


def write_private(path: Path, text: str) -> None:
    """Replace `path` at once, for its owner's eyes only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
