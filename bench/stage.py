"""Database, Redis, keys and web processes for a measurement, in a temporary folder that goes with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.load import Server
from tests import processes
from tests.databases import shared_database
from tests.redis import Redis

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 4
THREADS = 2
"""As bin/up runs web on two processors."""


class Stage:
    """The folder and the environment that every process of a measurement shares."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "HAVEN_DATA": str(folder),
            "HAVEN_EXTERNAL_URL": "http://haven.test",
            "DATABASE_URL": database_url,
            "REDIS_URL": f"unix://{folder}/redis.sock",
            "SECRET_KEY": "a secret of the benchmarks, long enough for every check: 0123456789abcdef",
            "DJANGO_SETTINGS_MODULE": "harbor.settings",
            "HAVEN_WEB_WORKERS": str(WORKERS),
            "HAVEN_WEB_THREADS": str(THREADS),
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def serve(self, application: str, **environment: str) -> Server:
        """Run a WSGI application as web is run."""
        socket_path = self.folder / f"web{len(self.running)}.sock"
        command = [sys.executable, "-m", "gunicorn", "--config", "deploy/web.py", application]
        env = {**self.environment, "HAVEN_WEB_BIND": f"unix:{socket_path}", "PYTHONPATH": str(ROOT), **environment}
        log = self.folder / f"web{len(self.running)}.log"
        self.running.append(processes.start(command, log, env))
        processes.wait_until(socket_path.exists, application, log=log)
        return Server(str(socket_path), self.running[-1].pid)

    def stop(self) -> None:
        for process in self.running:
            processes.stop(process)


@contextmanager
def stage(database: str) -> Iterator[Stage]:
    """Database (`sqlite` or `postgresql`) and Redis, running, and this process's own Django set up on them.

    `database` may also be the address of one that is there already, and stays.
    """
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="haven-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        is_there = "://" in database
        found = Stage(folder, database if is_there else stack.enter_context(shared_database(database, folder)))
        redis = Redis(folder / "redis.sock")
        stack.callback(redis.remove)
        redis.start()
        os.environ.update(found.environment)
        stack.callback(found.stop)
        _prepare()
        yield found


def _prepare() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("init_token_keys", stdout=open(os.devnull, "w"))  # noqa: SIM115  as long as the process
