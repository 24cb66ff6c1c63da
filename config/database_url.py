"""From database URLs, and the variables beside them, to the entries of Django's ``DATABASES``.

The URL dialect is the one Prisma users have in their files: ``schema``, ``connection_limit``, ``pool_timeout``,
``connect_timeout``, ``pgbouncer`` and the ``ssl...`` options are understood, and libpq's own options pass through.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

from config import env
from config.db.connecting import RECONNECT_SECONDS, keep_trying

if TYPE_CHECKING:
    from pathlib import Path

POSTGRESQL = "config.db.postgresql"
# The server keeps the plan of a statement that a connection sends more often.
KEEP_PLAN_AFTER = 2
SQLITE = "config.db.sqlite"
SQLITE_BUSY_TIMEOUT = 20  # seconds
REPLICA_POOL_TIMEOUT = 1  # second
REPLICA_CONNECT_TIMEOUT = 2  # seconds

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
SSL_FILES = ("sslcert", "sslkey", "sslrootcert")
# Options of libpq which change nothing that Forecourt sets itself.
LIBPQ_OPTIONS = (
    *("application_name", "channel_binding", "gssencmode", "host", "keepalives", "keepalives_idle"),
    *("keepalives_interval", "keepalives_count", "sslpassword", "sslcrl", "target_session_attrs", "tcp_user_timeout"),
)
SCHEMA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """What one URL says; `config` has Django's keys, the rest is what Django has no key for."""

    config: dict[str, Any]
    pool_size: int | None = None
    pool_timeout: int | None = None
    schema: str | None = None
    pgbouncer: bool | None = None
    unknown_options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """How sessions and the pool behave; times are milliseconds but for `pool_timeout`, seconds. 0 means no limit.

    `pool_size` 0 means no pool. Behind PgBouncer nothing is sent that a pooled server session would keep.
    """

    pool_size: int = 0
    pool_timeout: int = 30
    connect_timeout: int = 5000
    statement_timeout: int = 0
    idle_timeout: int = 0
    search_path: tuple[str, ...] = ("public",)
    pgbouncer: bool = False
    sslmode: str | None = None


def parse_database_url(variable: str, url: str, base_dir: Path) -> DatabaseUrl:
    """Read `url`; `variable` names it in errors, which never repeat the URL, since it holds the password.

    A relative SQLite path counts from `base_dir`. Raises ImproperlyConfigured.
    """
    scheme = url.partition(":")[0].lower()
    if scheme == "sqlite":
        return _parse_sqlite(variable, url, base_dir)
    if scheme in {"postgres", "postgresql"}:
        return _parse_postgresql(variable, url)
    raise ImproperlyConfigured(
        f"{variable} begins with {scheme[:20]!r}: write postgresql://user:password@host:5432/name or sqlite:///file."
    )


def _parse_sqlite(variable: str, url: str, base_dir: Path) -> DatabaseUrl:
    address, _, query = url.partition("?")
    name = dj_database_url.parse(address)["NAME"]
    options = dict(parse_qsl(query))
    pool_size = _number(variable, "connection_limit", options)
    return DatabaseUrl(
        {"ENGINE": SQLITE, "NAME": name if name == ":memory:" else str(base_dir / name)},
        pool_size=pool_size,
        unknown_options=tuple(sorted(options)),
    )


def _parse_postgresql(variable: str, url: str) -> DatabaseUrl:
    address, _, query = url.partition("?")
    options = dict(parse_qsl(query))
    try:
        parsed = dj_database_url.parse(address)
    except ValueError as error:
        raise ImproperlyConfigured(
            f"{variable} cannot be read: write special characters of the password as %XX, for example %40 for @."
        ) from error
    config: dict[str, Any] = {key: parsed[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    config |= {"ENGINE": POSTGRESQL, "OPTIONS": {}}
    if not config["NAME"]:
        raise ImproperlyConfigured(f"{variable} names no database: end the address with /name.")
    config["HOST"] = options.pop("host", "") or _socket_folder(address) or config["HOST"]
    schema = options.pop("schema", None)
    if schema is not None:
        check_schema_name(variable, schema)
    numbers = {name: _number(variable, name, options) for name in ("connection_limit", "pool_timeout")}
    connect_timeout = _number(variable, "connect_timeout", options)
    if connect_timeout is not None:
        config["OPTIONS"]["connect_timeout"] = connect_timeout
    for name in ("sslmode", *SSL_FILES, *LIBPQ_OPTIONS):
        if name in options:
            config["OPTIONS"][name] = options.pop(name)
    if config["OPTIONS"].get("sslmode", "prefer") not in SSL_MODES:
        raise ImproperlyConfigured(f"{variable}: sslmode must be one of {', '.join(SSL_MODES)}.")
    pgbouncer = options.pop("pgbouncer", None)
    return DatabaseUrl(
        config,
        pool_size=numbers["connection_limit"],
        pool_timeout=numbers["pool_timeout"],
        schema=schema,
        pgbouncer=None if pgbouncer is None else pgbouncer == "true",
        unknown_options=tuple(sorted(options)),
    )


def _socket_folder(address: str) -> str:
    """Return the folder of a Unix socket written as the URL's host; the URL library would put it in lower case."""
    host = address.partition("://")[2].partition("/")[0].rpartition("@")[2]
    folder = unquote(re.sub(r":\d+$", "", host))
    return folder if folder.startswith("/") else ""


def _number(variable: str, name: str, options: dict[str, str]) -> int | None:
    value = options.pop(name, None)
    if value is None:
        return None
    if not value.isdecimal() or int(value) < 1:
        raise ImproperlyConfigured(f"{variable}: {name}={value!r} must be a whole number from 1.")
    return int(value)


def check_schema_name(variable: str, schema: str) -> None:
    """Raise ImproperlyConfigured unless `schema` is a plain identifier."""
    if not SCHEMA_NAME.fullmatch(schema):
        raise ImproperlyConfigured(f"{variable}: the schema {schema!r} is not a name of letters, digits and _.")


def given_parts() -> list[str]:
    """Return the names of the PG_ variables that are set."""
    names = ("PG_HOST", "PG_PORT", "PG_DATABASE", "PG_USER", "PG_PASSWORD", "PG_PASSWORD_FILE", "PG_SSL")
    return [name for name in names if env.text(name)]


def check_parts() -> None:
    """Raise ImproperlyConfigured when PG_PORT or PG_SSL cannot be read, even where nothing uses them."""
    _port()
    _encrypted()


def _port() -> int:
    return env.integer("PG_PORT", 5432, minimum=1, maximum=65535)


def _encrypted() -> bool:
    return env.boolean("PG_SSL", False)


def url_from_parts() -> str:
    """Return a PostgreSQL URL made of the PG_ variables, or '' when PG_HOST and PG_DATABASE are absent.

    Raises ImproperlyConfigured when only one of the two is given.
    """
    host, name = env.text("PG_HOST"), env.text("PG_DATABASE")
    if not host and not name:
        return ""
    if not host or not name:
        raise ImproperlyConfigured("PG_HOST and PG_DATABASE belong together: set both, or DATABASE_URL instead.")
    user, password = quote(env.text("PG_USER", "postgres"), safe=""), quote(env.secret("PG_PASSWORD"), safe="")
    options = {"host": host} | ({"sslmode": "require"} if _encrypted() else {})
    return f"postgresql://{user}:{password}@:{_port()}/{quote(name, safe='')}?{urlencode(options)}"


def django_database(url: DatabaseUrl, limits: Limits) -> dict[str, Any]:
    """Return the ``DATABASES`` entry for `url` under `limits`."""
    if url.config["ENGINE"] == SQLITE:
        return url.config | {
            "OPTIONS": {
                # A transaction that will write takes its lock at once and waits for it, instead of failing half-way.
                "transaction_mode": "IMMEDIATE",
                "timeout": SQLITE_BUSY_TIMEOUT,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            }
        }
    options = {"connect_timeout": math.ceil(limits.connect_timeout / 1000)} | url.config["OPTIONS"]
    if limits.sslmode:
        options.setdefault("sslmode", limits.sslmode)
    if not limits.pgbouncer:
        # Only cursors that ask for it (`config.db.postgresql.base.make_quick`) have their plans kept.
        options["prepare_threshold"] = KEEP_PLAN_AFTER
        session = {
            # In quotes, because PostgreSQL puts a bare name in lower case.
            "search_path": ",".join(f'"{schema}"' for schema in limits.search_path),
            "statement_timeout": limits.statement_timeout,
            "idle_in_transaction_session_timeout": limits.idle_timeout,
        }
        options["options"] = " ".join(f"-c {name}={value}" for name, value in session.items())
    if limits.pool_size:
        options["pool"] = {
            "min_size": 1,
            "max_size": limits.pool_size,
            "timeout": limits.pool_timeout,
            "max_idle": limits.idle_timeout / 1000 or 600,
            "reconnect_timeout": RECONNECT_SECONDS,
            "reconnect_failed": keep_trying,
        }
    return url.config | {
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": bool(limits.pool_size),
        "DISABLE_SERVER_SIDE_CURSORS": limits.pgbouncer,
    }


def replica_database(url: DatabaseUrl, limits: Limits) -> dict[str, Any]:
    """Return the ``DATABASES`` entry for a replica, whose pool soon gives up: another server has the same rows."""
    size = limits.pool_size and (url.pool_size or limits.pool_size)
    database = django_database(url, replace(limits, pool_size=size, pool_timeout=REPLICA_POOL_TIMEOUT))
    database["OPTIONS"]["connect_timeout"] = min(database["OPTIONS"]["connect_timeout"], REPLICA_CONNECT_TIMEOUT)
    if size:
        # Nobody waits for a replica that is away, so its pool need not go on trying.
        del database["OPTIONS"]["pool"]["reconnect_failed"]
    # A read that meets a lost connection is asked again elsewhere, which costs less than asking ahead each time.
    return database | {"CONN_HEALTH_CHECKS": False}


def url_of(database: dict[str, Any], *, name: str | None = None) -> str:
    """Return the URL of a ``DATABASES`` entry, for a child process; `name` puts another database in its place.

    The URL holds the password: it belongs into an environment, never into output.
    """
    if database["ENGINE"] == SQLITE:
        return f"sqlite:///{name or database['NAME']}"
    options = {
        key: value for key, value in database["OPTIONS"].items() if key not in {"pool", "options", "prepare_threshold"}
    }
    search_path = re.search(r'search_path="(\w+)"', database["OPTIONS"].get("options", ""))
    if search_path:
        options["schema"] = search_path[1]
    if database.get("HOST"):
        options["host"] = database["HOST"]
    user, password = quote(database["USER"], safe=""), quote(database["PASSWORD"], safe="")
    port = f":{database['PORT']}" if database.get("PORT") else ""
    return f"postgresql://{user}:{password}@{port}/{quote(name or database['NAME'], safe='')}?{urlencode(options)}"


def shown_url(database: dict[str, Any]) -> str:
    """Return where a ``DATABASES`` entry points, without user and password, for people."""
    if database["ENGINE"] == SQLITE:
        return f"SQLite file {database['NAME']}"
    port = f":{database['PORT']}" if database.get("PORT") else ""
    return f"PostgreSQL database {database['NAME']} on {database.get('HOST') or 'the local socket'}{port}"


def has_network_host(database: dict[str, Any]) -> bool:
    """Say whether the server is reached over a network, where encryption counts; a Unix socket has none."""
    host = database.get("HOST") or ""
    return bool(host) and not host.startswith(("/", "@"))
