"""Archives of rows: a folder per run and step, with one file of JSON lines per table and a manifest.

A line is one row: an object of columns. In tables that hang on the first one a line begins with ``_of``, the key of the
row that it belongs to, and the lines stand in the order of those keys. The folder gets its final name when everything
in it has been flushed and read back. Its manifest then says "archived"; once the rows are out of the database, "done".
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.apps import apps
from django.db.migrations.recorder import MigrationRecorder

from config.db.errors import Refused
from config.ops.backup.compression import DAMAGE, zstd
from config.ops.backup.folders import FOLDER_MODE, file_name
from config.ops.backup.manifest import Damaged, flush_folder
from config.ops.backup.writing import forget
from config.ops.version import forecourt_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

FORMAT = 1
MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"
OF = "_of"
ARCHIVED, DONE = "archived", "done"
PIECE = 1 << 20  # bytes

ZSTD_OPTIONS: dict[int, int] = {
    zstd.CompressionParameter.compression_level: 3,
    zstd.CompressionParameter.checksum_flag: 1,
}


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table of an archive: `model` as "app.Model", `size` in bytes on disk."""

    table: str
    model: str
    file: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ArchiveManifest:
    """What an archive holds; the first table is the one whose rows were due, the others hang on it.

    `action` is "delete" or "anonymize"; `oldest` and `newest` are the dates by which the rows were due; `state` is
    "archived" until the action is done with all of them, and `acted_on` counts on how many it was.
    """

    step: str
    action: str
    database: str
    engine: str
    forecourt_version: str
    migrations: dict[str, str]
    started_at: str
    finished_at: str
    oldest: str
    newest: str
    tables: tuple[TableFile, ...]
    state: str = ARCHIVED
    acted_on: int = 0


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive on disk."""

    folder: Path
    manifest: ArchiveManifest

    def path(self, table: TableFile) -> Path:
        """Return where the table's file is."""
        return self.folder / table.file


def model_of(table: TableFile) -> type[Model]:
    """Return the model of a table. Raises Refused if this version has none of that name."""
    try:
        model: type[Model] = apps.get_model(table.model)
    except LookupError:
        raise Refused(
            f"This version of Forecourt has no table for {table.model}: use the one of the manifest."
        ) from None
    return model


# Rows as lines


def row_line(columns: Iterable[str], values: Iterable[Any]) -> bytes:
    """Return a row as one line; equal rows make equal lines."""
    row = dict(zip(columns, values, strict=True))
    return json.dumps(row, default=_plain, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        # To the microsecond, unlike Django's own encoder.
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no form in an archive.")


# Writing


class TableWriter:
    """Writes one file; `finish` flushes it, reads it back from the disk and describes it."""

    def __init__(self, folder: Path, model: type[Model], columns: tuple[str, ...]) -> None:
        self.table, self.label, self.columns = model._meta.db_table, model._meta.label, columns
        self.path = folder / f"{self.table}.jsonl.zst"
        self.digest, self.plain_digest, self.rows = hashlib.sha256(), hashlib.sha256(), 0
        self.compressor = zstd.ZstdCompressor(options=ZSTD_OPTIONS)
        self.waiting: list[bytes] = []
        self.waiting_bytes = 0
        self.descriptor = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)

    def write(self, line: bytes) -> None:
        """Add one line."""
        self.rows += 1
        self.waiting.append(line)
        self.waiting_bytes += len(line)
        if self.waiting_bytes >= PIECE:
            self._compress()

    def _compress(self) -> None:
        lines = b"".join(self.waiting)
        self.waiting, self.waiting_bytes = [], 0
        self.plain_digest.update(lines)
        self._put(self.compressor.compress(lines))

    def _put(self, piece: bytes) -> None:
        self.digest.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def finish(self) -> TableFile:
        """Return what was written. Raises Damaged unless the disk gives the same back."""
        self._compress()
        self._put(self.compressor.flush())
        os.fsync(self.descriptor)
        size = os.fstat(self.descriptor).st_size
        # So that the disk answers, and not the memory of the system.
        forget(self.descriptor)
        os.close(self.descriptor)
        self.descriptor = -1
        described = TableFile(
            self.table, self.label, self.path.name, self.columns, self.rows, size, self.digest.hexdigest()
        )
        plain = hashlib.sha256()
        for line in checked_lines(self.path, described):
            plain.update(line)
        if plain.digest() != self.plain_digest.digest():
            raise Damaged(f"{self.path} does not read back as it was written: look after the disk.")
        return described

    def close(self) -> None:
        """Close the file, if `finish` did not."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def archive_root(folder: Path, connection: BaseDatabaseWrapper) -> Path:
    """Return the folder of this database's archives."""
    name = str(connection.settings_dict["NAME"])
    return folder / file_name(Path(name).stem if connection.vendor == "sqlite" else name)


def prepare(root: Path, what: str = "Archives") -> None:
    """Make the folder of what is to be written, if need be. Raises Refused when it cannot be made or written."""
    try:
        for path in reversed([path for path in (root, *root.parents) if not path.exists()]):
            path.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if not os.access(root, os.W_OK | os.X_OK):
            raise PermissionError(0, "permission denied")
    except OSError as error:
        raise Refused(f"{what} cannot be written to {root}: {error.strerror}.") from error


def remove_unfinished(root: Path) -> None:
    """Remove what killed runs left behind. Call it while no other run can be at work in `root`."""
    for path in root.glob(f".*{UNFINISHED}"):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def new_archive(root: Path, step: str) -> Iterator[Path]:
    """Yield a new work folder, out of sight, that is removed unless `publish` gave it its name."""
    work = root / f".{step}{UNFINISHED}"
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def publish(work: Path, manifest: ArchiveManifest, *, at: datetime) -> Archive:
    """Write the manifest, flush everything and give the folder its final name, which says step and time in UTC."""
    write_manifest(work, manifest)
    stem, number = f"{manifest.step}_{at.astimezone(UTC):%Y%m%d_%H%M%S}", 1
    while (folder := work.parent / f"{stem}{f'_{number}' if number > 1 else ''}").exists():
        number += 1
    work.rename(folder)
    flush_folder(folder.parent)
    return Archive(folder, manifest)


def describe(
    connection: BaseDatabaseWrapper, *, step: str, action: str, tables: Iterable[TableFile], oldest: Any, newest: Any,
    started_at: datetime, finished_at: datetime,
) -> ArchiveManifest:  # fmt: skip
    """Return the manifest of what was written."""
    # Sorted, so that the last one of each app stays.
    migrations = dict(sorted(MigrationRecorder(connection).applied_migrations()))
    return ArchiveManifest(
        step=step,
        action=action,
        database=str(connection.settings_dict["NAME"]),
        engine=connection.vendor,
        forecourt_version=forecourt_version(),
        migrations=migrations,
        started_at=started_at.astimezone(UTC).isoformat(),
        finished_at=finished_at.astimezone(UTC).isoformat(),
        oldest=_plain(oldest),
        newest=_plain(newest),
        tables=tuple(tables),
    )


def write_manifest(folder: Path, manifest: ArchiveManifest) -> None:
    """Write the manifest, whole or not at all."""
    content = {"format": FORMAT, **asdict(manifest)}
    text = json.dumps({**content, "manifest_sha256": _sha256(content)}, indent=2) + "\n"
    temporary = folder / f".{MANIFEST}{UNFINISHED}"
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.chmod(0o600)
    temporary.replace(folder / MANIFEST)
    flush_folder(folder)


def mark_done(archive: Archive, *, acted_on: int) -> None:
    """Note that the action is done with the rows of the archive."""
    write_manifest(archive.folder, replace(archive.manifest, state=DONE, acted_on=acted_on))


def _sha256(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# Reading


def read_archive(folder: Path) -> Archive:
    """Read the manifest of an archive. Raises Damaged when it is not what was written, Refused when it is none."""
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"{folder} is no archive: {MANIFEST} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Damaged(f"The manifest {path} is damaged: {error}.") from error
    stated = content.pop("manifest_sha256", None) if isinstance(content, dict) else None
    # A manifest is written by this program alone, so its checksum vouches for its form as well.
    if stated is None or stated != _sha256(content):
        raise Damaged(f"The manifest {path} was changed after it was written: its checksum differs.")
    if content.pop("format") != FORMAT:
        raise Refused(f"The manifest {path} is of another version of Forecourt: use that version.")
    tables = tuple(TableFile(**{**table, "columns": tuple(table["columns"])}) for table in content.pop("tables"))
    return Archive(folder, ArchiveManifest(**content, tables=tables))


def unfinished_archives(root: Path, step: str) -> list[Archive]:
    """Return the archives of a step whose rows are not known to be out of the database, oldest first."""
    folders = sorted(path for path in root.glob(f"{step}_[0-9]*") if path.is_dir())
    archives = (read_archive(folder) for folder in folders)
    return [archive for archive in archives if archive.manifest.step == step and archive.manifest.state != DONE]


def checked_lines(path: Path, table: TableFile) -> Iterator[bytes]:
    """Yield the lines of a file. Raises Damaged, at the latest at the end, unless it is what the manifest says."""
    rows = 0
    try:
        with path.open("rb", buffering=0) as raw:
            source = _Hashing(raw)
            with zstd.ZstdFile(source, "rb") as plain:
                for line in io.BufferedReader(plain, PIECE):
                    rows += 1
                    yield line
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error
    except DAMAGE as error:
        raise Damaged(f"{path} is damaged: {error}.") from error
    if (rows, source.size, source.digest.hexdigest()) != (table.rows, table.size, table.sha256):
        raise Damaged(f"{path} is damaged: its size or SHA-256 is not the one in its manifest.")


def check_files(archive: Archive, progress: Callable[[], None] = lambda: None) -> None:
    """Read every file of an archive to its end. Raises Damaged or Refused unless all are what the manifest says."""
    for table in archive.manifest.tables:
        for _ in checked_lines(archive.path(table), table):
            progress()


class _Hashing(io.RawIOBase):
    """Sums up what is read through it."""

    def __init__(self, source: io.FileIO) -> None:
        self.source, self.digest, self.size = source, hashlib.sha256(), 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = self.source.read(size)
        self.digest.update(piece)
        self.size += len(piece)
        return piece
