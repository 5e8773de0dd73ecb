"""A PostgreSQL of the test's own: a fresh cluster in the temporary folder, on a unix socket alone.

`python -m tests.postgres pytest tests` runs the command with DATABASE_URL set, then ends the cluster.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from tests import processes


class Postgres:
    """A cluster that forgets: no fsync, no password, gone when stopped and removed."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="haven-pg-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:  # initdb and postgres refuse to run as root
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        self._as_owner("initdb", "-D", str(self.data), "-U", "haven", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")

    @property
    def url(self) -> str:
        """The address of the database `haven`."""
        return self._url("haven")

    def start(self) -> None:
        """Start, and make the database `haven` if it is not there."""
        self.process = processes.start(self._command(*self._server()), self.log)
        processes.wait_until(self.answers, "postgres", log=self.log)
        if not self.sql("SELECT 1 FROM pg_database WHERE datname = 'haven'", database="postgres"):
            self.create("haven")

    def create(self, database: str) -> str:
        """A new, empty database. Its address."""
        self.sql(f"CREATE DATABASE {database}", database="postgres")
        return self._url(database)

    def stop(self, with_signal: int = signal.SIGINT) -> None:
        """End it; SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one."""
        if self.process and self.process.poll() is None:
            os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), with_signal)
            self.process.wait(20)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self) -> bool:
        return subprocess.run([_binary("pg_isready"), "-q", "-h", str(self.folder)], check=False).returncode == 0

    def sql(self, statement: str, database: str = "haven") -> str:
        """What psql prints, bare, for one statement."""
        command = [_binary("psql"), "-h", str(self.folder), "-U", "haven", "-d", database, "-AtXqc", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def _url(self, database: str) -> str:
        return f"postgres://haven@{quote(str(self.folder), safe='')}/{database}"

    def _server(self) -> list[str]:
        options = {"listen_addresses": "", "unix_socket_directories": str(self.folder), "fsync": "off"}
        options |= {"synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
        arguments = [argument for key, value in options.items() for argument in ("-c", f"{key}={value}")]
        return ["postgres", "-D", str(self.data), *arguments]

    def _as_owner(self, *command: str) -> None:
        subprocess.run(self._command(*command), check=True, capture_output=True, cwd="/")

    def _command(self, program: str, *arguments: str) -> list[str]:
        runner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        return [*runner, _binary(program), *arguments]


def _binary(program: str) -> str:
    """Debian keeps the server's programs out of the path."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda path: path.parts[4])
    return str(versions[-1]) if versions else program


def main() -> int:
    postgres = Postgres()
    try:
        postgres.start()
        return subprocess.run(sys.argv[1:], check=False, env=os.environ | {"DATABASE_URL": postgres.url}).returncode
    finally:
        postgres.remove()


if __name__ == "__main__":
    sys.exit(main())
