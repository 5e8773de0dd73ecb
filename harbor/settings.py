"""Haven's settings. Everything an operator may change comes from the environment; `.env.example` explains each key."""

from pathlib import Path

from environs import Env

from harbor.subscribers import SUBSCRIBERS  # noqa: F401  read by audit/publishing.py

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent

DATA = Path(env.str("HAVEN_DATA", str(BASE_DIR / "var"))).resolve()
PORT = env.int("HAVEN_PORT", 8080)
EXTERNAL_URL = env.str("HAVEN_EXTERNAL_URL", f"http://localhost:{PORT}").rstrip("/")
"""The one address people and clients use; realms, links and redirects are made from it, never from `Host`."""

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = ["*"]  # The edge answers 421 for any host but its own before a request gets here.

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "configuration",
    "audit",
    "jobs",
    "accounts",
    "projects",
    "robots",
    "artifacts",
    "tokens",
    "gateway",
    "api",
    "portal",
]
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "harbor.urls"
WSGI_APPLICATION = "harbor.wsgi.application"
SILENCED_SYSTEM_CHECKS = ["auth.E003"]  # the constraint is on lower(username)
USE_TZ = True
TIME_ZONE = "UTC"
APPEND_SLASH = False

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA}/haven.sqlite3")} if False else {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA / "haven.sqlite3")}
}
STATIC_URL = "/static/"
