"""Writes what the containers of docker-compose.yml share: folders, secrets, and the configuration of edge and registry.

Runs once, as root, before anything else, and changes nothing where nothing changed.
"""

from __future__ import annotations

import os
import secrets as randomness
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from deploy import options, secrets
from deploy.edge import Edge
from deploy.options import Options
from deploy.registry import Registry
from deploy.stack import ISSUER, SERVICE
from harbor.environment import Unusable, read_file

OWNER = 101
"""Who runs web, worker, beat and registry: the number of nginx's own user, so that the edge may enter their sockets."""
GENERATION = 3
CONFIGURATION, DATABASE_SECRET, BLOBS, REDIS = Path("/configuration"), Path("/database"), Path("/blobs"), Path("/redis")
RUN = Path("/run/haven")
CERTIFICATE, CERTIFICATE_KEY = "/tls/certificate.pem", "/tls/key.pem"
PORT = 8080
"""The edge's port inside its container; HAVEN_PORT is the one outside."""


def configure(given: Mapping[str, str]) -> None:
    """All of it, from the environment. Raises Unusable."""
    tls = {"HAVEN_TLS_CERT": CERTIFICATE, "HAVEN_TLS_KEY": CERTIFICATE_KEY} if given.get("HAVEN_TLS_CERT") else {}
    root = {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(BLOBS)} if _is_filesystem(given) else {}
    chosen = options.read({**given, **tls, **root}, GENERATION)
    for folder in (chosen.data, chosen.data / "keys", chosen.data / "beat", BLOBS, REDIS):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chown(folder, OWNER, OWNER)
    kept = secrets.keep(chosen.data / "secrets.env", given)
    database = given.get("DATABASE_URL") or f"postgres://haven:{_database_password()}@postgres:5432/haven"
    addresses = {
        "HAVEN_EXTERNAL_URL": chosen.external_url,
        "DATABASE_URL": database,
        "REDIS_URL": given.get("REDIS_URL") or f"unix://{RUN / 'redis.sock'}",
        "REGISTRY_URL": f"http+unix://{quote(str(RUN / 'registry.sock'), safe='')}",
    }
    secrets.write_private(chosen.data / "stack.env", "".join(f"{key}={value}\n" for key, value in addresses.items()))
    _write(CONFIGURATION / "nginx.conf", edge(chosen).configuration())
    _write(CONFIGURATION / "registry.yml", registry(chosen, kept["REGISTRY_HTTP_SECRET"]).configuration())
    for path in (chosen.data / "secrets.env", chosen.data / "stack.env", CONFIGURATION / "registry.yml"):
        os.chown(path, OWNER, OWNER)


def _is_filesystem(given: Mapping[str, str]) -> bool:
    return given.get("REGISTRY_STORAGE", "") in {"", "filesystem"}


def _database_password() -> str:
    """Made once. PostgreSQL's image reads it as its own user, from a volume that nobody else has."""
    file = DATABASE_SECRET / "password"
    if not file.exists():
        file.write_text(randomness.token_urlsafe(32))
        file.chmod(0o444)
    return file.read_text()


def edge(chosen: Options) -> Edge:
    """The edge in its container: inside, it listens on every address; outside, only where the port is published."""
    everywhere = replace(chosen, bind="0.0.0.0", port=PORT)
    return Edge(
        listen=everywhere.listen,
        external_url=chosen.external_url,
        web=f"unix:{RUN / 'web.sock'}",
        registry=f"unix:{RUN / 'registry.sock'}",
        folder=Path("/var/cache/nginx"),
        access_log="/dev/stdout",
        error_log="stderr",
        loopback=chosen.loopback,
        workers=chosen.edge_workers,
        user="nginx",
        certificate=chosen.certificate,
        certificate_key=chosen.certificate_key,
        trusted_proxies=chosen.trusted_proxies,
    )


def registry(chosen: Options, secret: str) -> Registry:
    return Registry(
        generation=GENERATION,
        address=str(RUN / "registry.sock"),
        secret=secret,
        realm=f"{chosen.external_url}/service/token",
        service=SERVICE,
        issuer=ISSUER,
        keys=Path("/keys"),
        storage=chosen.storage,
        redirect=chosen.redirect,
    )


def _write(path: Path, text: str) -> None:
    secrets.write_private(path, text)


def main() -> int:
    given = {**read_file(Path(os.environ.get("HAVEN_DATA", "/data")) / "secrets.env"), **_set(os.environ)}
    try:
        configure(given)
    except Unusable as problem:
        print(f"haven: {problem}", file=sys.stderr)
        return 1
    return 0


def _set(environment: Mapping[str, str]) -> dict[str, str]:
    """Compose hands on every key it names, empty where the operator set none."""
    return {key: value for key, value in environment.items() if value}


if __name__ == "__main__":
    sys.exit(main())
