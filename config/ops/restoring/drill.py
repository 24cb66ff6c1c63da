"""The drill: the backup is restored as on the worst day, compared, and thrown away; its manifest remembers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from config.database_url import url_of
from config.db.errors import Refused
from config.ops.backup.clients import connection_environment
from config.ops.backup.manifest import RESTORED, with_verification
from config.ops.direct import direct_connection
from config.ops.restoring.checks import (
    Checked,
    Migrations,
    analyse_and_count,
    applied_migrations,
    compare,
    migrations_state,
)
from config.ops.restoring.content import plain_content, sqlite_content
from config.ops.restoring.engines import refuse_other_engine
from config.ops.restoring.loading import Destination, load, refuse_unfit
from config.ops.restoring.remembering import note
from config.ops.restoring.server import maintenance_session, major, scratch_database
from config.ops.restoring.sqlite import check_database
from config.ops.scratch import connected

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.encryption import Keys
    from config.ops.restoring.content import Plain
    from config.ops.restoring.order import Watcher
    from config.ops.restoring.source import Source


@dataclass(frozen=True, slots=True)
class Drill:
    """How a drill went; it raised where it failed. `findings` are sentences about what did not work all the same."""

    file: str
    rows: dict[str, int]
    checks: list[str]
    migrations: Migrations
    seconds: float
    recorded: bool
    findings: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it with plain types."""
        return {
            "file": self.file,
            "rows": self.rows,
            "checked": self.checks,
            "pending_migrations": self.migrations.pending,
            "unknown_migrations": self.migrations.unknown,
            "seconds": round(self.seconds, 3),
            "recorded": self.recorded,
            "findings": self.findings,
        }


def drill(
    connection: BaseDatabaseWrapper, source: Source, keys: Keys, *, jobs: int, now: datetime, watcher: Watcher
) -> Drill:
    """Restore into a scratch database beside that of the connection, compare, drop it, and remember it in the manifest.

    Raises Refused or Damaged when the backup is not what it says.
    """
    began = time.monotonic()
    watcher.phase("checking the backup")
    if connection.vendor == "sqlite":
        with sqlite_content(source, keys) as (content, database):
            refuse_other_engine(source, content, connection)
            watcher.phase("comparing")
            checked = check_database(database, source.manifest)
    else:
        with plain_content(source, keys) as plain:
            content = plain.content
            refuse_other_engine(source, content, connection)
            checked = _on_postgresql(connection, source, plain, jobs, watcher)
    recorded, findings = False, checked.findings
    if source.manifest:
        try:
            note(source, lambda manifest: with_verification(manifest, RESTORED, now))
            recorded = True
        except (OSError, Refused) as error:
            findings = [*findings, f"The manifest does not know of the drill: {error}"]
    checks, seconds = [*content.checks, *checked.checks], time.monotonic() - began
    return Drill(source.name, checked.rows, checks, checked.migrations, seconds, recorded, findings)


def _on_postgresql(
    connection: BaseDatabaseWrapper, source: Source, plain: Plain, jobs: int, watcher: Watcher
) -> Checked:
    try:
        with maintenance_session(connection) as server:
            server_major = major(server)
        refuse_unfit(plain.content, server_major)
        with (
            scratch_database(connection) as name,
            connected(url_of(connection.settings_dict, name=name)) as scratch,
        ):
            watcher.phase("restoring")
            load(plain, Destination(connection_environment(scratch), server_major), jobs=jobs)
            watcher.phase("comparing")
            rows = analyse_and_count(scratch, jobs=jobs)
            checks = compare(source.manifest, rows, scratch)
            with direct_connection(scratch) as session:
                return Checked(rows, checks, migrations_state(applied_migrations(session)))
    except psycopg.Error as error:
        raise Refused(f"The server ended the drill: {str(error).strip()}") from error
