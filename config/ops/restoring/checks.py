"""Whether a restored PostgreSQL database is what the backup says, and fit for the application."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pkgutil import iter_modules
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import import_string
from psycopg import sql

from config.ops.backup.contents import differences, postgresql_checksums
from config.ops.backup.manifest import Damaged
from config.ops.direct import direct_connection

if TYPE_CHECKING:
    from collections.abc import Iterable

    import psycopg
    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.manifest import Manifest

MOST_SHOWN = 5
# Partitioned tables have statistics of their own, and no rows.
#
# Half of the work of ANALYZE are indexed expressions, and the live database waits to be replaced. So large tables that
# have such indexes get the statistics of their columns now. After ANALYZE with a list of columns, a table still counts
# as changed, and autovacuum adds the rest within its next minute; where it does not come, there is no list.
TABLES = """
    SELECT nspname, relname, relkind, CASE
           WHEN relkind = 'r' AND reltuples >= 10000
                AND current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_options_to_table(reloptions)
                                 WHERE option_name = 'autovacuum_enabled' AND NOT option_value::boolean)
                AND EXISTS (SELECT FROM pg_catalog.pg_index WHERE indrelid = c.oid AND indexprs IS NOT NULL)
           THEN ARRAY(SELECT attname FROM pg_catalog.pg_attribute
                       WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)
           ELSE '{}' END AS columns
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'm') AND relpersistence <> 't'
       AND nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
     ORDER BY pg_catalog.pg_relation_size(c.oid) DESC, nspname, relname
"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that wants statistics; `kind` is PostgreSQL's letter, and without `columns` all that it has is meant."""

    schema: str
    name: str
    kind: str
    columns: list[str]

    @property
    def identifier(self) -> sql.Identifier:
        """How statements call it."""
        return sql.Identifier(self.schema, self.name)

    def analysis(self) -> sql.Composed:
        """Return the statement that refreshes its statistics."""
        columns = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        return sql.SQL("ANALYZE {} ({})" if self.columns else "ANALYZE {}").format(self.identifier, columns)


@dataclass(frozen=True, slots=True)
class Migrations:
    """How the restored database stands to this version of Forecourt, with migrations as "app.name".

    `known` is False where there are none at all, so that it is no database of Forecourt.
    """

    known: bool
    pending: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        if not self.known:
            return "This is no database of Forecourt: it has no table of migrations."
        if self.unknown:
            return (
                f"It has {len(self.unknown)} migrations that this version does not know, such as {self.unknown[0]}: "
                "install the version that made the backup."
            )
        if self.pending:
            return f"{len(self.pending)} migrations are to be applied: run `manage.py migrate` before the application."
        return "All migrations are applied."


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a restored database; `findings` are sentences about what is not as it should be."""

    rows: dict[str, int]
    checks: list[str]
    migrations: Migrations
    findings: list[str] = field(default_factory=list)


def analyse_and_count(database: BaseDatabaseWrapper, *, jobs: int) -> dict[str, int]:
    """Refresh the planner's statistics of every table, and return the rows per "schema.table". Raises psycopg.Error."""
    waiting: SimpleQueue[Table] = SimpleQueue()
    with direct_connection(database) as session:
        for row in session.execute(TABLES).fetchall():
            waiting.put(Table(*row))
    counts: dict[str, int] = {}
    with ThreadPoolExecutor(jobs) as pool:
        for worker in [pool.submit(_work, database, waiting, counts) for _ in range(jobs)]:
            worker.result()
    return dict(sorted(counts.items()))


def _work(database: BaseDatabaseWrapper, waiting: SimpleQueue[Table], counts: dict[str, int]) -> None:
    with direct_connection(database) as session:
        session.execute("SELECT set_config('statement_timeout', '0', false), set_config('row_security', 'off', false)")
        while True:
            try:
                table = waiting.get_nowait()
            except Empty:
                return
            session.execute(table.analysis())
            if table.kind == "r":
                row = session.execute(sql.SQL("SELECT count(*) FROM ONLY {}").format(table.identifier)).fetchone()
                counts[f"{table.schema}.{table.name}"] = int(row[0]) if row else 0


def compare(manifest: Manifest | None, rows: dict[str, int], database: BaseDatabaseWrapper) -> list[str]:
    """Compare the restored database with the manifest and return what was compared. Raises Damaged or psycopg.Error."""
    if not rows:
        raise Damaged("The backup restores to no table at all: that is not what is wanted.")
    if manifest is None or not manifest.rows:
        return []
    refuse_differences(differences(manifest.rows, rows))
    if not manifest.checksums:
        return ["rows per table"]
    with direct_connection(database) as session, session.transaction():
        session.execute("SELECT set_config('statement_timeout', '0', true)")
        refuse_differences(differences(manifest.checksums, postgresql_checksums(session)))
    return ["rows per table", "checksum per table"]


def refuse_differences(found: list[str]) -> None:
    """Raise Damaged, naming the first ones, when there are differences."""
    if found:
        more = f" and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
        raise Damaged(f"The backup restores to something else: {'; '.join(found[:MOST_SHOWN])}{more}.")


def applied_migrations(session: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return the applied migrations by app and name; none where there is no table of them."""
    if session.execute("SELECT to_regclass('django_migrations')").fetchone() == (None,):
        return []
    return session.execute("SELECT app, name FROM django_migrations").fetchall()


def migrations_state(applied: Iterable[tuple[str, str]]) -> Migrations:
    """Compare applied migrations with those that this version has."""
    found, ours = set(applied), _own_migrations()
    if not found:
        return Migrations(known=False)
    apps = {app for app, _ in ours}
    return Migrations(
        known=True,
        pending=[f"{app}.{name}" for app, name in sorted(ours - found)],
        unknown=[f"{app}.{name}" for app, name in sorted(found - ours) if app in apps],
    )


def _own_migrations() -> set[tuple[str, str]]:
    # By the names of files: a restore must be possible while an app is broken, so none is loaded.
    found = set()
    for entry in settings.INSTALLED_APPS:
        package = import_string(entry).name if entry.rpartition(".")[2][0].isupper() else entry
        spec = find_spec(f"{package}.migrations") if find_spec(package) else None
        for module in iter_modules(spec.submodule_search_locations if spec else []):
            if not module.name.startswith("_"):
                found.add((package.rpartition(".")[2], module.name))
    return found
