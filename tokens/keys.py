"""The keys that tokens are signed with, as files in one folder that every web process and the registry share.

* `<time>.pem`: a private key (P-256, mode 0600), named by the moment it was made.
* `rootcert.pem`: a certificate for each key; the registry (2.8) accepts what these keys sign.
* `jwks.json`: the same public keys for the registry (3.x), under the same `kid`.

The newest key is only published, **the second newest signs**, older ones are still accepted. So the registry, which
reads its two files when it starts, has long known a key before the first token is signed with it, and a rotation is
the appearance of one file: what was newest signs from then on.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from registry.errors import Unavailable

LONGEST_LIFETIME = timedelta(days=1)
"""No token lives longer, whatever the configuration says; a key is kept for as long as what it signed."""
REREAD = 5.0
"""Seconds after which a process looks again whether the folder has changed."""
GRACE = timedelta(minutes=5)
"""For clocks that differ and processes that have not looked yet."""

CERTIFICATES = "rootcert.pem"
KEY_SET = "jwks.json"
TIME_FORMAT = "%Y%m%dT%H%M%S.%fZ"


class KeysMissing(Unavailable):
    """The folder holds no keys, which `manage.py init_token_keys` makes, or a file that is none."""


def key_id(public: ec.EllipticCurvePublicKey) -> str:
    """The key's id as libtrust makes it, which is how `distribution` 2.8 finds it among its certificates.

    The first 240 bits of the SHA-256 of the DER SubjectPublicKeyInfo, in base32, in groups of four.
    """
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


@dataclass(frozen=True)
class Key:
    """A private key, when it was made, and its `kid`."""

    private: ec.EllipticCurvePrivateKey
    made: datetime

    @cached_property
    def public(self) -> ec.EllipticCurvePublicKey:
        return self.private.public_key()

    @cached_property
    def kid(self) -> str:
        return key_id(self.public)

    @property
    def file_name(self) -> str:
        return self.made.strftime(TIME_FORMAT) + ".pem"

    @property
    def private_pem(self) -> bytes:
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def certificate_pem(self) -> bytes:
        """A certificate for the public key, signed by itself; only the key in it matters to the registry."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Haven token key")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.public)
            .serial_number(int.from_bytes(hashlib.sha256(self.kid.encode()).digest()[:16]))
            .not_valid_before(self.made - timedelta(days=1))
            .not_valid_after(self.made + timedelta(days=36500))
            .sign(self.private, hashes.SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a JSON Web Key (RFC 7517)."""
        numbers = self.public.public_numbers()
        coordinates = {name: _base64url(value.to_bytes(32)) for name, value in (("x", numbers.x), ("y", numbers.y))}
        return {"kty": "EC", "crv": "P-256", **coordinates, "kid": self.kid, "alg": "ES256", "use": "sig"}


@dataclass(frozen=True)
class KeyRing:
    """The keys of a folder, oldest first."""

    keys: tuple[Key, ...]

    @cached_property
    def signing(self) -> Key:
        """The key to sign with: the second newest. Raises KeysMissing."""
        if not self.keys:
            raise KeysMissing("there are no token keys: run `manage.py init_token_keys`")
        return self.keys[-2] if len(self.keys) > 1 else self.keys[-1]

    @property
    def next(self) -> Key:
        """The newest key: published, and to sign after the next rotation."""
        return self.keys[-1]

    @cached_property
    def by_kid(self) -> dict[str, Key]:
        return {key.kid: key for key in self.keys}

    def outlived(self, now: datetime) -> tuple[Key, ...]:
        """Keys of which no token can be alive any more: the next but one was made that long ago."""
        limit = now - LONGEST_LIFETIME - GRACE
        return tuple(key for key, later in zip(self.keys, self.keys[2:], strict=False) if later.made < limit)


class KeyFolder:
    """The folder of keys: reads it again when it has changed, and alone writes to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ring = KeyRing(())
        self._seen = -1
        self._look_again = 0.0

    def ring(self) -> KeyRing:
        """The keys as they are now, or were a few seconds ago. Raises KeysMissing where there are none."""
        if time.monotonic() >= self._look_again:
            seen = self.path.stat().st_mtime_ns if self.path.is_dir() else 0
            if seen != self._seen:
                self._ring, self._seen = self.read(), seen
            self._look_again = time.monotonic() + REREAD if self._ring.keys else 0.0
        if not self._ring.keys:
            raise KeysMissing("there are no token keys: run `manage.py init_token_keys`")
        return self._ring

    def find(self, kid: str) -> Key | None:
        """The key of this id, or None. Another process may have signed with one that appeared since we looked."""
        if (key := self.ring().by_kid.get(kid)) is None:
            self._look_again = 0.0
            key = self.ring().by_kid.get(kid)
        return key

    def read(self) -> KeyRing:
        """The keys as the files are at this moment."""
        keys = []
        for file in sorted(self.path.glob("*Z.pem")):
            keys.append(Key(_private(file), datetime.strptime(file.stem, TIME_FORMAT).replace(tzinfo=UTC)))
        return KeyRing(tuple(keys))

    def prepare(self) -> KeyRing:
        """Make what is missing: two keys, the certificates, the key set. What is there stays, until it is outlived."""
        with self._locked():
            while len((ring := self.read()).keys) < 2:
                self._add(ring)
            ring = self._prune(ring)
            self._publish(ring)
        return ring

    def rotate(self) -> KeyRing:
        """Sign with the newest key from now on, and publish one for the next time."""
        with self._locked():
            return self._prune(self._add(self.read()))

    def replace(self) -> KeyRing:
        """Drop every key at once, since one may be in wrong hands, and make two others.

        What was signed so far is worth nothing: to web when it next looks, to the registry when it starts anew.
        """
        with self._locked():
            old = self.read()
            for key in old.keys:
                (self.path / key.file_name).unlink()
            ring = self._add(self._add(KeyRing(())))
        return ring

    def _prune(self, ring: KeyRing) -> KeyRing:
        """Drop the keys of which no token can be alive."""
        outlived = ring.outlived(datetime.now(UTC))
        if not outlived:
            return ring
        for key in outlived:
            (self.path / key.file_name).unlink()
        ring = self.read()
        self._publish(ring)
        return ring

    def _add(self, ring: KeyRing) -> KeyRing:
        """Publish a new key first and keep it second: whoever signs with it later finds it known."""
        key = Key(ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC))
        ring = KeyRing((*ring.keys, key))
        self._publish(ring)
        _write(self.path / key.file_name, key.private_pem, 0o600)
        return ring

    def _publish(self, ring: KeyRing) -> None:
        """Write the registry's two files where they differ from the ring; the signing key comes first."""
        keys = sorted(ring.keys, key=lambda key: key is not ring.signing)
        key_set: dict[str, Any] = {"keys": [key.jwk for key in keys]}
        text = json.dumps(key_set, indent=1).encode()
        target = self.path / KEY_SET
        if target.exists() and target.read_bytes() == text and (self.path / CERTIFICATES).exists():
            return
        _write(self.path / CERTIFICATES, b"".join(key.certificate_pem for key in keys), 0o644)
        _write(target, text, 0o644)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One writer at a time."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        self._look_again, self._seen = 0.0, -1


def _private(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        private = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise KeysMissing(f"{file} is not a key") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise KeysMissing(f"{file} is not a P-256 key")
    return private


def _write(target: Path, content: bytes, mode: int) -> None:
    """Replace `target` at once; nobody reads half of it."""
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, target)


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
