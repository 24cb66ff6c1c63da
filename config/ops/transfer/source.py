"""Opening somebody's only SQLite file: never written, read as one snapshot, and refused in plain words."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import struct
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.ops.transfer.layout import Layout

# The file format: https://www.sqlite.org/fileformat.html
MAGIC = b"SQLite format 3\x00"
WAL_VERSION = 2
# Where SQLite's locks lie: https://www.sqlite.org/src/file/src/os.h
LOCK_START, LOCK_LENGTH = 0x40000000, 512

LOCK_WAIT = 10.0  # seconds
# SQLite sorts in as much memory again.
CACHE_KIB = 4096
LENIENT_ROWS = 256
LOWEST_ROWID = -(2**63)


def source_path(name: str) -> Path:
    """Return the path that `name` means: a path, or a URL as other systems write it (`file:./dev.db`)."""
    for prefix in ("sqlite:///", "file://", "file:"):
        if name.lower().startswith(prefix):
            return Path(unquote(name[len(prefix) :].partition("?")[0]))
    return Path(name)


@contextmanager
def open_source(path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that reads `path` as it is now, whatever others write to it meanwhile.

    Raises Refused when it cannot be read, also from within the block when it turns out to be damaged.
    """
    header = _check_file(path)
    in_wal_mode = WAL_VERSION in header[18:20]
    beside = [Path(f"{path}{suffix}") for suffix in ("-wal", "-shm")]
    missing = [file for file in beside if in_wal_mode and not file.exists()]
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=LOCK_WAIT, isolation_level=None)) as connection:
            for setting in (f"cache_size=-{CACHE_KIB}", "mmap_size=0", "trusted_schema=OFF", "cell_size_check=ON"):
                connection.execute(f"PRAGMA {setting}")
            connection.execute("BEGIN")
            # The snapshot is taken by the first read.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            yield connection
    except sqlite3.Error as error:
        raise Refused(_explained(path, error, in_wal_mode=in_wal_mode)) from error
    finally:
        _remove_traces(path, missing)


def recognised(path: Path, source: sqlite3.Connection, layouts: Sequence[Layout]) -> Layout:
    """Return the layout of the file. Raises Refused when there is none, or the file is not ready to be moved."""
    for layout in layouts:
        if layout.recognises(source):
            layout.refuse_unready(source)
            return layout
    there = table_names(source)
    known = []
    for layout in layouts:
        missing = [table for table in layout.tables if table not in there]
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        known.append(f"{layout.name} (missing here: {', '.join(missing[:5])}{more})")
    raise Refused(
        f"{path} is a SQLite database, but of no layout that can be moved. Known layouts: {'; '.join(known)}. "
        f"Its tables are: {', '.join(there[:20]) or 'none'}."
    )


def table_names(source: sqlite3.Connection) -> list[str]:
    """Return the names of the file's tables, without those of SQLite itself."""
    rows = source.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return sorted(name for (name,) in rows)


def count_rows(source: sqlite3.Connection, table: str) -> int:
    """Return how many rows the table has."""
    (count,) = source.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608 - a name from the file's schema
    return int(count)


def read_rows(source: sqlite3.Connection, select: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of `select`, whose first column is the rowid of the table `t`, in the order of the rowid.

    Where text is not UTF-8, a stretch of rows is read anew with the bytes as lone surrogates (`surrogateescape`).
    """
    statement = f"{select} WHERE t.rowid > ? ORDER BY t.rowid LIMIT ?"
    last, limit = LOWEST_ROWID, -1
    while True:
        source.text_factory = str if limit < 0 else _lenient_text
        count = 0
        try:
            for row in source.execute(statement, [last, limit]):
                last = row[0]
                count += 1
                yield row
        except sqlite3.OperationalError as error:
            if not str(error).startswith("Could not decode to UTF-8"):
                raise
            limit = LENIENT_ROWS
            continue
        finally:
            source.text_factory = str
        if count != limit:
            return
        limit = -1


def _lenient_text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _check_file(path: Path) -> bytes:
    """Return the file's header. Raises Refused for whatever is no whole SQLite database."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Refused(f"{path} is a folder: name the database file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise Refused(f"{path} is not a regular file.")
        with path.open("rb") as file:
            header = file.read(100)
    except FileNotFoundError as error:
        raise Refused(f"{path} does not exist.") from error
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    if not header:
        raise Refused(f"{path} is empty.")
    if len(header) < 100 or not header.startswith(MAGIC):
        raise Refused(
            f"{path} is no SQLite database, or an encrypted one: an encrypted file has to be decrypted into a plain "
            "one first, with the program that encrypted it."
        )
    _refuse_truncated(path, header, status.st_size)
    return header


def _refuse_truncated(path: Path, header: bytes, size: int) -> None:
    page_size = struct.unpack(">H", header[16:18])[0]
    page_size = 65536 if page_size == 1 else page_size
    pages, changes, valid_for = (struct.unpack(">I", header[at : at + 4])[0] for at in (28, 24, 92))
    wal = Path(f"{path}-wal")
    if wal.exists() and wal.stat().st_size:
        # The newest pages may still be in there.
        return
    # An old program leaves the count of pages alone; then it does not count.
    if changes == valid_for and size < pages * page_size:
        raise Refused(
            f"{path} is truncated: it has {size:,} of {pages * page_size:,} bytes. "
            "Copy it again from where it came from."
        )


def _explained(path: Path, error: sqlite3.Error, *, in_wal_mode: bool) -> str:
    name = getattr(error, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return (
            f"{path} is locked: another program has been writing to it for more than {LOCK_WAIT:g} seconds. "
            "Stop that program, or wait until it is done."
        )
    if name.startswith("SQLITE_NOTADB"):
        return f"{path} is no SQLite database, or an encrypted one."
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_IOERR_SHORT_READ")):
        return (
            f"{path} is damaged: {error}. Nothing was moved. `sqlite3 {path.name} .recover` writes what can still be "
            "read as SQL, for a new file."
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) and Path(f"{path}-journal").exists():
        return (
            f"{path} was left in the middle of a change: {path.name}-journal lies beside it. Open it once with the "
            "program that it belongs to, or copy both files and run `sqlite3 COPY .tables`; then move that."
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")) and in_wal_mode:
        return (
            f"{path} is in WAL mode, and SQLite has to make a file beside it to read it, which it may not here. Copy "
            f"{path.name} and, if there is one, {path.name}-wal to a folder of your own and move that copy."
        )
    return f"{path} cannot be read: {error}."


def _remove_traces(path: Path, missing: list[Path]) -> None:
    """Remove the files that SQLite made beside a database in WAL mode so that we could read it.

    A connection that may not write never removes them, and left behind they would belong to whoever ran this. They
    go only under the lock that proves that nobody else has the database open.
    """
    made = [file for file in missing if file.exists()]
    if not made:
        return
    with suppress(OSError):
        # SQLite's exclusive lock wants a descriptor for writing; nothing is written.
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, LOCK_LENGTH, LOCK_START)
            if not any(file.name.endswith("-wal") and file.stat().st_size for file in made):
                for file in made:
                    file.unlink()
        finally:
            os.close(descriptor)
