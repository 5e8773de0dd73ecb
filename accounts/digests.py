"""Keyed SHA-256: how random secrets are kept, and how a name or password becomes a key that tells nothing."""

from __future__ import annotations

import hmac
from functools import lru_cache

from django.conf import settings


def keyed(purpose: str, *parts: str) -> str:
    """64 hexadecimal characters that only who has the secret key can make from `parts`; each purpose has its own."""
    return _digest(settings.SECRET_KEY, purpose, parts)


def matches(digest: str, purpose: str, *parts: str) -> bool:
    """Whether `digest` was made from these parts, with the secret key or one that is still accepted. Constant time."""
    return any([hmac.compare_digest(digest, made) for made in candidates(purpose, *parts)])


def candidates(purpose: str, *parts: str) -> list[str]:
    """Every digest that `parts` may be kept under."""
    keys = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    return [_digest(key, purpose, parts) for key in keys]


def _digest(key: str, purpose: str, parts: tuple[str, ...]) -> str:
    # Lengths go in too: ("ab", "c") and ("a", "bc") are different.
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hmac.digest(_derived(key, purpose), text.encode(errors="surrogatepass"), "sha256").hex()


@lru_cache(maxsize=64)
def _derived(key: str, purpose: str) -> bytes:
    return hmac.digest(key.encode(), purpose.encode(), "sha256")
