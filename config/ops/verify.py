"""Whether a database is fit to serve: what `verify_database` and `verify_start` look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import DatabaseError, IntegrityError, OperationalError, transaction

from accounts.queries import known_password_warnings
from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.app_schemas import refuse_tables_out_of_sight
from config.ops.direct import refuse_unreachable
from config.ops.migrating import pending_migrations
from config.ops.schema import schema_drift

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

PROBE = "verify_database"


@dataclass(slots=True)
class Verification:
    """What was found, in sentences: without `problems` the database is fit to serve.

    `notes` say what could not be looked at, and what somebody should see to.
    """

    database: str
    version: str = ""
    extensions: list[str] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    schema_compared: bool = False


def verify(connection: BaseDatabaseWrapper) -> Verification:
    """Look at connection, migrations, rows, constraints, schema and writing. Leaves nothing behind in the database."""
    result = Verification(shown_url(connection.settings_dict))
    try:
        refuse_unreachable(connection)
    except (Refused, OperationalError) as error:
        result.problems.append(f"No connection: {str(error).strip()}")
        return result
    result.version, result.extensions = _version_and_extensions(connection)
    result.pending = pending_migrations(connection)
    if result.pending:
        result.problems.append(f"{len(result.pending)} migrations are pending, the first is {result.pending[0]}.")
        return result
    try:
        refuse_tables_out_of_sight(connection)
    except Refused as error:
        result.problems.append(str(error))
        return result
    result.rows = row_counts(connection)
    result.notes += known_password_warnings(using=connection.alias)
    result.problems += broken_constraints(connection)
    try:
        result.problems += [f"The schema differs: {difference}" for difference in schema_drift(connection)]
        result.schema_compared = True
    except Refused as error:
        result.notes.append(f"The schema was not compared with the migrations: {error}")
    result.problems += write_probe(connection)
    return result


def _version_and_extensions(connection: BaseDatabaseWrapper) -> tuple[str, list[str]]:
    version = ".".join(str(part) for part in connection.get_database_version())
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT 'FTS5' WHERE sqlite_compileoption_used('ENABLE_FTS5')")
            return f"SQLite {version}", [name for (name,) in cursor.fetchall()]
        cursor.execute("SELECT extname || ' ' || extversion FROM pg_extension ORDER BY extname")
        return f"PostgreSQL {version}", [name for (name,) in cursor.fetchall()]


def row_counts(connection: BaseDatabaseWrapper) -> dict[str, int]:
    """Return the number of rows of every table that a model stands for."""
    models = apps.get_models(include_auto_created=True)
    tables = sorted({m._meta.db_table for m in models if m._meta.managed and not m._meta.proxy})
    counts = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a model's table
            counts[table] = cursor.fetchone()[0]
    return counts


def broken_constraints(connection: BaseDatabaseWrapper) -> list[str]:
    """Return constraints and indexes that do not hold for every row, as sentences."""
    if connection.vendor == "sqlite":
        return _broken_in_sqlite(connection)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT 'The constraint ' || conname || ' of ' || conrelid::regclass || ' was never validated.'
                 FROM pg_constraint JOIN pg_namespace n ON n.oid = connamespace
                WHERE n.nspname = ANY(current_schemas(false)) AND NOT convalidated
                UNION ALL
               SELECT 'The index ' || indexrelid::regclass || ' is invalid: drop it and create it again.'
                 FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ANY(current_schemas(false)) AND NOT indisvalid
                ORDER BY 1"""
        )
        return [sentence for (sentence,) in cursor.fetchall()]


def _broken_in_sqlite(connection: BaseDatabaseWrapper) -> list[str]:
    problems = []
    try:
        connection.check_constraints()
    except IntegrityError as error:
        problems.append(str(error))
    with connection.cursor() as cursor:
        # Also finds rows that break a CHECK or NOT NULL, which a file edited outside of Forecourt may hold.
        cursor.execute("PRAGMA integrity_check")
        problems += [f"SQLite reports: {finding}." for (finding,) in cursor.fetchall() if finding != "ok"]
    return problems


def write_probe(connection: BaseDatabaseWrapper) -> list[str]:
    """Write a row, take it back, and return what went wrong."""
    rows = ContentType.objects.using(connection.alias).filter(app_label=PROBE)
    try:
        with transaction.atomic(using=connection.alias):
            ContentType(app_label=PROBE, model=PROBE).save(using=connection.alias)
            written = rows.exists()
            transaction.set_rollback(True, using=connection.alias)
    except DatabaseError as error:
        return [f"The database cannot be written: {str(error).strip()}"]
    if not written or rows.exists():
        return ["A row was written and taken back, and the database does not agree."]
    return []


def verify_start(connection: BaseDatabaseWrapper) -> None:
    """Raise Refused unless a web server may start: the database answers, has its tables, and no migration is pending.

    ``START_WITH_PENDING_MIGRATIONS`` lets the last pass, for releases whose migrations run beside the old code.
    """
    refuse_unreachable(connection)
    refuse_tables_out_of_sight(connection)
    pending = pending_migrations(connection)
    if pending and not settings.START_WITH_PENDING_MIGRATIONS:
        raise Refused(
            f"{len(pending)} migrations are pending, the first is {pending[0]}: run `manage.py migrate`, "
            "or set START_WITH_PENDING_MIGRATIONS=true."
        )


def as_json(result: Verification) -> dict[str, Any]:
    """Return the result with plain types."""
    return {
        "database": result.database,
        "version": result.version,
        "extensions": result.extensions,
        "pending": result.pending,
        "rows": result.rows,
        "problems": result.problems,
        "notes": result.notes,
        "schema_compared": result.schema_compared,
        "ok": not result.problems,
    }
