"""The PostgreSQL database that rows are moved into: what it must be, and what makes loading it fast.

Indexes, unique rules, foreign keys and triggers of the loaded tables go before the load and come back after it, as the
catalog defined them. All of that happens in one transaction: if it ends early, nothing of it has happened.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections, transaction
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from config.database_url import POSTGRESQL, Limits, django_database, parse_database_url, shown_url, url_of
from config.db.errors import Refused
from config.ops.direct import refuse_unreachable
from config.ops.migrating import with_rights

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

ALIAS = "transfer"
OLDEST_VERSION = (14, 0)
MAINTENANCE_MEMORY = "256MB"


class WrongTarget(Refused):
    """The target's URL cannot be read or names no PostgreSQL database."""


@contextmanager
def target_database(url: str) -> Iterator[BaseDatabaseWrapper]:
    """Yield a connection of its own to the database of `url`, or of DATABASE_URL without one; it has no pool.

    Raises WrongTarget when that is no PostgreSQL database, Refused when it cannot be reached.
    """
    database = _target_settings(url)
    default = connections.settings[DEFAULT_DB_ALIAS]
    connections.settings[ALIAS] = connections.configure_settings({DEFAULT_DB_ALIAS: default, ALIAS: database})[ALIAS]
    connection = connections[ALIAS]
    try:
        refuse_unreachable(connection)
        yield connection
    finally:
        connection.close()
        del connections[ALIAS]
        del connections.settings[ALIAS]


def is_set() -> bool:
    """Whether DATABASE_URL names a database that rows can be moved into."""
    return bool(connections[DEFAULT_DB_ALIAS].vendor == "postgresql")


def _target_settings(url: str) -> dict[str, Any]:
    name = "--target" if url else "DATABASE_URL"
    try:
        parsed = parse_database_url(name, url or _own_url(), settings.BASE_DIR)
    except ImproperlyConfigured as error:
        raise WrongTarget(str(error)) from error
    if parsed.config["ENGINE"] != POSTGRESQL:
        raise WrongTarget(
            f"{name} is a {shown_url(parsed.config)}, and rows are moved into PostgreSQL: "
            "write --target postgresql://user:password@host:5432/name, or set DATABASE_URL to it."
        )
    search_path = (parsed.schema,) if parsed.schema else settings.SEARCH_PATH
    return django_database(parsed, Limits(search_path=search_path))


def _own_url() -> str:
    if not settings.PGBOUNCER:
        return url_of(connections[DEFAULT_DB_ALIAS].settings_dict)
    if settings.DIRECT_DATABASE is None:
        raise WrongTarget("PGBOUNCER is on: set DIRECT_DATABASE_URL to PostgreSQL's own address, or write --target.")
    return url_of(settings.DIRECT_DATABASE)


def refuse_unfit(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> None:
    """Raise Refused unless rows can be loaded: version, encoding, migrations and ownership are as they must be."""
    shown = shown_url(connection.settings_dict)
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_encoding'), pg_is_in_recovery()")
        encoding, is_standby = cursor.fetchone()
    version = connection.get_database_version()
    if version < OLDEST_VERSION:
        raise Refused(f"{shown} is PostgreSQL {'.'.join(map(str, version))}; 14 or newer is needed.")
    if is_standby:
        raise Refused(f"{shown} is a standby that only reads: name the primary server.")
    if encoding != "UTF8":
        raise Refused(f"{shown} is encoded in {encoding}, which does not hold every character: make one in UTF8.")
    refuse_unmigrated(connection, shown)
    _refuse_foreign_tables(connection, shown, models)


def refuse_unmigrated(connection: BaseDatabaseWrapper, shown: str) -> None:
    """Raise Refused unless exactly the migrations of this version are applied."""
    with with_rights(connection):
        loader = MigrationLoader(connection)
    applied, known = set(loader.applied_migrations), set(loader.disk_migrations)
    if pending := sorted(known - applied):
        raise Refused(
            f"{shown} lacks {len(pending)} migrations, the first is {'.'.join(pending[0])}: "
            "run `manage.py migrate` with DATABASE_URL set to it, and try again."
        )
    if unknown := sorted(applied - known - set(loader.replacements)):
        raise Refused(
            f"{shown} has migrations that this version does not know, such as {'.'.join(unknown[0])}: "
            "use the version that it was migrated with."
        )


def _refuse_foreign_tables(connection: BaseDatabaseWrapper, shown: str, models: Iterable[type[Model]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT relname, pg_get_userbyid(relowner), row_security_active(oid) FROM pg_class c
                WHERE pg_table_is_visible(c.oid) AND relname = ANY(%s)
                  AND (NOT pg_has_role(relowner, 'USAGE') OR row_security_active(oid))
                ORDER BY 1 LIMIT 1""",
            [_tables(models)],
        )
        found = cursor.fetchone()
    if found is None:
        return
    table, owner, is_secured = found
    if is_secured:
        raise Refused(f"{shown}: row security hides rows of {table} from this user; connect as one that sees all.")
    raise Refused(f"{shown}: the table {table} belongs to {owner}; connect as that user, who may load it.")


def rows_in(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> dict[str, int]:
    """Return how many rows the tables of the models hold, where they hold any."""
    found = {}
    with connection.cursor() as cursor:
        for table in _tables(models):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608 - a model's table
            if cursor.fetchone()[0]:
                cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 - a model's table
                found[table] = cursor.fetchone()[0]
    return found


def prepare_session(connection: BaseDatabaseWrapper) -> None:
    """Set what the rest of the transaction needs: no limits of time, and values spelled as `values` spells them."""
    wanted = {
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "lock_timeout": str(settings.MIGRATION_LOCK_TIMEOUT),
        "TimeZone": "UTC",
        "DateStyle": "ISO, MDY",
        "extra_float_digits": "1",
        "client_min_messages": "warning",
    }
    with connection.cursor() as cursor:
        for name, value in wanted.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
        cursor.execute(
            "SELECT set_config('maintenance_work_mem', %s, true)"
            " WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes(%s)",
            [MAINTENANCE_MEMORY, MAINTENANCE_MEMORY],
        )


def lock_tables(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> None:
    """Keep other writers out until the transaction ends. Raises Refused when somebody else does not let go."""
    names = ", ".join(connection.ops.quote_name(table) for table in _tables(models))
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
    except OperationalError as error:
        raise Refused(
            f"{shown_url(connection.settings_dict)} is in use: {str(error).strip().splitlines()[0]}. "
            f"Waited {settings.MIGRATION_LOCK_TIMEOUT / 1000:g} seconds (MIGRATION_LOCK_TIMEOUT)."
        ) from error


@dataclass(frozen=True, slots=True)
class Part:
    """Something of a table that is taken away for the load: the statements that do it and that undo it."""

    table: str
    name: str
    remove: str
    restore: str
    is_intricate: bool = False
    """Whether its definition holds an expression, which the server may print in another way than it was written."""


# What has a comment, a place or a role of its own stays, because its definition does not tell all of that.
_INDEXES = """
    SELECT c.relname, i.relname, format('DROP INDEX %%s', x.indexrelid::regclass), pg_get_indexdef(x.indexrelid),
           x.indpred IS NOT NULL OR x.indexprs IS NOT NULL
      FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
     WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s) AND c.relkind = 'r'
       AND NOT c.relispartition AND i.reltablespace = 0 AND NOT x.indisclustered AND NOT x.indisreplident
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid)
       AND obj_description(i.oid, 'pg_class') IS NULL
     ORDER BY c.relname, i.relname
"""
_CONSTRAINTS = """
    SELECT c.relname, k.conname, format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.oid::regclass, k.conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid))
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_index x ON x.indexrelid = k.conindid
      LEFT JOIN pg_class i ON i.oid = x.indexrelid
     WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s) AND c.relkind = 'r'
       AND NOT c.relispartition AND k.contype = %s
       AND obj_description(k.oid, 'pg_constraint') IS NULL
       AND (k.contype = 'f' OR (i.reltablespace = 0 AND NOT x.indisclustered AND NOT x.indisreplident
            AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = k.conindid)))
     ORDER BY c.relname, k.conname
"""
_TRIGGERS = """
    SELECT c.relname, t.tgname, format('ALTER TABLE %%s DISABLE TRIGGER %%I', c.oid::regclass, t.tgname),
           format('ALTER TABLE %%s ENABLE %%sTRIGGER %%I', c.oid::regclass,
                  CASE t.tgenabled WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END, t.tgname)
      FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
     WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s)
       AND NOT t.tgisinternal AND t.tgenabled <> 'D'
     ORDER BY c.relname, t.tgname
"""


def removable_parts(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> list[Part]:
    """Return the parts of the tables that loading is faster without, in the order in which they come back.

    The tables must be empty: indexes with expressions are made anew to see whether that gives the same definition.
    """
    tables = _tables(models)
    indexes = _parts(connection, _INDEXES, [tables])
    intricate = [part for part in indexes if part.is_intricate]
    with transaction.atomic(using=connection.alias):
        for part in intricate:
            with connection.cursor() as cursor:
                cursor.execute(part.remove)
                cursor.execute(part.restore)
        same = set(_parts(connection, _INDEXES, [tables]))
        transaction.set_rollback(True, using=connection.alias)
    return [
        *(part for part in indexes if part in same),
        *_parts(connection, _CONSTRAINTS, [tables, "u"]),
        *_parts(connection, _CONSTRAINTS, [tables, "f"]),
        *_parts(connection, _TRIGGERS, [tables]),
    ]


def _parts(connection: BaseDatabaseWrapper, query: str, parameters: list[Any]) -> list[Part]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return [Part(*row) for row in cursor.fetchall()]


def remove_parts(connection: BaseDatabaseWrapper, parts: Sequence[Part]) -> None:
    """Take the parts away, foreign keys before what they rest on."""
    with connection.cursor() as cursor:
        for part in reversed(parts):
            cursor.execute(part.remove)


def advance_sequences(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> None:
    """Let sequences whose next key is taken go on beyond the highest one, within the transaction.

    `setval` would outlive its end.
    """
    with connection.cursor() as cursor:
        for _, sequence, highest in _lagging(connection, models):
            # RESTART takes no parameter; the number is ours.
            cursor.execute(f"ALTER SEQUENCE {sequence} RESTART WITH {highest + 1}")


def lagging_sequences(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> list[str]:
    """Return the tables whose next key from the sequence is already taken."""
    return [table for table, _, _ in _lagging(connection, models)]


def _lagging(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> list[tuple[str, str, int]]:
    """Return table, sequence and highest key where the next key of the sequence is not beyond it."""
    lagging = []
    with connection.cursor() as cursor:
        for table, column, sequence in sequences(connection, models):
            following = "CASE WHEN is_called THEN last_value + 1 ELSE last_value END"
            cursor.execute(f"SELECT {following} FROM {sequence}")  # noqa: S608 - a name of the catalog
            (next_key,) = cursor.fetchone()
            highest = _highest(cursor, table, column)
            if highest is not None and next_key <= highest:
                lagging.append((table, sequence, highest))
    return lagging


def sequences(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> list[tuple[str, str, str]]:
    """Return table, column and sequence of the primary keys that count by themselves."""
    found = []
    with connection.cursor() as cursor:
        for model in models:
            table, column = model._meta.db_table, str(model._meta.pk.column)
            cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [connection.ops.quote_name(table), column])
            (sequence,) = cursor.fetchone()
            if sequence:
                found.append((table, column, sequence))
    return found


def _highest(cursor: Any, table: str, column: str) -> int | None:
    statement = sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(column), sql.Identifier(table))
    cursor.execute(statement)
    (highest,) = cursor.fetchone()
    return None if highest is None else int(highest)


def _tables(models: Iterable[type[Model]]) -> list[str]:
    return [model._meta.db_table for model in models]
