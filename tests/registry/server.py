"""A real registry of the tests' own, on a unix socket, with the configuration that Haven generates."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from urllib.parse import quote

from deploy.registry import Registry as Configuration
from deploy.registry import generation_of
from tests.processes import start, stop, wait_until

BINARY = os.environ.get("REGISTRY_BIN") or "docker-registry"


class RegistryServer:
    """Started by `start`, ended by `stop`; `remove` takes its folder away too."""

    def __init__(self, keys: Path, binary: str = BINARY) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-registry-"))
        self.socket = self.folder / "registry.sock"
        self.url = f"http+unix://{quote(str(self.socket), safe='')}"
        self.log = self.folder / "registry.log"
        self.root = self.folder / "storage"
        self.binary = shutil.which(binary) or binary
        configuration = Configuration(
            generation=generation_of(self.binary),
            address=str(self.socket),
            secret="a secret of the tests",
            realm="http://haven.test/service/token",
            service="harbor-registry",
            issuer="harbor-token-issuer",
            keys=keys,
            storage={"filesystem": {"rootdirectory": str(self.root)}},
        )
        self.file = self.folder / "registry.yml"
        self.file.write_text(configuration.configuration())
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Serve, as soon as this returns."""
        self.socket.unlink(missing_ok=True)
        # Without OTEL_*, 3.x looks for a collector of traces.
        env = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
        self.process = start([self.binary, "serve", str(self.file)], self.log, env)
        wait_until(self._listens, "the registry", log=self.log)

    def _listens(self) -> bool:
        """The socket's file is there a moment before anybody listens."""
        with socket.socket(socket.AF_UNIX) as connection:
            return connection.connect_ex(str(self.socket)) == 0

    def stop(self) -> None:
        if self.process:
            stop(self.process)
            self.process = None

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
