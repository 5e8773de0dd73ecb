"""What an operator chose for the embedded run, checked: every refusal is one sentence."""

from __future__ import annotations

import ipaddress
import os
import resource
import shutil
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import registry, storage
from harbor import environment
from harbor.environment import Unusable

HARBORS_DEFAULT = "Harbor12345"
CPUS = os.cpu_count() or 1


@dataclass(frozen=True)
class Options:
    """The whole configuration of one stack."""

    data: Path
    bind: str
    port: int
    external_url: str
    external_url_given: bool
    database_url: str
    redis_url: str
    """Somebody else's Redis; empty where Haven runs its own."""
    registry_bin: str
    generation: int
    storage: Mapping[str, Any]
    redirect: bool
    certificate: str
    certificate_key: str
    trusted_proxies: tuple[str, ...]
    web_workers: int
    web_threads: int
    worker_threads: int
    replication_threads: int
    edge_workers: int

    @property
    def loopback(self) -> bool:
        return is_loopback(self.bind)

    @property
    def listen(self) -> str:
        """The address as nginx writes it."""
        return f"[{self.bind}]:{self.port}" if ":" in self.bind else f"{self.bind}:{self.port}"

    @property
    def https(self) -> bool:
        return self.external_url.startswith("https://")

    @property
    def host(self) -> str:
        """What stands before a repository in an image's name."""
        return self.external_url.partition("://")[2]

    @property
    def files(self) -> int:
        """Open files that an edge process may have, as far as we may raise them."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return 16384 if hard == resource.RLIM_INFINITY or os.geteuid() == 0 else min(16384, hard)


def is_loopback(bind: str) -> bool:
    return bind == "localhost" or _address(bind).is_loopback


def read(given: Mapping[str, str], generation: int = 0) -> Options:
    """The options that `given` (the environment) asks for. Raises Unusable.

    `generation` of the registry: looked up by asking REGISTRY_BIN where it is not told.
    """
    bind, port = given.get("HAVEN_BIND") or "127.0.0.1", _number(given, "HAVEN_PORT", 8080, 1, 65535)
    data = environment.data_folder(given.get("HAVEN_DATA", ""))
    certificate, key = _certificate(given)
    asked = given.get("HAVEN_EXTERNAL_URL", "")
    _check_secrets(given)
    external = _external(asked, bind, port, bool(certificate))
    binary = "" if generation else _registry_bin(given)
    generation = generation or registry.generation_of(binary)
    if database := given.get("DATABASE_URL", ""):
        environment.database(database, data)
    if redis := given.get("REDIS_URL", ""):
        environment.redis(redis)
    return Options(
        data=data,
        bind=bind,
        port=port,
        external_url=external,
        external_url_given=bool(asked),
        database_url=database,
        redis_url=redis,
        registry_bin=binary,
        generation=generation,
        storage=storage.storage(given, generation, str(data / "registry")),
        redirect=_switch(given, "HAVEN_STORAGE_REDIRECT"),
        certificate=certificate,
        certificate_key=key,
        trusted_proxies=_networks(given, "HAVEN_TRUSTED_PROXIES"),
        web_workers=_number(given, "HAVEN_WEB_WORKERS", min(2 * CPUS, 8), 1, 64),
        web_threads=_number(given, "HAVEN_WEB_THREADS", 2, 1, 256),
        worker_threads=_number(given, "HAVEN_WORKER_THREADS", 4, 1, 256),
        replication_threads=_number(given, "HAVEN_REPLICATION_THREADS", 4, 1, 64),
        edge_workers=_number(given, "HAVEN_EDGE_WORKERS", min(CPUS, 4), 1, 64),
    )


def _address(bind: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(bind.strip("[]"))
    except ValueError:
        raise Unusable(f"HAVEN_BIND must be an address such as 127.0.0.1 or 0.0.0.0, not {bind!r}.") from None


def _external(asked: str, bind: str, port: int, tls: bool) -> str:
    scheme = "https" if tls else "http"
    if not asked:
        if not is_loopback(bind):
            raise Unusable(
                f"HAVEN_BIND={bind} is reachable from elsewhere: set HAVEN_EXTERNAL_URL to the address that people use."
            )
        return environment.external_url(f"{scheme}://localhost:{port}")
    url = environment.external_url(asked)
    if tls and url.startswith("http://"):
        raise Unusable(f"HAVEN_TLS_CERT makes the edge speak https, but HAVEN_EXTERNAL_URL is {url}: write https://.")
    return url


def _certificate(given: Mapping[str, str]) -> tuple[str, str]:
    certificate, key = given.get("HAVEN_TLS_CERT", ""), given.get("HAVEN_TLS_KEY", "")
    if not certificate and not key:
        return "", ""
    if not certificate or not key:
        raise Unusable("HAVEN_TLS_CERT and HAVEN_TLS_KEY belong together: set both, or neither.")
    certificate, key = str(environment.ROOT / certificate), str(environment.ROOT / key)
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as problem:
        raise Unusable(f"HAVEN_TLS_CERT and HAVEN_TLS_KEY cannot be used: {problem}.") from None
    return certificate, key


def _check_secrets(given: Mapping[str, str]) -> None:
    if given.get("HARBOR_ADMIN_PASSWORD") == HARBORS_DEFAULT:
        raise Unusable("HARBOR_ADMIN_PASSWORD is Harbor's well-known default: choose another.")
    if given.get("SECRET_KEY"):
        environment.secret_key(given["SECRET_KEY"])
    secret = given.get("REGISTRY_HTTP_SECRET", "")
    if secret and (len(secret) < 16 or environment.is_known(secret)):
        raise Unusable("REGISTRY_HTTP_SECRET is too short or a known default: give at least 16 random characters.")


def _registry_bin(given: Mapping[str, str]) -> str:
    asked = given.get("REGISTRY_BIN") or "docker-registry"
    found = shutil.which(asked)
    if not found:
        raise Unusable(f"REGISTRY_BIN={asked} is not a program: give the path of a distribution registry.")
    return found


def _number(given: Mapping[str, str], key: str, default: int, least: int, most: int) -> int:
    text = given.get(key, "") or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Unusable(f"{key} must be a number from {least} to {most}, not {text!r}.")
    return int(text)


def _switch(given: Mapping[str, str], key: str) -> bool:
    text = given.get(key, "").lower()
    if text not in {"", "true", "false"}:
        raise Unusable(f"{key} must be true or false, not {text!r}.")
    return text == "true"


def _networks(given: Mapping[str, str], key: str) -> tuple[str, ...]:
    networks = tuple(part.strip() for part in given.get(key, "").split(",") if part.strip())
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise Unusable(f"{key} must list addresses or networks, and {network!r} is neither.") from None
    return networks
