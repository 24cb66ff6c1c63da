"""System checks: combinations of settings that cannot work, or that would surprise in production.

Each has an id, says what is wrong, and its hint says what to write. `docs/configuration.md` lists them.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Warned
from django.db import connection

from config.commands import CONFIGURATION
from config.database_url import SQLITE, SSL_FILES, has_network_host
from config.ops.row_security import is_bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.apps import AppConfig

    Apps = Sequence[AppConfig] | None

ENCRYPTED_SSL_MODES = {"require", "verify-ca", "verify-full"}
SECRET_LENGTH = 50
DISTINCT_CHARACTERS = 10
# Passwords that older systems, guides and habit put into seeds.
KNOWN_PASSWORDS = {"admin", "admin123", "administrator", "changeme", "forecourt", "password", "password123", "secret"}
ADMIN_PASSWORD_LENGTH = 12


def _default() -> dict[str, Any]:
    return settings.DATABASES["default"]


def _on_sqlite() -> bool:
    return bool(_default()["ENGINE"] == SQLITE)


@register(CONFIGURATION)
def check_pool(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find a pool that cannot be, or that nobody would use."""
    if not settings.DATABASE_POOL_REQUESTED:
        return []
    if _on_sqlite():
        return [
            Warned(
                "A connection pool is asked for, but SQLite has none.",
                hint="Remove DATABASE_POOL_SIZE and connection_limit, or set DATABASE_URL to a PostgreSQL server.",
                id="forecourt.W001",
            )
        ]
    if settings.PGBOUNCER:
        return [
            Error(
                "A connection pool is asked for, and PGBOUNCER is on: PgBouncer is the pool.",
                hint="Remove DATABASE_POOL_SIZE and connection_limit, or set PGBOUNCER=false.",
                id="forecourt.E002",
            )
        ]
    return []


@register(CONFIGURATION)
def check_pgbouncer(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find what a connection through PgBouncer in transaction mode cannot carry."""
    if not settings.PGBOUNCER:
        return []
    if _on_sqlite():
        return [
            Error(
                "PGBOUNCER is on, but the database is SQLite.",
                hint="Set PGBOUNCER=false, or DATABASE_URL to PgBouncer's address.",
                id="forecourt.E003",
            )
        ]
    found: list[CheckMessage] = []
    if settings.SEARCH_PATH != ("public",):
        found.append(
            Error(
                f"PGBOUNCER is on, and it cannot carry the search path {', '.join(settings.SEARCH_PATH)}.",
                hint="Remove DEFAULT_SCHEMA, schema and SCHEMA_PER_APP, "
                "or connect to PostgreSQL directly with PGBOUNCER=false.",
                id="forecourt.E004",
            )
        )
    if settings.DIRECT_DATABASE is None:
        found.append(
            Warned(
                "PGBOUNCER is on without DIRECT_DATABASE_URL: migrate will refuse.",
                hint="Set DIRECT_DATABASE_URL to the address of PostgreSQL itself, usually port 5432.",
                id="forecourt.W005",
            )
        )
    return found


@register(CONFIGURATION)
def check_replicas(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find replicas of a database that can have none, and one that is the database itself."""
    place = ("HOST", "PORT", "NAME")
    if settings.DATABASE_REPLICAS and _on_sqlite():
        return [
            Error(
                "DATABASE_REPLICA_URLS is set, but the database is SQLite, which has no replicas.",
                hint="Remove DATABASE_REPLICA_URLS, or set DATABASE_URL to the primary's address.",
                id="forecourt.E021",
            )
        ]
    if any(all(replica.get(key) == _default().get(key) for key in place) for replica in settings.DATABASE_REPLICAS):
        return [
            Error(
                "DATABASE_REPLICA_URLS names the database of DATABASE_URL: no read would ever go there.",
                hint="Write the addresses of servers that follow it, or nothing.",
                id="forecourt.E022",
            )
        ]
    return []


@register(CONFIGURATION)
def check_database_variables(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find variables and options that are not used."""
    found: list[CheckMessage] = []
    if settings.PG_VARIABLES_IGNORED:
        found.append(
            Warned(
                f"{', '.join(settings.PG_VARIABLES_IGNORED)} have no effect, because DATABASE_URL is set.",
                hint="Keep either DATABASE_URL or the PG_ variables.",
                id="forecourt.W006",
            )
        )
    if settings.DATABASE_URL_UNKNOWN_OPTIONS:
        found.append(
            Warned(
                f"DATABASE_URL has options without effect: {', '.join(settings.DATABASE_URL_UNKNOWN_OPTIONS)}.",
                hint="Remove them; docs/configuration.md lists the options that are understood.",
                id="forecourt.W007",
            )
        )
    return found


@register(CONFIGURATION)
def check_schema_per_app(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find schemas per app where there are none, or where one of them has to serve twice."""
    if not settings.SCHEMA_PER_APP:
        return []
    if _on_sqlite():
        return [
            Error(
                "SCHEMA_PER_APP is on, but SQLite has no schemas.",
                hint="Set SCHEMA_PER_APP=false, or DATABASE_URL to a PostgreSQL server.",
                id="forecourt.E019",
            )
        ]
    if settings.DEFAULT_SCHEMA in settings.DOMAIN_APPS:
        return [
            Error(
                f"SCHEMA_PER_APP is on, and DEFAULT_SCHEMA={settings.DEFAULT_SCHEMA} is the schema of an app.",
                hint="Choose another DEFAULT_SCHEMA, such as public, or set SCHEMA_PER_APP=false.",
                id="forecourt.E020",
            )
        ]
    return []


@register(CONFIGURATION)
def check_row_security(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find row security on an engine without it."""
    if not (settings.ENABLE_ROW_SECURITY and _on_sqlite()):
        return []
    return [
        Error(
            "ENABLE_ROW_SECURITY is on, but SQLite has no row security.",
            hint="Set ENABLE_ROW_SECURITY=false, or DATABASE_URL to a PostgreSQL server.",
            id="forecourt.E008",
        )
    ]


@register(Tags.database)
def check_row_security_binds(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find row security that does not bind us, because our own role owns the tables."""
    databases = kwargs.get("databases") or []
    if not settings.ENABLE_ROW_SECURITY or "default" not in databases or _on_sqlite() or is_bound(connection):
        return []
    return [
        Warned(
            "ENABLE_ROW_SECURITY is on, but policies do not bind the database role that this process uses.",
            hint="Connect as a role that neither owns the tables nor is a superuser; migrate as the owner.",
            id="forecourt.W018",
        )
    ]


@register(CONFIGURATION)
def check_shadow_database(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find a shadow database that is the real one: commands empty it."""
    place = ("ENGINE", "HOST", "PORT", "NAME")
    for other in (_default(), settings.DIRECT_DATABASE):
        if settings.SHADOW_DATABASE and other and all(settings.SHADOW_DATABASE.get(k) == other.get(k) for k in place):
            return [
                Error(
                    "SHADOW_DATABASE_URL is the database that DATABASE_URL or DIRECT_DATABASE_URL names.",
                    hint="Give it a database of its own; everything in it is dropped.",
                    id="forecourt.E009",
                )
            ]
    return []


@register(CONFIGURATION)
def check_database_encryption(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find a production database reached over the network without encryption, and certificates that cannot serve."""
    found: list[CheckMessage] = []
    databases = [("DATABASE_URL", _default()), ("DIRECT_DATABASE_URL", settings.DIRECT_DATABASE)]
    databases += [("DATABASE_REPLICA_URLS", database) for database in settings.DATABASE_REPLICAS]
    for variable, database in databases:
        if database is None or database["ENGINE"] == SQLITE:
            continue
        mode = database["OPTIONS"].get("sslmode", "prefer")
        if settings.ENVIRONMENT == "production" and has_network_host(database) and mode not in ENCRYPTED_SSL_MODES:
            found.append(
                Error(
                    f"{variable} has sslmode={mode}: the connection may not be encrypted.",
                    hint="Write sslmode=verify-full with sslrootcert, or at least sslmode=require.",
                    id="forecourt.E010",
                )
            )
        for option in SSL_FILES:
            if option in database["OPTIONS"]:
                found += _check_certificate(variable, option, Path(database["OPTIONS"][option]))
    return found


def _check_certificate(variable: str, option: str, path: Path) -> list[CheckMessage]:
    if not path.is_file():
        return [
            Error(
                f"{variable}: the file {path} of {option} does not exist.",
                hint="Correct the path; it is read inside the container when there is one.",
                id="forecourt.E011",
            )
        ]
    if option == "sslkey" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) & ~stat.S_IRGRP:
        return [
            Error(
                f"{variable}: others may read the key {path}, so the PostgreSQL library refuses it.",
                hint=f"Run chmod 600 {path}.",
                id="forecourt.E012",
            )
        ]
    return []


@register(CONFIGURATION)
def check_secrets(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find secrets that can be guessed, outside of development."""
    if settings.ENVIRONMENT == "development":
        return []
    secrets = [("SECRET_KEY", settings.SECRET_KEY)]
    secrets += [("FIELD_ENCRYPTION_KEYS", key) for key in settings.FIELD_ENCRYPTION_KEYS]
    return [
        Error(
            f"{name} is too short or too regular to be a secret.",
            hint="Use 50 or more random characters, for example what `openssl rand -base64 48` prints.",
            id="forecourt.E013",
        )
        for name, value in secrets
        if len(value) < SECRET_LENGTH or len(set(value)) < DISTINCT_CHARACTERS or value.startswith("development-only")
    ]


@register(CONFIGURATION)
def check_environment(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find what belongs to development alone."""
    if settings.ENVIRONMENT == "development":
        return []
    return [
        Error(
            f"{name} is on, and ENVIRONMENT is {settings.ENVIRONMENT}: it shows internals to strangers.",
            hint=f"Set {name}=false.",
            id=identifier,
        )
        for name, identifier in (("DEBUG", "forecourt.E014"), ("LOG_SQL", "forecourt.E015"))
        if getattr(settings, name)
    ]


@register(CONFIGURATION)
def check_shared_cache(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find several processes that each count failed sign-ins for themselves."""
    if settings.ENVIRONMENT == "development" or settings.REDIS_URL or settings.WEB_CONCURRENCY == 1:
        return []
    return [
        Warned(
            f"{settings.WEB_CONCURRENCY} processes share no cache: "
            "each process counts failed sign-ins and caches settings for itself.",
            hint="Set REDIS_URL, or WEB_CONCURRENCY=1.",
            id="forecourt.W016",
        )
    ]


@register(CONFIGURATION, deploy=True)
def check_administrator_password(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """Find a first administrator whose password is known or short."""
    password = settings.ADMIN_PASSWORD
    if not password or (len(password) >= ADMIN_PASSWORD_LENGTH and password.lower() not in KNOWN_PASSWORDS):
        return []
    return [
        Error(
            "ADMIN_PASSWORD can be guessed.",
            hint=f"Use {ADMIN_PASSWORD_LENGTH} or more characters, or leave it empty: seed then makes one up.",
            id="forecourt.E017",
        )
    ]
