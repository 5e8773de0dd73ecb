"""Writes the configuration of `distribution`, for either of its generations."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy import storage
from harbor.environment import Unusable


def generation_of(binary: str) -> int:
    """2 or 3, by what `binary --version` says. Raises Unusable for anything else."""
    try:
        answer = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        raise Unusable(f"REGISTRY_BIN={binary} cannot be run: give the path of a distribution registry.") from None
    version = re.search(r"distribution\S* v?(\d+)\.", answer)
    if not version or int(version[1]) not in storage.GENERATIONS:
        raise Unusable(f"REGISTRY_BIN={binary} is not distribution 2.8 or 3.x: it says {answer.strip()[:100]!r}.")
    return int(version[1])


@dataclass(frozen=True)
class Registry:
    """The registry behind the edge."""

    generation: int
    address: str
    """A unix socket's path, or `:5000`."""
    secret: str
    """Signs the state of uploads; the same in every replica and after every start."""
    realm: str
    service: str
    issuer: str
    keys: Path
    """The folder with the realm's certificates and key set."""
    storage: Mapping[str, Any]
    redirect: bool = False
    """Send clients to the object store for a blob, where the store can."""
    log_level: str = "error"

    def configuration(self) -> str:
        """The whole file, in YAML.

        Never a `cache` (a deleted blob would come back: CVE-2026-35172) and never a `proxy` (CVE-2026-33540).
        """
        document = {
            "version": "0.1",
            "log": {"level": self.log_level, "formatter": "json", "accesslog": {"disabled": True}},
            "storage": {
                **self.storage,
                "delete": {"enabled": True},
                "redirect": {"disable": not self.redirect},
                "maintenance": {
                    "uploadpurging": {"enabled": True, "age": "24h", "interval": "1h", "dryrun": False},
                    "readonly": {"enabled": False},
                },
            },
            "http": {
                "addr": self.address,
                "net": "unix" if self.address.startswith("/") else "tcp",
                "secret": self.secret,
                "relativeurls": True,
                "draintimeout": "20s",
                "headers": {"X-Content-Type-Options": ["nosniff"]},
            },
            "auth": {"token": self._token()},
            # Layers that live elsewhere (`urls`) are accepted as descriptors; nobody fetches them.
            "validation": {"manifests": {"urls": {"allow": ["^https?://"]}}},
        }
        return yaml.safe_dump(document, sort_keys=False)

    def _token(self) -> dict[str, Any]:
        token: dict[str, Any] = {"realm": self.realm, "service": self.service, "issuer": self.issuer}
        token["rootcertbundle"] = str(self.keys / "rootcert.pem")
        if self.generation >= 3:
            # 3.x names the bundle's keys by another id than 2.8; the key set carries ours.
            token["jwks"] = str(self.keys / "jwks.json")
        return token
