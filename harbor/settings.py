"""Haven's settings. Everything an operator may change comes from the environment; `.env.example` explains each key."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from environs import Env, EnvError

from harbor import environment
from harbor.logs import LOGGING as LOGGING
from harbor.subscribers import SUBSCRIBERS as SUBSCRIBERS

BASE_DIR = environment.ROOT
env = Env()
try:
    DATA = environment.data_folder(env.str("HAVEN_DATA", ""))
    """The folder of everything that lasts: keys, database, registry storage."""
    BIND = env.str("HAVEN_BIND", "127.0.0.1")
    PORT = env.int("HAVEN_PORT", 8080)
    EXTERNAL_URL = environment.external_url(env.str("HAVEN_EXTERNAL_URL", "") or f"http://localhost:{PORT}")
    """The one address people and clients use; realms, links and redirects are made from it, never from `Host`."""
    SECRET_KEY = environment.secret_key(env.str("SECRET_KEY", ""))
    ENCRYPTION_KEYS: list[str] = env.list("ENCRYPTION_KEY", [])
    """Fernet keys for secrets at rest, the newest first."""
    STATEMENT_TIMEOUT = env.int("DATABASE_STATEMENT_TIMEOUT", 10)
    """Seconds, for web alone: a migration, a purge or a count of the log takes as long as it takes."""
    DATABASES = {
        "default": environment.database(
            env.str("DATABASE_URL", ""), DATA, STATEMENT_TIMEOUT if env.bool("HAVEN_WEB", False) else 0
        )
    }
    REDIS_URL = environment.redis(env.str("REDIS_URL", "") or "redis://127.0.0.1:6379/0")
    REGISTRY_URL = env.str("REGISTRY_URL", "http://127.0.0.1:5000")
    """Where web and worker reach the registry itself: `http://registry:5000` or `http+unix://%2Frun%2F...`."""
    REGISTRY_STORAGE: dict[str, Any] = {
        "driver": env.str("REGISTRY_STORAGE", "") or "filesystem",
        "root": env.str("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", "") or str(DATA / "registry"),
    }
    REGISTRY_STORAGE["options"] = environment.storage_options(REGISTRY_STORAGE["driver"])
    REGISTRY_HTTP_SECRET = env.str("REGISTRY_HTTP_SECRET", "")
    """What the registry signs the addresses of uploads with, where it is known here: gateway/uploads.py needs it."""
    TOKEN_KEYS = env.path("HAVEN_TOKEN_KEYS", DATA / "keys")
    """The folder of the realm's signing keys, with the bundle and the JWKS that the registry reads."""
    ALLOWED_NETWORKS: list[str] = env.list("HAVEN_ALLOWED_NETWORKS", [])
    """Private hosts and networks (CIDR) that outgoing requests may reach all the same."""
    CA_FILE = env.str("HAVEN_CA_FILE", "")
    """Authorities (PEM) by which the servers that people sign in with are checked; the system's when empty."""
    REPLICATION_SPOOL = env.path("HAVEN_REPLICATION_SPOOL", DATA / "spool")
    """Where replication keeps what it has read of large blobs until the target has it."""
    REPLICATION_SPOOL_LIMIT = env.int("HAVEN_REPLICATION_SPOOL_LIMIT", 4096) * 2**20
    """Bytes that may lie there; 0 for none."""
    WEB_THREADS = env.int("HAVEN_WEB_THREADS", 2)
    """Of each process of web (`deploy/web.py`)."""
    ADMIN_PASSWORD = env.str("HARBOR_ADMIN_PASSWORD", "")
    LOG_LEVEL = environment.log_level(env.str("HAVEN_LOG_LEVEL", ""))
except (EnvError, environment.Unusable) as problem:
    raise ImproperlyConfigured(str(problem)) from None
LOGGING["root"]["level"] = LOG_LEVEL

_external = urlsplit(EXTERNAL_URL)
SECURE = _external.scheme == "https"
"""People reach us by https, whoever ends the TLS."""

DEBUG = False
ALLOWED_HOSTS = ["*"]  # The edge answers 421 for any host but its own, and passes on the configured one alone.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # The edge always sets it, from the external URL.
USE_X_FORWARDED_HOST = False

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "template_partials",
    "rest_framework",
    "drf_spectacular_sidecar",
    "harbor",
    "registry",
    "configuration",
    "audit",
    "jobs",
    "accounts",
    "projects",
    "robots",
    "artifacts",
    "tokens",
    "replication",
    "gateway",
    "api",
    "portal",
]
MIDDLEWARE = [
    "harbor.middleware.Request",
    # Machines (/v2, /service/token) go no further.
    "api.middleware.Paths",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "harbor.middleware.Session",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.Pages",
]
ROOT_URLCONF = "harbor.urls"
WSGI_APPLICATION = "harbor.wsgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context.frame",
            ]
        },
    }
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20  # a manifest has at most 4 MiB

# People, sessions, forms
AUTH_USER_MODEL = "accounts.User"
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004"]  # the constraint is on lower(username)
AUTHENTICATION_BACKENDS = [
    "accounts.backends.UserBackend",
    "robots.backends.RobotBackend",
    # Others' servers come last: what needs none of them works while they are away.
    "accounts.ldap.backend.LdapBackend",
    "accounts.oidc.backend.CliSecretBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "/account/sign-in"
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "sid"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE
CSRF_COOKIE_NAME = "csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SECURE = SECURE
CSRF_HEADER_NAME = "HTTP_X_HARBOR_CSRF_TOKEN"
CSRF_TRUSTED_ORIGINS = [EXTERNAL_URL]
if BIND in {"127.0.0.1", "::1", "localhost"}:
    # The edge answers to these too, and tells us the external host all the same.
    CSRF_TRUSTED_ORIGINS += [f"{_external.scheme}://{name}:{PORT}" for name in environment.LOOPBACK]
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# Words and times
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LANGUAGE_COOKIE_NAME = "lang"
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = SECURE
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["portal.formats"]

# Static files: hashed names, served by whitenoise, cached by browsers for good
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.path("HAVEN_STATIC_ROOT", BASE_DIR / "staticfiles")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Redis: a request waits for it no longer than this many seconds, so that one that hangs does not hang pulls.
REDIS_TIMEOUT = 0.2
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "haven",
        "OPTIONS": {
            "socket_timeout": REDIS_TIMEOUT,
            "socket_connect_timeout": REDIS_TIMEOUT,
            "serializer": "harbor.serial.JsonSerializer",
        },
    }
}

# The queue
CELERY_BROKER_URL = environment.broker(REDIS_URL)
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_EAGER_RESULT = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": "haven-queue:",
    "socket_timeout": REDIS_TIMEOUT,
    "socket_connect_timeout": REDIS_TIMEOUT,
    "visibility_timeout": 3600,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA / "beat" / "schedule")
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    # Messages that a busy worker did not take in a while are followed by others; clocks may differ by less than that.
    "nudge": {"task": "jobs.tasks.nudge", "schedule": timedelta(minutes=1), "options": {"expires": 300}},
    "tick": {"task": "jobs.tasks.tick", "schedule": timedelta(seconds=30), "options": {"expires": 300}},
    "publish": {"task": "audit.tasks.publish", "schedule": timedelta(minutes=1), "options": {"expires": 300}},
    "tally": {"task": "audit.tasks.tally", "schedule": timedelta(seconds=30), "options": {"expires": 60}},
    "forward": {"task": "audit.tasks.forward", "schedule": timedelta(seconds=5), "options": {"expires": 60}},
    "flush_pulls": {
        "task": "artifacts.tasks.flush_pulls",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 120},
    },
}
JOB_KINDS: dict[str, str] = {
    "EXECUTION_SWEEP": "jobs.sweep.sweep",
    "HOUSEKEEPING": "harbor.housekeeping.clean_up",
    "PURGE_AUDIT_LOG": "audit.purge.purge",
    "REPLICATION": "replication.copying.run",
    "REPLICATION_PLAN": "replication.planning.plan",
    "REPLICATION_DRY_RUN": "replication.checking.dry_run",
    "REPLICATION_VERIFY": "replication.checking.verify",
    "REPLICATION_HEALTH": "replication.checking.check_health",
}
"""What `jobs` runs: a kind's name, and the function `(spec, job)` that does it."""
CONFIGURATION_REMEMBERED = 3.0
"""Seconds for which a process on another machine may still act on the old value of a configuration key."""
CONFIGURATION_CHANGED = DATA / "configuration.changed"
"""The file whose time tells the processes on this machine to read the configuration again."""
LOGIN_STORM = DATA / "logins.lock"
"""The file whose lock the one process holds that hashes a stranger's password while too many come."""
COLLECT_SETTLING = CONFIGURATION_REMEMBERED + 2
"""Seconds until every process knows that the mode has changed, and pushes that had begun are over or refused."""
AUDIT_PATIENCE = 5.0
"""Seconds that a page waits for another that counts the same entries of the audit log, before it says so instead."""
FORM_PATIENCE = 5.0
"""Seconds that the second sending of a form waits for the first to be done, before it says so instead."""
JOB_LEASE = 60.0
"""Seconds after which a job whose worker says nothing belongs to another."""
JOB_QUEUES: dict[str, str] = {"REPLICATION": "replication"}
"""The queue of a kind that shall not wait behind others, or they behind it; each queue has a worker (`Procfile`)."""
OWN_SCHEDULES: dict[str, str] = {
    "EXECUTION_SWEEP": "0 0 * * * *",
    "HOUSEKEEPING": "0 30 * * * *",
    "REPLICATION_HEALTH": "0 */5 * * * *",
}
"""What Haven starts by itself: a kind, and when."""

# The realm (design: Docker's token protocol)
TOKEN_SERVICE = "harbor-registry"
TOKEN_ISSUER = "harbor-token-issuer"
TOKEN_REALM = f"{EXTERNAL_URL}/service/token"

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "UNAUTHENTICATED_USER": None,
}
