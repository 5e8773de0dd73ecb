"""The environment read: values out of variables, or `Unusable` with the sentence that an operator needs.

Knows no Django, so that `deploy/` asks it before anything runs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent
KNOWN_SECRETS = frozenset({"changeme", "change-me", "secret", "password", "insecure", "harbor12345", "not-secure"})
"""What people paste from examples; compared in lower case."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class Unusable(ValueError):
    """A variable whose value cannot be used; the message is one sentence that says why and what to do."""


def read_file(path: Path) -> dict[str, str]:
    """The `KEY=value` lines of `path`; none where there is no such file. Quotes around a value are dropped."""
    if not path.exists():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#") and "=" in line)
    return {key.strip(): _unquoted(value.strip()) for key, _, value in pairs}


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def load_files() -> None:
    """Give `manage.py` what `bin/up` gives its processes: `.env`, then the secrets and addresses of the stack below
    HAVEN_DATA. A variable that is set already wins."""
    for key, value in read_file(ROOT / ".env").items():
        os.environ.setdefault(key, value)
    data = data_folder(os.environ.get("HAVEN_DATA", ""))
    for name in ("secrets.env", "stack.env"):
        for key, value in read_file(data / name).items():
            os.environ.setdefault(key, value)


def data_folder(value: str) -> Path:
    """Where everything that lasts is kept; relative paths start at the checkout."""
    return (ROOT / (value or "var")).resolve()


def secret_key(value: str) -> str:
    """A key nobody else knows: set, long, and not one of the examples'."""
    if not value:
        raise Unusable("SECRET_KEY is not set: bin/up makes one, elsewhere give at least 32 random characters.")
    if len(value) < 32 or value.lower().startswith("django-insecure") or is_known(value):
        raise Unusable("SECRET_KEY is too short or a known default: give at least 32 random characters.")
    return value


def is_known(value: str) -> bool:
    """Whether `value` is a well-known default, however it is padded or repeated."""
    bare = value.strip().lower()
    return any(bare == known or bare == known * (len(bare) // len(known)) for known in KNOWN_SECRETS if bare)


def external_url(value: str) -> str:
    """`http(s)://host[:port]`, lower case, with no path and no default port."""
    url = urlsplit(value.strip())
    try:
        port = url.port
    except ValueError:
        port = -1
    host = (url.hostname or "").lower()
    named = re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*", host)
    if url.scheme not in {"http", "https"} or not named or port == -1 or "@" in url.netloc or url.query or url.fragment:
        raise Unusable(f"HAVEN_EXTERNAL_URL must be like https://registry.example.com, not {value!r}.")
    if url.path.strip("/"):
        raise Unusable(f"HAVEN_EXTERNAL_URL cannot have a path: docker clients know only hosts ({value!r}).")
    shown = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}[url.scheme]
    return f"{url.scheme}://{shown}" + (f":{port}" if port and port != usual else "")


def log_level(value: str) -> str:
    """INFO where nothing is asked for."""
    level = value.upper() or "INFO"
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise Unusable(f"HAVEN_LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {value!r}.")
    return level


SQLITE_OPTIONS = {
    # Readers beside one writer; a writer takes its lock when it begins, and waits for its turn instead of failing.
    "transaction_mode": "IMMEDIATE",
    "timeout": 5,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000;",
}


def database(url: str, data: Path, statement_timeout: int = 0) -> dict[str, Any]:
    """Django's entry for `url`: SQLite below `data` where it is empty, or PostgreSQL.

    `statement_timeout`: seconds after which PostgreSQL ends a query, 0 for never.
    """
    parts = urlsplit(url or f"sqlite:///{data / 'haven.sqlite3'}")
    if parts.scheme == "sqlite":
        path = unquote(parts.path)[1:] if parts.path.startswith("//") else unquote(parts.path)
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": path,
            "OPTIONS": dict(SQLITE_OPTIONS),
            "CONN_MAX_AGE": None,
        }
    if parts.scheme not in {"postgres", "postgresql"}:
        raise Unusable("DATABASE_URL must begin with postgres:// or sqlite:///.")
    try:
        port = parts.port
    except ValueError:
        raise Unusable("DATABASE_URL has a port that is no number.") from None
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise Unusable("DATABASE_URL names no database: postgres://user:password@host:5432/name.")
    options = {"connect_timeout": 3, "tcp_user_timeout": 10_000, **dict(parse_qsl(parts.query))}
    host = options.pop("host", unquote(parts.hostname or ""))
    if statement_timeout:
        options["options"] = f"-c statement_timeout={statement_timeout}s"
    return {
        "ENGINE": "harbor.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": _socket_folder(parts.netloc) or host,
        "PORT": port or "",
        "OPTIONS": options,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
    }


def _socket_folder(netloc: str) -> str:
    """A unix socket's folder, percent-encoded in the place of the host; `urlsplit` would lower its case."""
    host = unquote(netloc.rpartition("@")[2])
    return host if host.startswith("/") else ""


def storage_options(driver: str) -> dict[str, str]:
    """The options of the registry's storage driver, by their lower-case names: `bucket`, `regionendpoint`."""
    prefix = f"REGISTRY_STORAGE_{driver.upper()}_"
    return {key.removeprefix(prefix).lower(): value for key, value in os.environ.items() if key.startswith(prefix)}


def redis(url: str) -> str:
    """`url` in redis-py's form, checked: `redis://`, `rediss://` or `unix://`."""
    parts = urlsplit(url)
    if parts.scheme not in {"redis", "rediss", "unix"}:
        raise Unusable("REDIS_URL must begin with redis://, rediss:// or unix://.")
    if parts.scheme == "unix" and len(parts.path.encode()) > 107:
        raise Unusable("REDIS_URL names a socket whose path is longer than the 107 bytes that a unix socket may have.")
    try:
        _ = parts.port
    except ValueError:
        raise Unusable("REDIS_URL has a port that is no number.") from None
    return url


def broker(redis_url: str) -> str:
    """The same Redis as Celery writes it: a socket is `redis+socket://path?virtual_host=N`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    query = dict(parse_qsl(parts.query))
    wanted = {"virtual_host": query.get("db", "0")}
    if password := query.get("password") or parts.password:
        wanted["password"] = unquote(password)
    return f"redis+socket://{quote(parts.path)}?{urlencode(wanted)}"
