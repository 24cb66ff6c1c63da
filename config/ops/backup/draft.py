"""What a run wrote into its work folder, before it has a final name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.ops.backup.encryption import Keys, Lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from config.ops.backup.manifest import FileEntry, Physical

FULL, SCHEMA, DATA = "full", "schema", "data"
KINDS = (FULL, SCHEMA, DATA)
# Of the files of a whole server.
PHYSICAL, INCREMENTAL = "physical", "incremental"
PHYSICAL_KINDS = (PHYSICAL, INCREMENTAL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of backup to write.

    `jobs` asks for PostgreSQL's folder format, dumped by that many processes. With `checksums` every table's content
    is summed up as well, for a comparison; `keys` open what is locked, for that comparison.
    """

    kind: str = FULL
    compress: bool = True
    jobs: int | None = None
    lock: Lock = field(default_factory=Lock)
    checksums: bool = False
    keys: Keys = field(default_factory=Keys)
    progress: Callable[[int], None] = lambda size: None


@dataclass(frozen=True, slots=True)
class Contents:
    """What the backup holds, as of its own moment; `checksums` is empty when they were not asked for."""

    migrations: dict[str, str]
    rows: dict[str, int]
    checksums: dict[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A backup that was written and read back; the fields are those of the manifest."""

    path: Path
    suffix: str
    archive: str
    compression: str
    size: int
    sha256: str
    plain_size: int
    server_version: str
    program_version: str
    contents: Contents
    files: tuple[FileEntry, ...] = ()
    physical: Physical | None = None
