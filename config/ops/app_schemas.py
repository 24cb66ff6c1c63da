"""Which PostgreSQL schema each app's tables lie in.

They are made in ``DEFAULT_SCHEMA``. With ``SCHEMA_PER_APP`` each app's tables move on into a schema of the app's name;
without it they move back. Table names stay and the search path finds them, so no query changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.migrations.recorder import MigrationRecorder

from config.database_url import shown_url
from config.db import typos
from config.db.errors import Refused

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Tables = dict[str, set[str]]

TABLES_WITHOUT_MODEL: Tables = {"accounts": {typos.TABLE}}


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """A table that lies in another schema than the settings say."""

    source: str
    target: str
    table: str


def make_schemas(connection: BaseDatabaseWrapper) -> None:
    """Make the schemas of the search path that are not there; without them PostgreSQL has nowhere to put a table.

    Raises Refused when the database does not let us.
    """
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for schema in settings.SEARCH_PATH:
                # Even with IF NOT EXISTS the right to make schemas would be asked for.
                cursor.execute("SELECT FROM pg_namespace WHERE nspname = %s", [schema])
                if not cursor.rowcount:
                    cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(schema)}")
    except DatabaseError as error:
        raise Refused(
            f"{shown_url(connection.settings_dict)} lacks one of the schemas {', '.join(settings.SEARCH_PATH)}, and it "
            f"cannot be made: {str(error).strip()}"
        ) from error


def arrange_tables(connection: BaseDatabaseWrapper) -> list[Move]:
    """Move every table into the schema that the settings say, all or none, and return what was moved.

    Sequences, indexes, constraints and policies go with their table. An app's schema that is empty then is dropped.
    Raises Refused when the database does not let us, such as when the other schema has a table of that name.
    """
    moves = misplaced_tables(connection)
    if not moves:
        return []
    quote = connection.ops.quote_name
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for move in moves:
                cursor.execute(f"ALTER TABLE {quote(move.source)}.{quote(move.table)} SET SCHEMA {quote(move.target)}")
            if not settings.SCHEMA_PER_APP:
                for schema in sorted({move.source for move in moves}):
                    _drop_if_empty(connection, schema)
    except DatabaseError as error:
        raise Refused(
            f"{shown_url(connection.settings_dict)}: the tables cannot be moved into the schemas that "
            f"SCHEMA_PER_APP={str(settings.SCHEMA_PER_APP).lower()} asks for: {str(error).strip()}"
        ) from error
    return moves


def refuse_tables_out_of_sight(connection: BaseDatabaseWrapper) -> None:
    """Raise Refused when tables lie in schemas of their apps although ``SCHEMA_PER_APP`` is off."""
    if settings.SCHEMA_PER_APP:
        # Then the search path has both places.
        return
    schemas = sorted({move.source for move in misplaced_tables(connection)})
    if schemas:
        raise Refused(
            f"{shown_url(connection.settings_dict)} has its tables in the schemas {', '.join(schemas)}, and "
            "SCHEMA_PER_APP is off: run `manage.py migrate`, which moves them back, or set SCHEMA_PER_APP=true."
        )


def misplaced_tables(connection: BaseDatabaseWrapper) -> list[Move]:
    """Return the tables of our apps that lie in another schema than the settings say; none on SQLite."""
    if connection.vendor != "postgresql":
        return []
    tables = _tables_by_schema(connection)
    at_home = tables[settings.DEFAULT_SCHEMA]
    if settings.SCHEMA_PER_APP:
        return sorted(
            Move(settings.DEFAULT_SCHEMA, app, table)
            for app in settings.DOMAIN_APPS
            for table in _tables_of(app) & at_home
        )
    return sorted(
        Move(app, settings.DEFAULT_SCHEMA, table)
        for app in _moved_apps(connection, tables)
        for table in tables[app]
        if table.startswith(f"{app}_")
    )


def _moved_apps(connection: BaseDatabaseWrapper, tables: Tables) -> list[str]:
    """Return the apps whose tables are ours although they lie in a schema of their own.

    Anybody may have a schema named analytics. It is ours if our migrations have run and their tables are there alone.
    """
    candidates = [
        app
        for app in settings.DOMAIN_APPS
        if app != settings.DEFAULT_SCHEMA and _tables_of(app) & tables[app] - tables[settings.DEFAULT_SCHEMA]
    ]
    if not candidates or MigrationRecorder.Migration._meta.db_table not in tables[settings.DEFAULT_SCHEMA]:
        return []
    migrated = {app for app, _ in MigrationRecorder(connection).applied_migrations()}
    return [app for app in candidates if app in migrated]


def _tables_by_schema(connection: BaseDatabaseWrapper) -> Tables:
    tables: Tables = {schema: set() for schema in (settings.DEFAULT_SCHEMA, *settings.DOMAIN_APPS)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p')",
            [list(tables)],
        )
        for schema, table in cursor.fetchall():
            tables[schema].add(table)
    return tables


def _tables_of(app: str) -> set[str]:
    models = apps.get_app_config(app).get_models(include_auto_created=True)
    with_model = {model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy}
    return with_model | TABLES_WITHOUT_MODEL.get(app, set())


def _drop_if_empty(connection: BaseDatabaseWrapper, schema: str) -> None:
    """Drop a schema that is ours and holds nothing any more; somebody else's things in it keep it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_namespace n WHERE n.nspname = %s AND pg_has_role(n.nspowner, 'USAGE')"
            " AND NOT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)"
            " AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = n.oid)"
            " AND NOT EXISTS (SELECT FROM pg_type WHERE typnamespace = n.oid)",
            [schema],
        )
        if cursor.rowcount:
            cursor.execute(f"DROP SCHEMA {connection.ops.quote_name(schema)}")
