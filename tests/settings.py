"""Settings of the unit tests: Haven's own, in a temporary folder that goes with the process.

`DATABASE_URL` chooses PostgreSQL (`python -m tests.postgres pytest ...`); otherwise SQLite. The Redis that
`REDIS_URL` names is started by `tests/conftest.py`; every xdist worker has its own.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

SCRATCH = Path(tempfile.mkdtemp(prefix="haven-test-"))
"""Short on purpose: a unix socket's path has at most 107 bytes."""
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)

REDIS_SOCKET = SCRATCH / "redis.sock"
GIVEN = dict(os.environ)
"""The environment of the caller, before it is narrowed to what unit tests may depend on."""

for _key in [key for key in os.environ if key.startswith(("HAVEN_", "HARBOR_", "REGISTRY_", "REDIS_"))]:
    del os.environ[_key]
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "tests.settings",
    "SECRET_KEY": "a secret of the tests, long enough for every check there may be: 0123456789abcdef",
    "HAVEN_DATA": str(SCRATCH),
    "HAVEN_EXTERNAL_URL": "http://haven.test:8080",
    "REDIS_URL": f"unix://{REDIS_SOCKET}",
}

from harbor.settings import *  # noqa: E402, F403

CONFIGURATION_REMEMBERED = 60.0  # no test asks for more because it takes longer
COLLECT_SETTLING = 0.0
PASSWORD_HASHERS = ["tests.hashers.QuickArgon2"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},  # needs no collectstatic
}
STATIC_ROOT = SCRATCH / "static"  # empty: every client of a test would read all the files' sizes and dates again
STATIC_ROOT.mkdir()
if "sqlite" in DATABASES["default"]["ENGINE"]:  # noqa: F405
    # A file, as in earnest: in memory, two threads could not wait for each other.
    DATABASES["default"]["TEST"] = {"NAME": str(SCRATCH / "test.sqlite3")}  # noqa: F405
