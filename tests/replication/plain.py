"""A plain `distribution` on loopback: somebody else's registry, as replication meets it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.registry import generation_of
from registry import http
from registry.auth import Credentials
from registry.client import Registry
from registry.errors import RegistryError, Unauthorized
from registry.manifests import parse
from registry.references import Reference
from tests import processes
from tests.settings import GIVEN
from tests.stack.content import Pushable
from tests.stack.stack import free_port

BINARY = GIVEN.get("REGISTRY_BIN", "docker-registry")


class Plain:
    """A registry at `url`; with `htpasswd` (a file's content) it asks for a password.

    `storage` is its driver's name and parameters, in the place of a folder; `certificate`, and its key, let it speak
    TLS; `auth` is how else it asks who somebody is, in its configuration's words.
    """

    def __init__(
        self,
        binary: str = BINARY,
        htpasswd: str = "",
        storage: Mapping[str, Any] | None = None,
        certificate: tuple[Path, Path] | None = None,
        auth: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-plain-"))
        self.binary = shutil.which(binary) or binary
        self.generation = generation_of(self.binary)
        self.port = free_port()
        self.log = self.folder / "log"
        self.storage = self.folder / "storage"
        self.certificate = certificate
        kept = storage or {"filesystem": {"rootdirectory": str(self.storage)}}
        document: dict[str, Any] = {
            "version": "0.1",
            "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {**kept, "delete": {"enabled": True}},
            "http": {"addr": f"127.0.0.1:{self.port}", "secret": "a secret of the tests", "relativeurls": True},
            "validation": {"manifests": {"urls": {"allow": ["^https?://"]}}},
        }
        if certificate:
            document["http"]["tls"] = {"certificate": str(certificate[0]), "key": str(certificate[1])}
        if auth:
            document["auth"] = dict(auth)
        if htpasswd:
            (self.folder / "htpasswd").write_text(htpasswd)
            document["auth"] = {"htpasswd": {"realm": "plain", "path": str(self.folder / "htpasswd")}}
        self.file = self.folder / "registry.yml"
        self.file.write_text(yaml.safe_dump(document))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}"

    def start(self) -> Plain:
        """Serve, as soon as this returns."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        env["OTEL_TRACES_EXPORTER"] = "none"
        self.process = processes.start([self.binary, "serve", str(self.file)], self.log, env)
        processes.wait_until(self._answers, "the plain registry", log=self.log)
        return self

    def _answers(self) -> bool:
        try:
            client(self.url, verify=False).ping()
        except Unauthorized:
            return True
        except RegistryError:
            return False
        return True

    def kill(self) -> None:
        """End it in mid-sentence."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def push(self, repository: str, tag: str, pushed: Pushable) -> None:
        push(client(self.url), repository, tag, pushed)


def client(url: str, username: str = "", password: str = "", verify: bool | str = True) -> Registry:
    """The registry at `url`, on loopback, through a session of its own; `verify` may be the file of a CA."""
    session = http.session(allow=["127.0.0.1", "localhost"], verify=verify)
    return Registry(url, session, Credentials(url, session, username, password))


def push(registry: Registry, repository: str, tag: str, pushed: Pushable) -> None:
    """Everything of `pushed`, its manifest last."""
    for blob in pushed.blobs:
        registry.put_blob(repository, blob.digest(), blob.content)
    for child in pushed.children:
        push(registry, repository, child.digest(), child)
    registry.put_manifest(Reference(repository, tag), parse(pushed.content, pushed.media_type))
