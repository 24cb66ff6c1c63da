"""Settings of Forecourt: one file; what differs between deployments is an environment variable.

`.env.example` lists every variable with its default and meaning, `docs/configuration.md` explains them.
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.database_url import (
    POSTGRESQL,
    Limits,
    check_parts,
    check_schema_name,
    django_database,
    given_parts,
    parse_database_url,
    replica_database,
    url_from_parts,
)
from config.ops.health.thresholds import read_thresholds
from config.staff import theme

BASE_DIR = Path(__file__).resolve().parent.parent

# What stands in the process's environment wins over the file.
environ.Env.read_env(env.readable_file("ENV_FILE") or str(BASE_DIR / ".env"))

ENVIRONMENT = env.choice("ENVIRONMENT", ("development", "staging", "production"), "development")
DEVELOPMENT = ENVIRONMENT == "development"
DEBUG = env.boolean("DEBUG", DEVELOPMENT)


def _required_secret(name: str, purpose: str) -> str:
    """Return the secret; development alone has a default, which no other environment accepts."""
    value = env.secret(name, f"development-only-{name.lower()}-never-use-this-anywhere-else" if DEVELOPMENT else "")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is missing, and ENVIRONMENT is {ENVIRONMENT}: set it ({purpose}) to 50 or more random characters, "
            "for example what `openssl rand -base64 48` prints."
        )
    return value


# Security

SECRET_KEY = _required_secret("SECRET_KEY", "it signs sessions")
FIELD_ENCRYPTION_KEYS = [
    key.strip() for key in _required_secret("FIELD_ENCRYPTION_KEYS", "it encrypts stored tokens").split(",")
]
ALLOWED_HOSTS = env.items("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]") if DEVELOPMENT else ())
CSRF_TRUSTED_ORIGINS = env.items("CSRF_TRUSTED_ORIGINS")
TRUSTED_PROXY_COUNT = env.integer("TRUSTED_PROXY_COUNT", 0, maximum=10)
ADMIN_ALLOWED_NETWORKS = env.networks("ADMIN_ALLOWED_NETWORKS")

SECURE_SSL_REDIRECT = env.boolean("SECURE_SSL_REDIRECT", not DEVELOPMENT)
# What probes inside the deployment ask over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 0 if DEVELOPMENT else 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
if TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEVELOPMENT
DEFAULT_EXCEPTION_REPORTER_FILTER = "config.redaction.ReportFilter"

# What a page may load: our own server's files and nothing else.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "img-src": [SELF],
        "object-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
    }
}
# The admin's theme evaluates the expressions in its pages' attributes and sets colours inline.
ADMIN_CONTENT_SECURITY_POLICY = {
    "img-src": ["data:"],
    "script-src": [UNSAFE_EVAL],
    "style-src": [UNSAFE_INLINE],
}

# Applications

# The HTTP API's page has its template, scripts and styles there. As an app it would be loaded by every command.
API_PAGE = Path(str(find_spec("ninja").origin)).parent  # type: ignore[union-attr]
# Those with the business's models, each of which may import only those before it.
DOMAIN_APPS = ["accounts", "inventory", "leads", "analytics"]
INSTALLED_APPS = [
    # Before unfold and Django, so that our templates and commands win.
    "config.apps.ForecourtConfig",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "unfold.contrib.inlines",
    "config.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    # The development server serves static files as the production server does.
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    *DOMAIN_APPS,
    # It prints settings, and the database's password with them.
    *(["django_extensions"] if DEVELOPMENT else []),
]
MIDDLEWARE = [
    "config.metrics.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.headers.HeadersMiddleware",
    "config.client.AdminNetworkMiddleware",
    "config.db.replicas.reads.ReadYourWritesMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.session_limits.SessionLimitsMiddleware",
    "config.client.RequestContextMiddleware",
    "config.api_requests.ApiMiddleware",
    "config.ops.row_security.RowSecurityMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.outage.OutageMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [API_PAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
UNFOLD = theme.UNFOLD
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Database

_POOL_PRESETS = {"development": (5, 10), "staging": (20, 20), "production": (50, 30)}  # connections, seconds

_database_url = env.secret("DATABASE_URL")
# The single parts count only without a URL.
check_parts()
PG_VARIABLES_IGNORED = given_parts() if _database_url else []
_database_url = _database_url or url_from_parts()
if not _database_url:
    if not DEVELOPMENT:
        raise ImproperlyConfigured(
            f"DATABASE_URL is missing, and ENVIRONMENT is {ENVIRONMENT}: "
            "write postgresql://user:password@host:5432/name."
        )
    (BASE_DIR / "var").mkdir(exist_ok=True)
    _database_url = "sqlite:///var/forecourt.sqlite3"
_database = parse_database_url("DATABASE_URL", _database_url, BASE_DIR)

DEFAULT_SCHEMA = _database.schema or env.text("DEFAULT_SCHEMA", "public")
check_schema_name("DEFAULT_SCHEMA", DEFAULT_SCHEMA)
SCHEMA_PER_APP = env.boolean("SCHEMA_PER_APP", False)
# Where PostgreSQL looks for a table; new ones come into the first.
SEARCH_PATH = (DEFAULT_SCHEMA, *(DOMAIN_APPS if SCHEMA_PER_APP else ()))
ENABLE_ROW_SECURITY = env.boolean("ENABLE_ROW_SECURITY", False)
PGBOUNCER = env.boolean("PGBOUNCER", _database.pgbouncer or False)
# None: nobody asked for a pool or against one.
DATABASE_POOL_REQUESTED = _database.pool_size or env.optional_integer("DATABASE_POOL_SIZE", maximum=1000)
DATABASE_URL_UNKNOWN_OPTIONS = _database.unknown_options
DATABASE_RETRIES = env.integer("DATABASE_RETRIES", 3, maximum=10)
MIGRATION_LOCK_TIMEOUT = env.integer("MIGRATION_LOCK_TIMEOUT", 10_000)  # ms

_pool_size, _pool_timeout = _POOL_PRESETS[ENVIRONMENT]
if DATABASE_POOL_REQUESTED is not None:
    _pool_size = DATABASE_POOL_REQUESTED
_web_limits = Limits(
    pool_size=0 if PGBOUNCER else _pool_size,
    pool_timeout=_database.pool_timeout or _pool_timeout,
    connect_timeout=env.integer("DATABASE_TIMEOUT", 5000, minimum=1),
    statement_timeout=env.integer("STATEMENT_TIMEOUT", 30_000),
    idle_timeout=env.integer("IDLE_TIMEOUT", 10_000),
    search_path=SEARCH_PATH,
    pgbouncer=PGBOUNCER,
    sslmode="require" if ENVIRONMENT == "production" else None,
)
DATABASES = {"default": django_database(_database, _web_limits)}


def _replicas() -> list[dict[str, Any]]:
    """Return the copies of the database that reads may go to."""
    urls = env.secret("DATABASE_REPLICA_URLS").replace(",", " ").split()
    parsed = [parse_database_url("DATABASE_REPLICA_URLS", url, BASE_DIR) for url in urls]
    if any(url.config["ENGINE"] != POSTGRESQL for url in parsed):
        raise ImproperlyConfigured("DATABASE_REPLICA_URLS: a replica is a PostgreSQL server, not a SQLite file.")
    return [replica_database(url, _web_limits) for url in parsed]


DATABASE_REPLICAS = _replicas()
REPLICA_MAX_LAG = env.integer("REPLICA_MAX_LAG", 5, minimum=1, maximum=3600)
if DATABASE_REPLICAS:
    DATABASES["replica"] = DATABASE_REPLICAS[0] | {"ENGINE": "config.db.replicas", "TEST": {"MIRROR": "default"}}
    DATABASE_ROUTERS = ["config.db.replicas.router.ReplicaRouter"]


def _side_database(name: str) -> dict[str, Any] | None:
    """Return the database of a URL which only commands use, without pool and statement limit."""
    url = env.secret(name)
    limits = Limits(connect_timeout=_web_limits.connect_timeout, search_path=SEARCH_PATH, sslmode=_web_limits.sslmode)
    return django_database(parse_database_url(name, url, BASE_DIR), limits) if url else None


# Not in DATABASES, because no query may ever be routed to them.
DIRECT_DATABASE = _side_database("DIRECT_DATABASE_URL")
SHADOW_DATABASE = _side_database("SHADOW_DATABASE_URL")

# Whether the web server may start while migrations are pending.
START_WITH_PENDING_MIGRATIONS = env.boolean("START_WITH_PENDING_MIGRATIONS", False)

# Cache and sessions

# Whether answers to reads are kept; writes end kept answers in any case.
CACHE_READS = env.boolean("CACHE_READS", not DEVELOPMENT)
REDIS_URL = env.secret("REDIS_URL")
if REDIS_URL:
    # Loads the client's library, which takes long.
    from config.redis_pool import check_redis_url

    check_redis_url("REDIS_URL", REDIS_URL)
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": env.text("CACHE_KEY_PREFIX", "forecourt"),
            "OPTIONS": {
                # The cache is never the truth: without it every page works, only slower.
                "IGNORE_EXCEPTIONS": True,
                "SOCKET_CONNECT_TIMEOUT": 0.05,
                "SOCKET_TIMEOUT": 0.05,
                "CONNECTION_POOL_CLASS": "config.redis_pool.PausingPool",
            },
        }
    }
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "forecourt"}}
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
# How many processes answer requests; gunicorn reads the same variable.
WEB_CONCURRENCY = env.integer("WEB_CONCURRENCY", 2, minimum=1, maximum=256)
WEB_THREADS = env.integer("WEB_THREADS", 4, minimum=1, maximum=64)

# Requests to the HTTP API from one address in 15 minutes; 0 is no limit.
API_RATE_LIMIT = env.integer("API_RATE_LIMIT", 100)

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "accounts.hashers.ImportedBcryptHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "accounts.passwords.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Off: a person may own several sellers.
ACCOUNTS_ONE_SELLER_PER_USER = env.boolean("ACCOUNTS_ONE_SELLER_PER_USER", False)
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# The first administrator, made by `seed`; without a password one is made up and shown once.
ADMIN_EMAIL = env.text("ADMIN_EMAIL", "admin@example.org")
ADMIN_PASSWORD = env.secret("ADMIN_PASSWORD")

# Mail

_EMAIL_URL = env.secret("EMAIL_URL", "consolemail://" if DEVELOPMENT else "smtp://localhost:25")
try:
    vars().update(environ.Env.email_url_config(_EMAIL_URL))
except (ImproperlyConfigured, KeyError, ValueError) as error:
    raise ImproperlyConfigured(
        "EMAIL_URL cannot be read: write smtp+tls://user:password@host:587, smtp://host:25 or consolemail://."
    ) from error
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "forecourt@localhost")

# Language and time

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "config.formats"
USE_TZ = True
TIME_ZONE = env.text("TIME_ZONE", "UTC")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(
        f"TIME_ZONE={TIME_ZONE!r} is not in the zone database: write one such as Europe/Helsinki."
    )

# Files

STATIC_URL = "static/"
STATICFILES_DIRS = [API_PAGE / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
MEDIA_URL = "media/"
MEDIA_ROOT = BASE_DIR / env.text("MEDIA_ROOT", "var/media")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEVELOPMENT
BACKUP_DIR = BASE_DIR / env.text("BACKUP_DIR", "var/backups")
ARCHIVE_DIR = BASE_DIR / env.text("ARCHIVE_DIR", "var/archive")
REPORT_DIR = BASE_DIR / env.text("REPORT_DIR", "var/reports")
BACKUP_ENCRYPTION_KEY = env.secret("BACKUP_ENCRYPTION_KEY")

# Monitoring

# Where the web processes of this machine count; gunicorn reads the same variable.
METRICS_DIR = BASE_DIR / env.text("METRICS_DIR", "var/metrics")
METRICS_TOKEN = env.secret("METRICS_TOKEN")
METRICS_ALLOWED_NETWORKS = env.networks("METRICS_ALLOWED_NETWORKS")
HEALTH_THRESHOLDS = read_thresholds("HEALTH_THRESHOLDS", env.items("HEALTH_THRESHOLDS"))
SLOW_QUERY_MS = env.integer("SLOW_QUERY_MS", 500 if DEVELOPMENT else 1000)
SENTRY_DSN = env.secret("SENTRY_DSN")

# Logs

LOG_LEVEL = env.choice("LOG_LEVEL", ("debug", "info", "warning", "error"), "info").upper()
LOG_SQL = env.boolean("LOG_SQL", False)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redact": {"()": "config.redaction.RedactingFilter"}},
    "formatters": {
        "line": {
            "()": "config.redaction.RedactingFormatter",
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "filters": ["redact"], "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
        # Django announces statements only while DEBUG is on; outside of development LOG_SQL is refused as well.
        # The pool repeats each failed attempt; the error that a request gets says it once.
        "psycopg.pool": {"level": "ERROR"},
        "django.db.backends": {"level": "DEBUG" if LOG_SQL and DEVELOPMENT else "WARNING"},
    },
}
LOG_FILE = env.text("LOG_FILE")
LOG_FILE_MEGABYTES = env.integer("LOG_FILE_MEGABYTES", 10, minimum=1, maximum=10_000)
LOG_FILES_KEPT = env.integer("LOG_FILES_KEPT", 10, minimum=1, maximum=1000)
if LOG_FILE:
    log_folder = (BASE_DIR / LOG_FILE).parent
    if not os.access(log_folder, os.W_OK | os.X_OK):
        raise ImproperlyConfigured(f"LOG_FILE: {log_folder} is no folder that may be written.")
    LOGGING["handlers"]["file"] = {
        "class": "concurrent_log_handler.ConcurrentRotatingFileHandler",
        "filename": str(BASE_DIR / LOG_FILE),
        "maxBytes": LOG_FILE_MEGABYTES * 1_000_000,
        "backupCount": LOG_FILES_KEPT,
        "use_gzip": True,
        "chmod": 0o640,
        "encoding": "utf-8",
        "filters": ["redact"],
        "formatter": "line",
    }
    LOGGING["root"]["handlers"].append("file")
