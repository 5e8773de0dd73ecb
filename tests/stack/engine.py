"""A docker engine of the test's own, and people who use it. Needs root, as any engine does."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests import processes

DOCKER_ETC = Path("/etc/docker")


class Refused(AssertionError):
    """docker said no; `str()` is what it said."""


class Engine:
    """A dockerd without networks, with its data, socket and certificates in a folder of its own.

    `certificates` is what the engine finds as /etc/docker/certs.d: a mount that only it sees.
    """

    def __init__(self) -> None:
        if os.geteuid() != 0:
            raise RuntimeError("A docker engine needs root: run the stories with sudo.")
        self.folder = Path(tempfile.mkdtemp(prefix="haven-engine-"))
        self.log = self.folder / "log"
        self.etc = self.folder / "etc"
        self.certificates = self.etc / "certs.d"
        self.certificates.mkdir(parents=True)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"unix://{self.folder}/s"

    def start(self) -> Engine:
        DOCKER_ETC.mkdir(exist_ok=True)
        options = {
            "bridge": "none",
            "iptables": "false",
            "ip6tables": "false",
            "storage-driver": "vfs",
            "data-root": f"{self.folder}/data",
            "exec-root": f"{self.folder}/exec",
            "pidfile": f"{self.folder}/pid",
            "host": self.host,
            "max-concurrent-uploads": "3",
        }
        daemon = shlex.join(["dockerd", *(f"--{name}={value}" for name, value in options.items())])
        script = f"mount --bind {shlex.quote(str(self.etc))} {DOCKER_ETC} && exec {daemon}"
        self.process = processes.start(["unshare", "--mount", "sh", "-c", script], self.log)
        processes.wait_until(self.answers, "dockerd", 60, self.log)
        return self

    def answers(self) -> bool:
        return subprocess.run(["docker", "version"], env=self.env, capture_output=True, check=False).returncode == 0

    def remove(self) -> None:
        if self.process:
            processes.stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def trust(self, host: str, certificate: Path) -> None:
        """Have the engine trust `certificate` for the registry at `host`."""
        folder = self.certificates / host
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(certificate, folder / "ca.crt")

    @property
    def env(self) -> dict[str, str]:
        return {key: value for key, value in os.environ.items() if not key.startswith("DOCKER_")} | {
            "DOCKER_HOST": self.host
        }


class Docker:
    """A person at the engine's command line, with credentials of their own."""

    def __init__(self, engine: Engine, registry: str) -> None:
        self.engine = engine
        self.registry = registry
        self.config = Path(tempfile.mkdtemp(prefix="config-", dir=engine.folder))

    def __call__(self, *arguments: str, feed: bytes = b"") -> str:
        """What docker prints; Refused with it when docker fails."""
        done = subprocess.run(
            ["docker", "--config", str(self.config), *arguments],
            env=self.engine.env,
            input=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=180,
            check=False,
        )
        output = done.stdout.decode(errors="replace")
        if done.returncode:
            raise Refused(output)
        return output

    def login(self, username: str, password: str) -> str:
        return self("login", "--username", username, "--password-stdin", self.registry, feed=password.encode())

    def name(self, repository: str) -> str:
        return f"{self.registry}/{repository}"

    def make(self, repository: str, files: dict[str, bytes]) -> str:
        """An image of one layer with `files`, tagged for the registry. Its full name."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        self("import", "-", self.name(repository), feed=archive.getvalue())
        return self.name(repository)

    def push(self, repository: str) -> str:
        return self("push", self.name(repository))

    def pull(self, repository: str) -> str:
        """Pull as if for the first time."""
        self.forget(repository)
        return self("pull", self.name(repository))

    def forget(self, repository: str) -> None:
        """Remove the image locally, with every other name it has; fine if it is not there."""
        name = self.name(repository)
        found = self("image", "ls", "--no-trunc", "--quiet", name).split()
        if found:
            self("image", "rm", "--force", *found)

    def read(self, repository: str, path: str) -> bytes:
        """The content of a file in a local image, as the engine unpacked it."""
        container = self("create", self.name(repository), "/none").strip()
        try:
            done = subprocess.run(
                ["docker", "--config", str(self.config), "cp", f"{container}:{path}", "-"],
                env=self.engine.env,
                capture_output=True,
                check=True,
            )
        finally:
            self("rm", container)
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
            member = tar.extractfile(tar.getmembers()[0])
            return member.read() if member else b""
