"""What restores replaced and kept, until somebody says that it may go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from config.db.errors import Refused

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True)
class Kept:
    """A replaced database, or file, and its size in bytes."""

    name: str
    size: int


def kept_by_restores(connection: BaseDatabaseWrapper) -> list[Kept]:
    """Return what restores of this database kept, the oldest first. Raises Refused when it cannot be listed."""
    if connection.vendor == "sqlite":
        from config.ops.restoring.sqlite import kept_files, live_path

        return [Kept(str(path), path.stat().st_size) for path in kept_files(live_path(connection))]
    from config.ops.restoring.server import maintenance_session
    from config.ops.restoring.swap import kept_databases

    with maintenance_session(connection) as server:
        names = kept_databases(server, str(connection.settings_dict["NAME"]))
        sizes = server.execute(
            "SELECT datname, pg_database_size(datname) FROM pg_database WHERE datname = ANY(%s)", [names]
        )
        known = dict(sizes.fetchall())
        return [Kept(name, known[name]) for name in names]


def remove(connection: BaseDatabaseWrapper, kept: list[Kept]) -> None:
    """Remove them for good.

    Raises Refused: when one of them may be the live database, with nothing removed; when one cannot be removed, with
    those before it already gone.
    """
    if connection.vendor == "sqlite":
        from pathlib import Path

        from config.ops.restoring.sqlite import remove_kept

        for entry in kept:
            try:
                remove_kept(Path(entry.name))
            except OSError as error:
                raise Refused(f"{entry.name} cannot be removed: {error.strerror}.") from error
        return
    from config.ops.restoring.server import drop, maintenance_session
    from config.ops.restoring.swap import without_its_name

    with maintenance_session(connection) as server:
        if sentence := without_its_name(server, str(connection.settings_dict["NAME"])):
            raise Refused(f"Nothing was removed. {sentence}")
        for entry in kept:
            try:
                drop(server, entry.name, force=False)
            except psycopg.Error as error:
                raise Refused(f"{entry.name} cannot be dropped: {str(error).strip()}") from error
