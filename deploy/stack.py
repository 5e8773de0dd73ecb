"""One stack of the embedded run: its folders, its generated files, its programs."""

from __future__ import annotations

import os
import shlex
import shutil
import string
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import secrets
from deploy.edge import Edge
from deploy.options import Options
from deploy.registry import Registry
from deploy.supervisor import Program, Replaceable
from harbor.environment import ROOT, read_file

PROCFILE = Path(__file__).with_name("Procfile")
SERVICE, ISSUER = "harbor-registry", "harbor-token-issuer"
RUN_PREFIX = "haven-"


@dataclass(frozen=True)
class Stack:
    """What `options` come to on this machine."""

    options: Options
    run: Path
    """Sockets; short, because a socket's path has at most 107 bytes."""
    secrets: Mapping[str, str]

    @property
    def data(self) -> Path:
        return self.options.data

    @property
    def own_redis(self) -> bool:
        return not self.options.redis_url

    def write(self) -> None:
        """Every generated file and folder."""
        for name in ("edge", "redis", "beat", "logs", "run", "registry"):
            (self.data / name).mkdir(mode=0o700, exist_ok=True)
        secrets.write_private(self.data / "edge" / "nginx.conf", self._edge().configuration())
        secrets.write_private(self.data / "registry.yml", self._registry().configuration())
        secrets.write_private(self.data / "redis" / "redis.conf", self._redis())
        # For manage.py in another terminal.
        lines = (f"{key}={value}\n" for key, value in {"HAVEN_RUN": str(self.run), **self.settings()}.items())
        secrets.write_private(self.data / "stack.env", "".join(lines))

    def settings(self) -> dict[str, str]:
        """The addresses that Django is told."""
        registry = str(self.run / "registry.sock").replace("/", "%2F")
        settings = {
            "HAVEN_BIND": self.options.bind,
            "HAVEN_PORT": str(self.options.port),
            "HAVEN_EXTERNAL_URL": self.options.external_url,
            "DATABASE_URL": self.options.database_url,
            "REDIS_URL": self.options.redis_url or f"unix://{self.run / 'redis.sock'}",
            "REGISTRY_URL": f"http+unix://{registry}",
            "REGISTRY_STORAGE": next(iter(self.options.storage)),
        }
        root = self.options.storage.get("filesystem", {}).get("rootdirectory")
        return settings | ({"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": root} if root else {})

    def environment(self) -> dict[str, str]:
        """What web, worker and beat are given: everything."""
        return {
            **os.environ,
            **self.settings(),
            **self.secrets,
            "HAVEN_DATA": str(self.data),
            "HAVEN_WEB_BIND": f"unix:{self.run / 'web.sock'}",
            "HAVEN_WEB_WORKERS": str(self.options.web_workers),
            "HAVEN_WEB_THREADS": str(self.options.web_threads),
            "HAVEN_WORKER_THREADS": str(self.options.worker_threads),
            "HAVEN_REPLICATION_THREADS": str(self.options.replication_threads),
            "REGISTRY_BIN": self.options.registry_bin,
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": "2",  # threads that each keep a heap of their own cost memory
        }

    def programs(self) -> dict[str, Program]:
        """The Procfile's lines, ready to start; without redis where somebody else's is used."""
        everything, little = self.environment(), self._little_environment()
        programs: dict[str, Program] = {}
        for line in PROCFILE.read_text().splitlines():
            name, _, command = line.partition(":")
            given: dict[str, Any] = {
                "name": name,
                "command": shlex.split(string.Template(command).substitute(everything)),
                "log": self.data / "logs" / f"{name}.log",
                "environment": everything if name in {"web", "worker", "replicator", "beat"} else little,
                "directory": ROOT,
                "pid_file": self.data / "run" / f"{name}.pid",
            }
            programs[name] = Program(**given)
            if name == "registry":
                address = self.run / "registry.sock"
                programs[name] = Replaceable(**given, address=address, address_key="REGISTRY_HTTP_ADDR")
        if not self.own_redis:
            del programs["redis"]
        return programs

    def _little_environment(self) -> dict[str, str]:
        """What others' programs are given: nothing of ours. The registry would read REGISTRY_* as its configuration."""
        clouds = ("AWS_", "AZURE_", "GOOGLE_", "SSL_CERT_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
        kept = {key: value for key, value in os.environ.items() if key.upper().startswith(clouds)}
        names = ("PATH", "HOME", "LANG", "TZ", "TMPDIR")
        kept |= {key: os.environ[key] for key in names if key in os.environ}
        return kept | {"OTEL_TRACES_EXPORTER": "none"}

    def _edge(self) -> Edge:
        options = self.options
        return Edge(
            listen=options.listen,
            external_url=options.external_url,
            web=f"unix:{self.run / 'web.sock'}",
            registry=f"unix:{self.run / 'registry.sock'}",
            folder=self.data / "edge",
            access_log=f"{self.data / 'logs' / 'access.log'}",
            error_log="stderr",
            loopback=options.loopback,
            workers=options.edge_workers,
            files=options.files,
            user="root" if os.geteuid() == 0 else "",  # its workers could not enter a checkout that only root may read
            certificate=options.certificate,
            certificate_key=options.certificate_key,
            trusted_proxies=options.trusted_proxies,
        )

    def _registry(self) -> Registry:
        return Registry(
            generation=self.options.generation,
            address=str(self.run / "registry.sock"),
            secret=self.secrets["REGISTRY_HTTP_SECRET"],
            realm=f"{self.options.external_url}/service/token",
            service=SERVICE,
            issuer=ISSUER,
            keys=self.data / "keys",
            storage=self.options.storage,
            redirect=self.options.redirect,
        )

    def _redis(self) -> str:
        lines = {
            "port": "0",
            "unixsocket": self.run / "redis.sock",
            "unixsocketperm": "700",
            "dir": f'"{self.data / "redis"}"',
            "daemonize": "no",
            "save": '""',
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
        }
        return "".join(f"{key} {value}\n" for key, value in lines.items())


def run_folder(data: Path) -> Path:
    """A fresh short folder for sockets; what a killed predecessor left is removed."""
    before = read_file(data / "stack.env").get("HAVEN_RUN", "")
    if before and Path(before).name.startswith(RUN_PREFIX) and Path(before).is_dir():
        shutil.rmtree(before, ignore_errors=True)
    place = "/run" if os.access("/run", os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix=RUN_PREFIX, dir=place))
