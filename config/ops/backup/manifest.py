"""The manifest: a JSON file beside a backup which says what the backup is and proves that it is complete.

A backup without a manifest is not taken for a complete one. The manifest never holds a password, a key or a URL with
either.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from config.db.errors import Refused

FORMAT = 1
SUFFIX = ".manifest.json"
READ_SIZE = 1 << 20  # bytes
# The proof that the database still had the backup's content at a later moment.
UNCHANGED = "unchanged"
# The proof that a later failure takes away, and that takes an earlier failure away.
RESTORED = "restored"

Record = TypeVar("Record")


class Damaged(Refused):
    """A backup, or its manifest, is not what was written."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a backup that is a folder; `path` counts from that folder, `size` is in bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Verification:
    """One proof that the backup can be used: `how` is "read back", "restored", "pg_verifybackup" or "unchanged"."""

    how: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Failure:
    """One trial that found the backup damaged, in the words of the refusal."""

    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """One try to copy the backup elsewhere; `error` is empty when it worked."""

    to: str
    at: datetime
    error: str = ""


@dataclass(frozen=True, slots=True)
class Physical:
    """What more is known of a backup of a server's files.

    `based_on` is the file of the backup that an incremental one builds on, "" for one that stands alone. With the log
    from `first_wal` on it can be brought to any moment after `ends_at`, by the server's clock; `archived` says whether
    the server archived its log then.
    """

    system_identifier: str
    first_wal: str
    ends_at: datetime
    archived: bool
    based_on: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a database lives: `place` is its file, or host and port; `system` is the number of its cluster, "" unless
    the server told it.
    """

    place: str
    system: str = ""

    def __str__(self) -> str:
        return f"{self.place} (system {self.system})" if self.system else self.place

    def is_same(self, other: Origin) -> bool:
        """Whether both mean one place; a cluster stays the same under another address."""
        if self.system and other.system:
            return self.system == other.system
        return self.place == other.place


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is.

    `file` is its name beside the manifest, `size` its bytes on disk, `plain_size` those before compression and
    encryption. `archive` is "custom" or "directory" (PostgreSQL's formats), "sql", "sqlite" or "base"; `kind` is
    "full", "schema" or "data", or else "physical" or "incremental", of which `physical` says more; `compression` is
    "zstd", "gzip" or "none"; `encryption` has the kinds of recipients ("X25519", "ssh", "passphrase"). For a folder
    `sha256` is that of its list of files. `rows` counts by table as of the moment that the backup shows, and
    `checksums` are those of `config.ops.backup.contents`, if they were asked for. Without an `origin` nobody knows
    which of the databases of that name it shows. One that does not `moves_latest` shows what a restore was to undo.
    """

    database: str
    engine: str
    server_version: str
    program_version: str
    forecourt_version: str
    file: str
    archive: str
    kind: str
    compression: str
    encryption: tuple[str, ...]
    size: int
    sha256: str
    plain_size: int
    started_at: datetime
    finished_at: datetime
    duration_seconds: float
    retention_days: int | None
    migrations: dict[str, str]
    rows: dict[str, int]
    checksums: dict[str, str]
    files: tuple[FileEntry, ...] = ()
    verified: tuple[Verification, ...] = ()
    uploads: tuple[Upload, ...] = ()
    physical: Physical | None = None
    origin: Origin | None = None
    failures: tuple[Failure, ...] = ()
    moves_latest: bool = True

    @property
    def failure(self) -> Failure | None:
        """The last failure, unless the backup was restored since."""
        last = max(self.failures, key=lambda failure: failure.at, default=None)
        if last and any(proof.how == RESTORED and proof.at > last.at for proof in self.verified):
            return None
        return last

    def is_from(self, origin: Origin | None) -> bool:
        """Whether it is known to be from there."""
        return self.origin is not None and origin is not None and self.origin.is_same(origin)

    @property
    def as_of(self) -> datetime:
        """The last moment at which the database is known to have had the backup's content."""
        return max([self.started_at, *(proof.at for proof in self.verified if proof.how == UNCHANGED)])

    def as_json(self) -> dict[str, Any]:
        """Return the manifest with plain types; times are ISO 8601 in UTC."""
        return {"format": FORMAT, **_plain(asdict(self))}


def manifest_path(backup: Path) -> Path:
    """Return where the manifest of a backup is."""
    return backup.with_name(backup.name + SUFFIX)


def write_manifest(manifest: Manifest, backup: Path) -> Path:
    """Write the manifest beside the backup, whole or not at all, and return its path. Raises OSError.

    Do it under `config.ops.backup.folders.locked`: the next run removes what a killed one left half-written.
    """
    path = manifest_path(backup)
    content = manifest.as_json()
    text = json.dumps({**content, "manifest_sha256": _sha256_of(content)}, indent=2)
    # mkstemp makes it readable by its owner alone.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".unfinished", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    flush_folder(path.parent)
    return path


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises Damaged when it is not what was written, Refused when this version cannot read it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Refused(f"The manifest {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Damaged(f"The manifest {path} is damaged: {error}.") from error
    if not isinstance(content, dict):
        raise Damaged(f"The manifest {path} is damaged: it is no object.")
    stated = content.pop("manifest_sha256", None)
    if stated != _sha256_of(content):
        raise Damaged(f"The manifest {path} was changed after it was written: its checksum differs.")
    if content.pop("format", None) != FORMAT:
        raise Refused(f"The manifest {path} is of another version of Forecourt: use that version.")
    try:
        manifest: Manifest = _record(Manifest, content)
    except (TypeError, ValueError, KeyError) as error:
        raise Damaged(f"The manifest {path} is damaged: {error}.") from error
    # A name that led out of the folder would let a manifest point to any file.
    if Path(manifest.file).name != manifest.file or any(_leads_out(entry.path) for entry in manifest.files):
        raise Damaged(f"The manifest {path} names a file outside of its folder.")
    return manifest


def _leads_out(path: str) -> bool:
    return Path(path).is_absolute() or ".." in Path(path).parts


def with_verification(manifest: Manifest, how: str, at: datetime) -> Manifest:
    """Return the manifest with one more proof."""
    return replace(manifest, verified=(*manifest.verified, Verification(how, at)))


def with_failure(manifest: Manifest, reason: str, at: datetime) -> Manifest:
    """Return the manifest with one more failure."""
    return replace(manifest, failures=(*manifest.failures, Failure(reason, at)))


def check_backup(manifest: Manifest, backup: Path) -> None:
    """Compare a backup with its manifest: sizes and SHA-256 of everything. Raises Damaged or Refused."""
    try:
        if not manifest.files:
            _compare(backup, manifest.size, manifest.sha256)
            return
        found = {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()}
        if found != {entry.path for entry in manifest.files}:
            raise Damaged(f"{backup} does not have the files that its manifest lists.")
        for entry in manifest.files:
            _compare(backup / entry.path, entry.size, entry.sha256)
        if sha256_of_entries(manifest.files) != manifest.sha256:
            raise Damaged(f"The manifest of {backup} contradicts itself: its checksum of the files differs.")
    except OSError as error:
        raise Refused(f"{backup} cannot be read: {error.strerror}.") from error


def _compare(file: Path, size: int, sha256: str) -> None:
    found = file.stat().st_size
    if found != size:
        raise Damaged(f"{file} is damaged: it has {found:,} bytes, its manifest says {size:,}.")
    if sha256_of_file(file) != sha256:
        raise Damaged(f"{file} is damaged: its SHA-256 is not the one in its manifest.")


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(READ_SIZE):
            digest.update(piece)
    return digest.hexdigest()


def sha256_of_entries(entries: tuple[FileEntry, ...]) -> str:
    """Return the checksum of a folder: the SHA-256 of its files' checksums, sizes and paths, in order of path."""
    lines = (f"{entry.sha256} {entry.size} {entry.path}\n" for entry in sorted(entries, key=lambda e: e.path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def flush_folder(folder: Path) -> None:
    """Make names in the folder survive a power cut. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256_of(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _record(kind: type[Record], content: Any) -> Record:
    """Make a dataclass of decoded JSON. Raises TypeError, ValueError or KeyError where that is something else."""
    if not isinstance(content, dict):
        raise TypeError(f"{kind.__name__} is {content!r}")
    types = get_type_hints(kind)
    if surplus := content.keys() - types.keys():
        raise ValueError(f"unknown entries {', '.join(sorted(surplus))}")
    names = [field.name for field in fields(kind) if field.name in content]  # type: ignore[arg-type]
    return kind(**{name: _value(types[name], content[name]) for name in names})


def _value(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(value, list):
        return tuple(_value(arguments[0], item) for item in value)
    if origin is dict and isinstance(value, dict):
        return {str(key): _value(arguments[1], item) for key, item in value.items()}
    if origin is UnionType and isinstance(value, dict):
        return _value(next(argument for argument in arguments if argument is not NoneType), value)
    if kind is datetime:
        return datetime.fromisoformat(value)
    if hasattr(kind, "__dataclass_fields__"):
        return _record(kind, value)
    accepted = (int, float) if kind is float else kind
    is_truth = isinstance(value, bool) and kind is not bool
    if origin not in {None, UnionType} or not isinstance(value, accepted) or is_truth:
        raise TypeError(f"{value!r} stands where {kind} belongs")
    return value
