"""An object store that speaks S3: moto's server, a process of its own, with nothing in it but a bucket."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from registry import http
from registry.errors import Unavailable
from tests import processes
from tests.stack.stack import free_port

BUCKET = "haven"


class Moto:
    """A store at `url`, in memory."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-moto-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Moto:
        """Serve an empty bucket, as soon as this returns."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self.process = processes.start(command, self.folder / "log")
        processes.wait_until(self._has_bucket, "moto", 60, self.folder / "log")
        return self

    def _has_bucket(self) -> bool:
        try:
            return http.session(allow=["127.0.0.1"]).ask("PUT", f"{self.url}/{BUCKET}").status_code == 200
        except Unavailable:
            return False

    def remove(self) -> None:
        if self.process:
            processes.stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def storage(self, folder: str, redirect: bool = False) -> dict[str, Any]:
        """What a `distribution` needs to keep everything below `folder` of the bucket; with `redirect` it sends its
        clients to the store for a blob."""
        driver = {
            "bucket": BUCKET,
            "region": "us-east-1",
            "regionendpoint": self.url,
            "accesskey": "key",
            "secretkey": "secret of the tests",
            "secure": False,
            "forcepathstyle": True,
            "rootdirectory": f"/{folder}",
        }
        return {"s3": driver, "redirect": {"disable": not redirect}}
