"""Rights on what is inside of a PostgreSQL database: those of the live one go on, because roles depend on them.

pg_dump writes them, and pg_restore applies them, each as an entry of an archive's table of contents. An object that the
live database does not have keeps the rights that it had in the backup.
"""

from __future__ import annotations

import os
import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from config.ops.backup.clients import Client, client_program
from config.ops.backup.running import ProgramFailed, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ENTRY = re.compile(r"(?m)^\d+; \d+ \d+ (.+) \S+$")
RIGHT = re.compile(r"ACL (\S+) (\w+) (.+)")
DEFAULT_RIGHTS = "DEFAULT ACL "
DATABASE_RIGHTS = "ACL - DATABASE "
TABLE_LIKE = ("TABLE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE")
LOCK_WAIT = "10s"
FAILED = re.compile(r"ERROR:  (.+)")
# Of an object that the backup does not have.
UNKNOWN_OBJECT = re.compile(r"(relation|schema|function|column|type|large object|sequence|table) .*does not exist")


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive that has rights in it, the program that reads it, and the lines of its table of contents."""

    path: Path
    pg_restore: Client
    lines: tuple[str, ...]

    def rights(self) -> list[str]:
        """The lines that stand for rights inside of the database."""
        return [
            line
            for line in self.lines
            if (entry := _entry(line)).startswith(("ACL ", DEFAULT_RIGHTS)) and not entry.startswith(DATABASE_RIGHTS)
        ]

    def objects(self) -> set[str]:
        """What is in the archive, by kind, schema and name."""
        return {_entry(line) for line in self.lines}


def open_archive(path: Path, pg_restore: Client) -> Archive:
    """Read the table of contents of an archive. Raises Refused."""
    with running([str(pg_restore.path), "--list", str(path)], dict(os.environ)) as program:
        listed = program.process.stdout.read().decode() if program.process.stdout else ""
        program.check()
    return Archive(path, pg_restore, tuple(line for line in listed.splitlines() if not line.startswith(";") and line))


@contextmanager
def live_rights(environment: dict[str, str], server_major: int) -> Iterator[Archive]:
    """Yield an archive of the definitions of the database that `environment` leads to. Raises Refused."""
    pg_dump = client_program("pg_dump", server_major)
    with tempfile.TemporaryDirectory(prefix="forecourt-restore-") as folder:
        path = Path(folder) / "definitions"
        command = [str(pg_dump.path), "--no-password", "--schema-only", "--format=custom", f"--file={path}"]
        with running([*command, f"--lock-wait-timeout={LOCK_WAIT}"], environment) as program:
            program.check()
        yield open_archive(path, client_program("pg_restore", pg_dump.major))


def schema_rights(line: str) -> bool:
    """Whether a line stands for the rights on a schema, which whoever makes tables in it needs at once."""
    return _entry(line).startswith("ACL - SCHEMA ")


def rights_of_others(archive: Archive, live: Archive) -> list[str]:
    """Return the lines of rights on objects that are in the archive and not in the live database."""
    known = live.objects()
    return [line for line in archive.rights() if not _is_known(_entry(line), known)]


def _is_known(entry: str, known: set[str]) -> bool:
    right = RIGHT.fullmatch(entry)
    if right is None:
        # Default rights are the live database's alone.
        return True
    schema, kind, name = right.groups()
    if kind == "COLUMN":
        kind, name = "TABLE", name.rpartition(".")[0]
    kinds = TABLE_LIKE if kind == "TABLE" else (kind,)
    return any(f"{kind} {schema} {name}" in known for kind in kinds)


def apply_rights(
    archive: Archive, environment: dict[str, str], *, wanted: Callable[[str], bool] = lambda line: True
) -> list[str]:
    """Give the rights of the archive in the database of `environment`; returns sentences about those that failed."""
    return apply_lines(archive, [line for line in archive.rights() if wanted(line)], environment)


def apply_lines(archive: Archive, lines: list[str], environment: dict[str, str]) -> list[str]:
    """Carry out some lines of the table of contents; returns sentences about those that failed."""
    if not lines:
        return []
    with tempfile.NamedTemporaryFile("w", prefix="forecourt-restore-", encoding="utf-8") as chosen:
        chosen.write("\n".join(lines) + "\n")
        chosen.flush()
        database = environment["PGDATABASE"]
        command = [str(archive.pg_restore.path), "--no-password", f"--use-list={chosen.name}", f"--dbname={database}"]
        with running([*command, str(archive.path)], environment) as program:
            try:
                program.check()
            except ProgramFailed as failure:
                # It goes on after an error, and ends with one.
                return _findings(str(failure))
    return []


def _findings(said: str) -> list[str]:
    errors = dict.fromkeys(FAILED.findall(said))
    if not errors:
        return [f"Rights could not be given: {said}"]
    return [
        f"A right could not be given: {error}."
        for error in errors
        if not UNKNOWN_OBJECT.match(error) and "transaction_timeout" not in error
    ]


def _entry(line: str) -> str:
    found = ENTRY.match(line)
    return found[1] if found else ""
