"""Emptying and rebuilding databases that are only good for development."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings

from config.database_url import SQLITE, parse_database_url, shown_url
from config.db.errors import Refused
from config.ops.app_schemas import arrange_tables
from config.ops.scratch import connected, empty_schemas

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


def refuse_outside_development(command: str) -> None:
    """Raise Refused unless ENVIRONMENT is development and DEBUG is on."""
    if settings.ENVIRONMENT != "development" or not settings.DEBUG:
        raise Refused(f"{command} destroys data: it runs only with ENVIRONMENT=development and DEBUG=true.")


def empty_database(connection: BaseDatabaseWrapper) -> None:
    """Drop everything in the connection's database, migrations' records included."""
    if connection.vendor == "sqlite":
        connection.close()
        _remove_sqlite_file(connection.settings_dict["NAME"])
    else:
        empty_schemas(connection)


def _remove_sqlite_file(name: str) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{name}{suffix}").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Contents:
    """What emptying a database would destroy."""

    database: str
    name: str
    tables: int
    rows: int


def push_target(url: str, live: BaseDatabaseWrapper) -> dict[str, Any]:
    """Return the ``DATABASES`` keys of the scratch database of `url`. Raises Refused when it is the live database."""
    target = parse_database_url("URL", url, settings.BASE_DIR).config
    if shown_url(target) == shown_url(live.settings_dict):
        raise Refused(f"{shown_url(target)} is the database that DATABASE_URL names: use reset_database for that one.")
    return target


def contents(url: str, live: BaseDatabaseWrapper) -> Contents:
    """Count the tables and rows of the scratch database of `url`, without making a file that is not there.

    Raises Refused when `url` is the live database.
    """
    target = push_target(url, live)
    name = str(target["NAME"])
    if target["ENGINE"] == SQLITE and not Path(name).exists():
        return Contents(shown_url(target), name, 0, 0)
    rows = 0
    with connected(url) as connection, connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a table's name
            rows += cursor.fetchone()[0]
    return Contents(shown_url(target), name, len(tables), rows)


def push_models(url: str, live: BaseDatabaseWrapper) -> int:
    """Empty the database of `url`, make the tables of the current models there and return how many models it were.

    What migrations add by hand (triggers, partitions, search tables) is not made. Raises Refused when `url` is the live
    database.
    """
    target = push_target(url, live)
    if target["ENGINE"] == SQLITE:
        _remove_sqlite_file(target["NAME"])
    models = [model for model in apps.get_models() if model._meta.managed and not model._meta.proxy]
    with connected(url) as connection:
        if target["ENGINE"] != SQLITE:
            empty_schemas(connection)
        with connection.schema_editor() as editor:
            for model in models:
                editor.create_model(model)
        arrange_tables(connection)
    return len(models)
