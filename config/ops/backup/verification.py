"""Proving a backup: it is restored into a scratch database, and every table is compared with what was dumped."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import django
import psycopg
from django.apps import apps
from django.conf import settings

from config.db.errors import Refused
from config.ops.backup.clients import client_program, connection_environment
from config.ops.backup.contents import (
    differences,
    postgresql_checksums,
    postgresql_rows,
    sqlite_checksums,
    sqlite_rows,
)
from config.ops.backup.manifest import Damaged
from config.ops.backup.running import ProgramFailed, running
from config.ops.backup.sqlite import private_database
from config.ops.backup.streams import open_backup
from config.ops.direct import direct_connection
from config.ops.scratch import connected, scratch_url

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.draft import Draft, Wanted
    from config.ops.backup.folders import WorkFolder

RESTORE = ["--exit-on-error", "--no-owner", "--no-privileges", "--clean", "--if-exists"]
MOST_SHOWN = 5


def verify(connection: BaseDatabaseWrapper, draft: Draft, work: WorkFolder, wanted: Wanted) -> None:
    """Restore the draft into a scratch database and compare it, then drop that.

    Raises Damaged when it does not restore or differs, Refused when there can be no scratch database.
    """
    if draft.archive == "sqlite":
        rows, checksums = _restored_sqlite(draft, work, wanted)
    else:
        rows, checksums = _restored_postgresql(connection, draft, wanted)
    found = differences(draft.contents.rows, rows) or differences(draft.contents.checksums, checksums)
    if found:
        more = f" and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
        raise Damaged(f"The backup restores to something else: {'; '.join(found[:MOST_SHOWN])}{more}.")


def _restored_sqlite(draft: Draft, work: WorkFolder, wanted: Wanted) -> tuple[dict[str, int], dict[str, str]]:
    with open_backup(draft.path, wanted.keys) as stream, private_database(work.path / "restored") as restored:
        restored.write(stream.pieces())
        if (verdict := restored.database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise Damaged(f"The backup is damaged: {verdict}.")
        return sqlite_rows(restored.database), sqlite_checksums(restored.database)


def _restored_postgresql(
    connection: BaseDatabaseWrapper, draft: Draft, wanted: Wanted
) -> tuple[dict[str, int], dict[str, str]]:
    if settings.SHADOW_DATABASE and not apps.ready:
        # What has to be emptied there, the apps know.
        django.setup()
    try:
        with scratch_url(connection) as url, connected(url) as scratch:
            _restore(scratch, draft, wanted)
            with direct_connection(scratch) as session, session.transaction():
                return postgresql_rows(session), postgresql_checksums(session)
    except ProgramFailed as failure:
        raise Damaged(f"The backup does not restore: {failure}") from failure
    except psycopg.Error as error:
        raise Refused(f"The scratch database failed: {str(error).strip()}") from error


def _restore(scratch: BaseDatabaseWrapper, draft: Draft, wanted: Wanted) -> None:
    with direct_connection(scratch) as session:
        server_major = session.info.server_version // 10_000
    program = client_program("pg_restore", max(server_major, int(draft.program_version.split(".")[0])))
    command = [str(program.path), *RESTORE, "--no-password", f"--dbname={scratch.settings_dict['NAME']}"]
    environment = connection_environment(scratch)
    if draft.archive == "directory":
        with running([*command, f"--jobs={wanted.jobs}", str(draft.path)], environment) as restore:
            restore.check()
        return
    with (
        open_backup(draft.path, wanted.keys) as stream,
        running([*command, "--single-transaction"], environment, stdin=subprocess.PIPE) as restore,
    ):
        if restore.process.stdin:
            try:
                for piece in stream.pieces():
                    restore.process.stdin.write(piece)
            except BrokenPipeError:
                # It ended early; `check` tells why.
                pass
            restore.process.stdin.close()
        restore.check()
