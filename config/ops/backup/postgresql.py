"""Dumping a PostgreSQL database with pg_dump, and counting its rows in the very snapshot that is dumped."""

from __future__ import annotations

import subprocess
import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

from config.db.errors import Refused
from config.ops.backup.clients import Client, client_program, connection_environment
from config.ops.backup.contents import postgresql_checksums, postgresql_migrations, postgresql_rows
from config.ops.backup.draft import DATA, FULL, SCHEMA, Contents, Draft, Wanted
from config.ops.backup.folder import FolderCompression, read_back_folder
from config.ops.backup.manifest import sha256_of_entries
from config.ops.backup.running import ProgramFailed, Running, running
from config.ops.backup.writing import Lister, write_backup
from config.ops.direct import direct_connection, interrupt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.folders import WorkFolder

SESSION_SETTINGS = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
KIND_ARGUMENTS: dict[str, tuple[str, ...]] = {FULL: (), SCHEMA: ("--schema-only",), DATA: ("--data-only",)}


def dump_postgresql(connection: BaseDatabaseWrapper, work: WorkFolder, wanted: Wanted) -> Draft:
    """Write a backup into the work folder. Raises Refused, Damaged or OSError, leaving what it wrote."""
    environment = connection_environment(connection)
    with direct_connection(connection) as session:
        program = client_program("pg_dump", session.info.server_version // 10_000)
        with _snapshot(session) as snapshot:
            command = [str(program.path), "--no-password", f"--snapshot={snapshot}", *KIND_ARGUMENTS[wanted.kind]]
            dump = _dump_folder if wanted.jobs else _dump_file
            return dump(session, program, command, environment, work, wanted)


def _dump_file(
    session: psycopg.Connection[Any],
    program: Client,
    command: list[str],
    environment: dict[str, str],
    work: WorkFolder,
    wanted: Wanted,
) -> Draft:
    path = work.path / "backup"
    with ExitStack() as opened:
        dump = opened.enter_context(running([*command, "--format=custom", "--compress=0"], environment))
        contents = opened.enter_context(_counting(session, wanted))
        lister = Lister(_pg_restore(program).path)
        opened.callback(lister.stop)
        written = write_backup(
            _Output(dump),
            path,
            compress=wanted.compress,
            lock=wanted.lock,
            progress=wanted.progress,
            lister=lister,
        )
        return Draft(
            path=path,
            suffix=f".dump{'.zst' if wanted.compress else ''}{'.age' if wanted.lock else ''}",
            archive="custom",
            compression="zstd" if wanted.compress else "none",
            size=written.size,
            sha256=written.sha256,
            plain_size=written.plain_size,
            server_version=_server_version(session),
            program_version=program.version,
            contents=contents.result(),
        )


def _dump_folder(
    session: psycopg.Connection[Any],
    program: Client,
    command: list[str],
    environment: dict[str, str],
    work: WorkFolder,
    wanted: Wanted,
) -> Draft:
    path = work.path / "backup"
    with _counting(session, wanted) as contents:
        compression = FolderCompression.best(program.major) if wanted.compress else FolderCompression.NONE
        command += ["--format=directory", f"--jobs={wanted.jobs}", f"--file={path}"]
        try:
            _run([*command, f"--compress={compression.option}"], environment, work)
        except ProgramFailed as failure:
            if compression is not FolderCompression.ZSTD or "does not support compression" not in str(failure):
                raise
            compression = FolderCompression.GZIP
            _run([*command, f"--compress={compression.option}"], environment, work)
        _run([str(_pg_restore(program).path), "--list", str(path)], environment, work)
        entries, plain_size = read_back_folder(path, jobs=wanted.jobs or 1)
        return Draft(
            path=path,
            suffix=".dir",
            archive="directory",
            compression=compression.value,
            size=sum(entry.size for entry in entries),
            sha256=sha256_of_entries(entries),
            plain_size=plain_size,
            server_version=_server_version(session),
            program_version=program.version,
            contents=contents.result(),
            files=entries,
        )


def _run(command: list[str], environment: dict[str, str], work: WorkFolder) -> None:
    # The program may outlive us: it then holds the lock on the folder into which it writes.
    with running(command, environment, stdout=subprocess.DEVNULL, inherited=[work.lock]) as program:
        program.check()


def _pg_restore(pg_dump: Client) -> Client:
    sibling = pg_dump.path.with_name("pg_restore")
    return Client(sibling, pg_dump.version) if sibling.exists() else client_program("pg_restore", pg_dump.major)


def _server_version(session: psycopg.Connection[Any]) -> str:
    return session.info.parameter_status("server_version") or ""


class _Output:
    """What a program writes; its end counts only if the program ended well."""

    def __init__(self, program: Running) -> None:
        self.program, self.pipe = program, program.process.stdout

    def read(self, size: int, /) -> bytes:
        piece: bytes = self.pipe.read(size) if self.pipe else b""
        if not piece:
            self.program.check()
        return piece


@contextmanager
def _snapshot(session: psycopg.Connection[Any]) -> Iterator[str]:
    """Yield the name of a snapshot which this session and others see for as long as the block lasts."""
    try:
        for name, value in SESSION_SETTINGS.items():
            session.execute("SELECT set_config(%s, %s, false)", [name, value])
        session.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = session.execute("SELECT pg_export_snapshot()").fetchone()
    except psycopg.Error as error:
        raise Refused(f"The server gives no snapshot: {str(error).strip()}") from error
    yield str(row[0] if row else "")


@contextmanager
def _counting(session: psycopg.Connection[Any], wanted: Wanted) -> Iterator[_Counting]:
    """Count in a thread of its own for as long as the block lasts."""
    counting = _Counting(session, wanted)
    counting.start()
    try:
        yield counting
    finally:
        interrupt(session, counting.has_ended)


class _Counting(threading.Thread):
    """Reads what the snapshot holds, beside the dump."""

    def __init__(self, session: psycopg.Connection[Any], wanted: Wanted) -> None:
        super().__init__(name="counting", daemon=True)
        self.session, self.wanted = session, wanted
        self.contents: Contents | None = None
        self.failure: psycopg.Error | None = None

    def has_ended(self, seconds: float) -> bool:
        """Wait for at most so many seconds, and say whether everything is counted."""
        self.join(seconds)
        return not self.is_alive()

    def run(self) -> None:
        try:
            # A savepoint: an error that ended the transaction would take the snapshot away from the dump.
            with self.session.transaction():
                migrations = postgresql_migrations(self.session)
                rows = postgresql_rows(self.session) if self.wanted.kind != SCHEMA else {}
                checksums = postgresql_checksums(self.session) if self.wanted.checksums else {}
            self.contents = Contents(migrations, rows, checksums)
        except psycopg.Error as failure:
            self.failure = failure

    def result(self) -> Contents:
        """Wait for the end and return what was found. Raises Refused."""
        self.join()
        if self.contents is None:
            raise Refused(f"The rows could not be counted: {str(self.failure).strip()}") from self.failure
        return self.contents
