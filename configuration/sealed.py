"""Secrets at rest: sealed with keys that are not in the database, so that a dump of it gives none away."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


def seal(secret: str) -> str:
    """`secret`, encrypted with the newest key."""
    return _box().encrypt(secret.encode()).decode()


def unseal(text: str) -> str | None:
    """What was sealed, with any key that is still accepted; None where none fits, so that only what needs it fails."""
    try:
        return _box().decrypt(text.encode()).decode()
    except InvalidToken:
        return None


def _box() -> MultiFernet:
    return _made_of(tuple(str(key) for key in settings.ENCRYPTION_KEYS), settings.SECRET_KEY)


@lru_cache(maxsize=4)
def _made_of(encryption_keys: tuple[str, ...], secret_key: str) -> MultiFernet:
    """The operator's keys, newest first; one derived from the secret key where there are none, and to read by."""
    derived = HKDF(SHA256(), length=32, salt=None, info=b"haven sealed secrets").derive(secret_key.encode())
    return MultiFernet([*map(Fernet, encryption_keys), Fernet(base64.urlsafe_b64encode(derived))])
