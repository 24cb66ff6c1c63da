"""Taking a base backup: pg_basebackup copies the server's files, pg_verifybackup reads them, and one file keeps them.

The list of files that the server signs (`backup_manifest`) stays readable beside them: the next incremental one starts
from it, also where the files themselves are locked.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from config.db.errors import Refused
from config.ops.backup.catalogue import read_catalogue
from config.ops.backup.clients import Client, client_program, connection_environment
from config.ops.backup.contents import postgresql_migrations
from config.ops.backup.draft import INCREMENTAL, Contents, Draft, Wanted
from config.ops.backup.manifest import (
    FileEntry,
    Physical,
    flush_folder,
    sha256_of_entries,
    sha256_of_file,
)
from config.ops.backup.running import ProgramFailed, running
from config.ops.backup.streams import BASE, BASE_FIRST
from config.ops.backup.writing import write_backup
from config.ops.direct import direct_connection
from config.ops.physical.chains import newest_usable
from config.ops.physical.packing import Packed

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg
    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.catalogue import Entry
    from config.ops.backup.folders import WorkFolder

INCREMENTAL_SINCE = 17
FILE_LIST = "backup_manifest"
# Where the set-up of what does more than we do is written.
ELSEWHERE = 'docs/backup-and-recovery.md, under "PostgreSQL 14 to 16: pgBackRest"'
FACTS = """
    SELECT (SELECT system_identifier::text FROM pg_control_system()),
           current_setting('archive_mode') <> 'off',
           coalesce(current_setting('summarize_wal', true), 'off') = 'on',
           ARRAY(SELECT spcname::text FROM pg_tablespace WHERE spcname NOT IN ('pg_default', 'pg_global'))
"""


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What a server says of itself before its files are copied; `tablespaces` are those that people made."""

    version: str
    major: int
    migrations: dict[str, str]
    system_identifier: str
    archives: bool
    summarizes: bool
    tablespaces: list[str]


def write_base(connection: BaseDatabaseWrapper, work: WorkFolder, wanted: Wanted, root: Path) -> Draft:
    """Write a base backup into the work folder and read it back; the last one in `root` is what one may build on.

    Raises Refused, Damaged or OSError, leaving what it wrote.
    """
    with direct_connection(connection) as session:
        facts = _look(session)
    _refuse_unfit(facts, wanted)
    previous = _previous(connection, facts, root) if wanted.kind == INCREMENTAL else None
    program = client_program("pg_basebackup", facts.major)
    files = work.path / "files"
    _copy(program, connection_environment(connection), files, previous, work)
    ends_at = _clock(connection)
    verify_files(client_program("pg_verifybackup", facts.major), files, server_major=facts.major)
    physical = Physical(
        system_identifier=facts.system_identifier,
        first_wal=_first_wal(files),
        ends_at=ends_at,
        archived=facts.archives,
        based_on=previous.backup.name if previous else "",
    )
    return _packed(files, work.path / "backup", wanted, program, facts, physical)


def verify_files(program: Client, files: Path, *, server_major: int) -> None:
    """Let pg_verifybackup compare files with the list that the server signed. Raises Refused."""
    # It has pg_waldump read the log, which is no part of a client's package, and of one major version only.
    reads_log = program.major == server_major and program.path.with_name("pg_waldump").exists()
    command = [str(program.path), "--quiet", *([] if reads_log else ["--no-parse-wal"]), str(files)]
    with running(command, dict(os.environ), stdout=subprocess.DEVNULL) as verifying:
        verifying.check()


def _look(session: psycopg.Connection[Any]) -> ServerFacts:
    row = session.execute(FACTS).fetchone() or ()
    return ServerFacts(
        session.info.parameter_status("server_version") or "",
        session.info.server_version // 10_000,
        postgresql_migrations(session),
        *row,
    )


def _clock(connection: BaseDatabaseWrapper) -> datetime:
    # The server's: a recovery is told by it where to stop.
    with direct_connection(connection) as session:
        row = session.execute("SELECT clock_timestamp()").fetchone()
    if row is None:
        raise Refused("The server does not tell the time.")
    moment: datetime = row[0]
    return moment.astimezone(UTC)


def _refuse_unfit(facts: ServerFacts, wanted: Wanted) -> None:
    if facts.tablespaces:
        raise Refused(
            f"The server keeps files in tablespaces of their own ({', '.join(facts.tablespaces)}), which --physical "
            f"does not copy: set up pgBackRest ({ELSEWHERE})."
        )
    if wanted.kind != INCREMENTAL:
        return
    if facts.major < INCREMENTAL_SINCE:
        raise Refused(
            f"The server is PostgreSQL {facts.major}, and incremental base backups begin with {INCREMENTAL_SINCE}: "
            "leave --incremental out, since the archived log holds every change in between anyway, or set up "
            f"pgBackRest ({ELSEWHERE})."
        )
    if not facts.summarizes:
        raise Refused(
            "The server keeps no account of changed blocks: run `ALTER SYSTEM SET summarize_wal = on`, `SELECT "
            "pg_reload_conf()`, and then a full base backup (manage.py backup --physical)."
        )


def _previous(connection: BaseDatabaseWrapper, facts: ServerFacts, root: Path) -> Entry:
    entry = newest_usable(read_catalogue(root, connection), system_identifier=facts.system_identifier)
    if entry is None:
        raise Refused(
            f"There is no base backup of this server in {root} to build on: run manage.py backup --physical first."
        )
    return entry


def _copy(program: Client, environment: dict[str, str], files: Path, previous: Entry | None, work: WorkFolder) -> None:
    command = [
        *(str(program.path), "--no-password", f"--pgdata={files}", "--format=plain", "--wal-method=stream"),
        # What is packed afterwards is flushed then.
        *("--checkpoint=fast", "--manifest-checksums=SHA256", "--label=forecourt", "--no-sync"),
        *([f"--incremental={previous.backup / FILE_LIST}"] if previous else []),
    ]
    try:
        # The program may outlive us: it then holds the lock on the folder into which it writes.
        with running(command, environment, stdout=subprocess.DEVNULL, inherited=[work.lock]) as copying:
            copying.check()
    except ProgramFailed as failure:
        if previous is None:
            raise
        raise Refused(
            f"{failure}\nNothing was built on {previous.backup.name}. A full base backup always works: "
            "manage.py backup --physical"
        ) from failure


def _first_wal(files: Path) -> str:
    label = (files / BASE_FIRST).read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)", label, re.MULTILINE)
    if found is None:
        raise Refused(f"The server's {BASE_FIRST} does not say where its log begins.")
    return found[1]


def _packed(
    files: Path, package: Path, wanted: Wanted, program: Client, facts: ServerFacts, physical: Physical
) -> Draft:
    package.mkdir(mode=0o700)
    archive = package / f"base.tar{'.zst' if wanted.compress else ''}{'.age' if wanted.lock else ''}"
    written = write_backup(Packed(files), archive, compress=wanted.compress, lock=wanted.lock, progress=wanted.progress)
    entries = (
        _beside(files / FILE_LIST, package),
        FileEntry(archive.name, written.size, written.sha256),
    )
    return Draft(
        path=package,
        suffix=".base",
        archive=BASE,
        compression="zstd" if wanted.compress else "none",
        size=sum(entry.size for entry in entries),
        sha256=sha256_of_entries(entries),
        plain_size=written.plain_size,
        server_version=facts.version,
        program_version=program.version,
        contents=Contents(facts.migrations, {}, {}),
        files=entries,
        physical=physical,
    )


def _beside(file: Path, package: Path) -> FileEntry:
    copy = package / file.name
    shutil.copyfile(file, copy)
    copy.chmod(0o600)
    with copy.open("rb") as opened:
        os.fsync(opened.fileno())
    flush_folder(package)
    return FileEntry(copy.name, copy.stat().st_size, sha256_of_file(copy))
