"""Keeps PostgreSQL's write-ahead log: the program behind `archive_command` and `restore_command`.

    archive_command = 'python3 /srv/forecourt/config/ops/physical/wal.py archive /backups/wal %p'
    restore_command = 'python3 /srv/forecourt/config/ops/physical/wal.py fetch /backups/wal %f %p'

PostgreSQL deletes what it was told is archived, and ends a recovery where it is told that there is no more. So
`archive` says so only of what was compressed, flushed, read back and renamed, and never replaces a file by a different
one; and `fetch` tells a file that is missing from one that is damaged.

Standard library only, and run by path: the database's account can use it on a machine without Forecourt.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import gzip
import os
import re
import shutil
import sys
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

# A segment, one that a promoted standby did not fill, the label of a base backup, a timeline's history.
NAME = re.compile(r"[0-9A-F]{24}(\.partial|\.[0-9A-F]{8}\.backup)?|[0-9A-F]{8}\.history")
SUFFIX = ".gz"
UNFINISHED = ".unfinished"
LOCK_FILE = ".lock"
PIECE = 1 << 20  # bytes
# Faster than PostgreSQL writes; the next levels take twice as long for one byte in twenty.
LEVEL = 1

DONE, MISSING = 0, 1
# PostgreSQL takes any other failure for the end of the log, and would open with what it has so far.
ABORT_RECOVERY = 200


class Refused(Exception):
    """What was asked for is not done; the message says why."""


class Damaged(Refused):
    """A file of the archive cannot be read to its end."""


def archive(folder: Path, source: Path) -> None:
    """Put a finished file of the log into the archive, unless it is there already. Raises Refused or OSError."""
    _check_name(source.name)
    final = folder / f"{source.name}{SUFFIX}"
    with _locked(folder):
        if final.exists():
            # PostgreSQL comes again with what it did not learn of, for instance after a power cut.
            if not _same(final, source):
                raise Refused(f"{final} is there with other content: another server archives to this folder as well.")
            _flush(final)
        else:
            _write(folder, source, final)
        _flush(folder)


def fetch(folder: Path, name: str, target: Path) -> bool:
    """Put a file of the archive to `target`, whole or not at all; returns False if the archive does not have it.

    Raises Damaged, Refused or OSError.
    """
    _check_name(name)
    final = folder / f"{name}{SUFFIX}"
    if not folder.is_dir():
        raise Refused(f"There is no archive {folder}.")
    if not final.exists():
        return False
    unfinished = target.with_name(f"{target.name}{UNFINISHED}")
    try:
        with _unpacked(final) as packed, unfinished.open("wb") as file:
            shutil.copyfileobj(packed, file, PIECE)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return True


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise Refused(f"{name} is not the name of a file of the write-ahead log.")


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Work in the archive alone: what is unfinished there belongs to nobody."""
    with (folder / LOCK_FILE).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for abandoned in folder.glob(f".*{UNFINISHED}"):
            abandoned.unlink()
        yield


def _write(folder: Path, source: Path, final: Path) -> None:
    unfinished = folder / f".{source.name}{UNFINISHED}"
    try:
        with source.open("rb") as plain, _private(unfinished) as file:
            # Without a time in it, the same content is always the same file.
            with gzip.GzipFile("", "wb", LEVEL, file, mtime=0) as packed:
                shutil.copyfileobj(plain, packed, PIECE)
            file.flush()
            os.fsync(file.fileno())
            _forget(file)
        if not _same(unfinished, source):
            raise Refused(f"{source.name} does not read back as it was written: look after the disk of {folder}.")
        unfinished.rename(final)
    finally:
        unfinished.unlink(missing_ok=True)


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640), "wb")


def _forget(file: BinaryIO) -> None:
    # The disk shall answer, not the memory.
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _same(packed_file: Path, source: Path) -> bool:
    with _unpacked(packed_file) as packed, source.open("rb") as plain:
        while piece := plain.read(PIECE):
            if packed.read(len(piece)) != piece:
                return False
        return not packed.read(1)


@contextlib.contextmanager
def _unpacked(path: Path) -> Iterator[BinaryIO]:
    try:
        with gzip.open(path, "rb") as file:
            yield cast("BinaryIO", file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Damaged(f"{path} is damaged: {error}.") from error


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(arguments: list[str] | None = None) -> int:
    """Archive or fetch one file; the answer is the exit code, and a line for the server's log where it is no."""
    parser = argparse.ArgumentParser(description="Archives and fetches files of PostgreSQL's write-ahead log.")
    commands = parser.add_subparsers(dest="command", required=True)
    archiving = commands.add_parser("archive", help="for archive_command: archive DIR %%p")
    fetching = commands.add_parser("fetch", help="for restore_command: fetch DIR %%f %%p")
    for command in (archiving, fetching):
        command.add_argument("folder", type=Path, help="the archive")
    archiving.add_argument("source", type=Path, help="the file to archive")
    fetching.add_argument("name", help="the file to fetch")
    fetching.add_argument("target", type=Path, help="where to put it")
    given = parser.parse_args(arguments)
    try:
        if given.command == "archive":
            archive(given.folder, given.source)
            return DONE
        return DONE if fetch(given.folder, given.name, given.target) else MISSING
    except OSError as error:
        advice = "" if given.folder.is_dir() else ": make the folder, owned by PostgreSQL's account"
        sys.stderr.write(f"{error.filename or given.folder}: {error.strerror or error}{advice}\n")
    except Refused as refusal:
        sys.stderr.write(f"{refusal}\n")
    except Exception:  # noqa: BLE001 - Python's own exit code for it means that the archive has no such file
        traceback.print_exc()
    return MISSING if given.command == "archive" else ABORT_RECOVERY


if __name__ == "__main__":
    sys.exit(main())
