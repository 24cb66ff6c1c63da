"""Which engine a backup is of: what one wrote, the other cannot read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.database_url import shown_url
from config.db.errors import Refused
from config.ops.backup.draft import DATA
from config.ops.backup.streams import BASE, SQLITE

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.restoring.content import Content
    from config.ops.restoring.source import Source

ENGINES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}
WAYS_OUT = {
    "sqlite": "restore it into a file with `--target sqlite:///moved.sqlite3`, and move that with `manage.py "
    "sqlite_to_postgres moved.sqlite3`",
    "postgresql": "give `--target postgresql://...`; rows do not go from PostgreSQL to SQLite",
}


def refuse_misfit(source: Source, connection: BaseDatabaseWrapper) -> None:
    """Raise Refused when the manifest says already that the backup cannot be used; reading it may take long."""
    if source.manifest:
        _refuse_base(source, is_base=source.manifest.archive == BASE)
        _refuse(source, source.manifest.engine, connection)
    if source.manifest and source.manifest.kind == DATA:
        raise Refused(
            f"{source.name} holds rows without the tables (--type data), which is no whole database: restore a full "
            "backup, or load the rows with `pg_restore --data-only` into an empty schema."
        )


def refuse_other_engine(source: Source, content: Content, connection: BaseDatabaseWrapper) -> None:
    """Raise Refused, with the way out, when the content was written by another engine than that of the target."""
    _refuse_base(source, is_base=content.kind == BASE)
    _refuse(source, "sqlite" if content.kind == SQLITE else "postgresql", connection)


def _refuse_base(source: Source, *, is_base: bool) -> None:
    if is_base:
        raise Refused(
            f"{source.name} holds the files of a whole server: restore it into a new folder, with --into DIR, and with "
            "--to-time TIME as of any later moment."
        )


def _refuse(source: Source, engine: str, connection: BaseDatabaseWrapper) -> None:
    if engine != connection.vendor:
        raise Refused(
            f"{source.name} is a backup of {ENGINES[engine]}, and the target is {shown_url(connection.settings_dict)}: "
            f"{WAYS_OUT[engine]}."
        )
