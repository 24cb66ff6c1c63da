"""Where a database lives, which tells it from others of the same name.

A restore swaps databases by renaming, so nothing counts here that such a swap changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import psycopg

from config.ops.backup.manifest import Origin

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.postgresql.base import DatabaseWrapper

# Not the database itself first: a session that is just ending there would stand in the way of its restore.
ANY_DATABASE = "postgres"
SYSTEM = "SELECT system_identifier FROM pg_catalog.pg_control_system()"


def database_name(connection: BaseDatabaseWrapper) -> str:
    """Return the name under which a database's backups are kept: that of the file for SQLite, without its ending."""
    name = str(connection.settings_dict["NAME"])
    return Path(name).stem if connection.vendor == "sqlite" else name


def origin_of(connection: BaseDatabaseWrapper) -> Origin:
    """Return where the database of the connection lives, as far as its server can be asked."""
    if connection.vendor == "sqlite":
        return Origin(str(Path(str(connection.settings_dict["NAME"])).resolve()))
    parameters = cast("DatabaseWrapper", connection).get_connection_params()
    place = f"{parameters.get('host') or 'localhost'}:{parameters.get('port') or 5432}"
    for name in (ANY_DATABASE, str(connection.settings_dict["NAME"])):
        try:
            with psycopg.Connection.connect(**{**parameters, "dbname": name}, autocommit=True) as session:
                row = session.execute(SYSTEM).fetchone()
        except psycopg.Error:
            continue
        return Origin(place, str(row[0] if row else ""))
    return Origin(place)
