"""What has to be true before the stack serves: the database at its newest form, token keys, an administrator, static
files. Run by `bin/up` and by compose before anything else; running it again changes nothing.

Speaks in sentences: a problem is one line on stderr and exit status 1.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from redis import Redis
from redis.exceptions import RedisError

from harbor.environment import Unusable, load_files

if TYPE_CHECKING:
    from collections.abc import Iterator


def prepare() -> None:
    """All of it. Prints what `create_admin` has to say, which is a password on the very first start alone."""
    check_redis()
    check_database()
    call_command("init_token_keys", stdout=StringIO())
    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as problem:
        raise Unusable(f"DATABASE_URL: the database refuses what Haven needs: {_first_line(problem)}.") from None
    call_command("create_admin")
    collect_static()


def check_redis() -> None:
    try:
        Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5).ping()
    except (RedisError, ValueError) as problem:
        raise Unusable(f"REDIS_URL cannot be used: {_first_line(problem)}.") from None


def check_database() -> None:
    try:
        connection.ensure_connection()
    except (DatabaseError, ValueError) as problem:
        raise Unusable(f"DATABASE_URL cannot be used: {_first_line(problem)}.") from None


def collect_static() -> None:
    """Bring STATIC_ROOT up to date. Several stacks of one checkout may do so at once."""
    root = Path(settings.STATIC_ROOT)
    stamp, now = root / ".sources", _sources()
    if stamp.exists() and stamp.read_text() == now:
        return
    root.mkdir(parents=True, exist_ok=True)
    with _locked(root / ".lock"):
        if not stamp.exists() or stamp.read_text() != now:
            ignored = ["drf_spectacular_sidecar/redoc/*", "rest_framework/*"]
            call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=ignored)
            stamp.write_text(now)


def _sources() -> str:
    """A digest of every static file's place, size and time."""
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            about = os.stat(storage.path(path))
            digest.update(f"{path} {about.st_size} {about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _first_line(problem: Exception) -> str:
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0].rstrip(".")


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "harbor.settings")
    load_files()
    try:
        django.setup()
        if sys.argv[1:] == ["static"]:
            collect_static()  # all that an image can be given when it is built
        else:
            prepare()
    except (Unusable, ImproperlyConfigured, CommandError) as problem:
        print(f"haven: {problem}", file=sys.stderr)
        return 1
    except OSError as problem:
        print(f"haven: {problem.strerror}: {problem.filename}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
