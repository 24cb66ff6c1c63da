"""Applying migrations to a live database: one run at a time, on a direct connection, with bounded waits."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import psycopg
from django.conf import settings
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import AmbiguityError, MigrationLoader

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.direct import direct_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.sqlite3.base import DatabaseWrapper
    from django.db.migrations.state import ProjectState

# Advisory locks are numbers; this one stands for "somebody migrates this database".
LOCK_KEY = int.from_bytes(b"migrates", "big")
# SQLite has no lock that outlasts a transaction; a file of this name beside the database stands in for it.
LOCK_SUFFIX = ".migrate.lock"
LOCK_RETRY = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class AppMigrations:
    """The migrations of one app, in the order in which they apply."""

    app: str
    applied: list[str]
    pending: list[str]


@contextmanager
def with_rights(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Raise Refused where the role may not do what the block does, with the database, the role and the way out."""
    try:
        yield
    except DatabaseError as error:
        reason: BaseException | None = error
        while reason is not None and not isinstance(reason, psycopg.errors.InsufficientPrivilege):
            reason = reason.__cause__
        if reason is None:
            raise
        role = connection.settings_dict["USER"] or "who is connected"
        raise Refused(
            f"{shown_url(connection.settings_dict)}: the role {role} lacks a right "
            f"({reason.diag.message_primary}): connect as the role that owns the tables."
        ) from error


def migration_status(connection: BaseDatabaseWrapper) -> list[AppMigrations]:
    """Return what is applied and what is pending, app by app. Writes nothing."""
    loader = MigrationLoader(connection)
    by_app: dict[str, AppMigrations] = {}
    for leaf in sorted(loader.graph.leaf_nodes()):
        for node in loader.graph.forwards_plan(leaf):
            app, name = node
            entry = by_app.setdefault(app, AppMigrations(app, [], []))
            names = entry.applied if node in loader.applied_migrations else entry.pending
            if name not in names:
                names.append(name)
    return sorted(by_app.values(), key=lambda entry: entry.app)


def pending_migrations(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of the migrations that are not applied, as "app.name"."""
    return [f"{entry.app}.{name}" for entry in migration_status(connection) for name in entry.pending]


@contextmanager
def alone(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Keep other runs of migrate away for the block, and bound how long its statements wait for locks.

    The lock sits on a connection of its own, so that a migration may close or break the working one; on SQLite it is a
    file beside the database. Raises Refused when another run holds the lock for ``MIGRATION_LOCK_TIMEOUT``.
    """
    if connection.vendor != "postgresql":
        with _file_lock(connection):
            yield
        return
    timeout = settings.MIGRATION_LOCK_TIMEOUT
    with direct_connection(connection) as lock:
        lock.execute(
            "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', '0', false)", [str(timeout)]
        )
        try:
            lock.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        except psycopg.errors.LockNotAvailable as error:
            raise _still_running() from error
        with session_settings(connection, lock_timeout=str(timeout), statement_timeout="0"):
            yield


def _still_running() -> Refused:
    return Refused(
        "Another migrate has been running on this database for more than "
        f"{settings.MIGRATION_LOCK_TIMEOUT / 1000:g} seconds: wait for it, or raise MIGRATION_LOCK_TIMEOUT."
    )


@contextmanager
def _file_lock(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Hold the lock file of a SQLite database for the block; a database in memory belongs to one process anyway."""
    if cast("DatabaseWrapper", connection).is_in_memory_db():
        yield
        return
    path = Path(f"{connection.settings_dict['NAME']}{LOCK_SUFFIX}")
    try:
        file = path.open("w")
    except OSError as error:
        raise Refused(f"{shown_url(connection.settings_dict)}: cannot write {path}: {error.strerror}.") from error
    # The file stays: if it were removed, a third run could lock a new one while the second holds the old.
    with file:
        give_up = time.monotonic() + settings.MIGRATION_LOCK_TIMEOUT / 1000
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                # As on PostgreSQL, 0 waits for as long as it takes.
                if settings.MIGRATION_LOCK_TIMEOUT and time.monotonic() > give_up:
                    raise _still_running() from error
                time.sleep(LOCK_RETRY)
            else:
                break
        yield


@contextmanager
def session_settings(connection: BaseDatabaseWrapper, **wanted: str) -> Iterator[None]:
    """Set PostgreSQL session settings for the block and put the old values back; does nothing on SQLite."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        before = {}
        for name, value in wanted.items():
            cursor.execute("SELECT current_setting(%s)", [name])
            before[name] = cursor.fetchone()[0]
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
    try:
        yield
    finally:
        # A broken transaction has already put them back, or takes them along when it ends.
        with suppress(DatabaseError), connection.cursor() as cursor:
            for name, value in before.items():
                cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def missing_for_fake(connection: BaseDatabaseWrapper, app_label: str | None, name: str | None) -> list[str]:
    """Return the tables, and columns as "table.column", that migrations to be marked as applied would have made.

    Without `name` the app's latest migration is meant, without `app_label` those of all apps.
    """
    executor = MigrationExecutor(connection)
    targets = _targets(executor.loader, app_label, name)
    plan = executor.migration_plan(targets)
    if not plan or any(backwards for _, backwards in plan):
        return []
    state = executor.loader.project_state([(migration.app_label, migration.name) for migration, _ in plan])
    return _missing(connection, state, {migration.app_label for migration, _ in plan})


def _targets(loader: MigrationLoader, app_label: str | None, name: str | None) -> list[tuple[str, str | None]]:
    if app_label is None:
        return list(loader.graph.leaf_nodes())
    if name is None:
        return list(loader.graph.leaf_nodes(app_label))
    if name == "zero":
        return [(app_label, None)]
    try:
        return [(app_label, loader.get_migration_by_prefix(app_label, name).name)]
    except (AmbiguityError, KeyError) as error:
        raise Refused(f"{app_label} has no migration, or more than one, whose name begins with {name!r}.") from error


def _missing(connection: BaseDatabaseWrapper, state: ProjectState, app_labels: set[str]) -> list[str]:
    missing = []
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        for model in state.apps.get_models(include_auto_created=True):
            options = model._meta
            if options.app_label not in app_labels or options.proxy or not options.managed:
                continue
            if options.db_table not in tables:
                missing.append(options.db_table)
                continue
            columns = {
                column.name for column in connection.introspection.get_table_description(cursor, options.db_table)
            }
            missing += [
                f"{options.db_table}.{f.column}" for f in options.local_concrete_fields if f.column not in columns
            ]
    return sorted(missing)
