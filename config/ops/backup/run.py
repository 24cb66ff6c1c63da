"""A backup from beginning to end: dump, read back, give the final name, describe, tidy up, copy elsewhere."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings

from config.db.errors import Refused
from config.ops.backup.catalogue import Entry, read_catalogue, remove_expired
from config.ops.backup.draft import FULL, PHYSICAL_KINDS, Draft, Wanted
from config.ops.backup.encryption import make_lock
from config.ops.backup.folders import (
    LATEST,
    LATEST_PHYSICAL,
    discard,
    latest_target,
    locked,
    point_latest,
    prepare,
    publish,
    work_folder,
)
from config.ops.backup.manifest import (
    RESTORED,
    UNCHANGED,
    Damaged,
    Manifest,
    Upload,
    check_backup,
    manifest_path,
    read_manifest,
    with_verification,
    write_manifest,
)
from config.ops.backup.origin import database_name, origin_of
from config.ops.version import forecourt_version

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.backup.folders import WorkFolder

READ_BACK, FILES_VERIFIED = "read back", "pg_verifybackup"


class WrongUsage(Refused):
    """Options were given that do not go together."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a run shall do; without `retention_days` nothing old is removed.

    A backup that `moves_latest` is what `restore latest` restores from then on. The server's log is in `log_folder`, of
    which what no physical backup needs is removed. With `if_changed` nothing is kept where the last good backup has the
    same content; the content has to be summed up for that (`wanted.checksums`). `database` is the name under which the
    backup is kept; without one it is that of the connection.
    """

    folder: Path
    wanted: Wanted = field(default_factory=Wanted)
    retention_days: int | None = None
    upload_to: str = ""
    verify: bool = False
    moves_latest: bool = True
    log_folder: Path | None = None
    if_changed: bool = False
    database: str = ""

    @property
    def is_physical(self) -> bool:
        """Whether it is of the files of a server."""
        return self.wanted.kind in PHYSICAL_KINDS


@dataclass(frozen=True, slots=True)
class Result:
    """What a run made and removed; `findings` are sentences about what did not work although the backup is good.

    `is_new` is False where the last backup has the same content, and so is the one that counts.
    """

    backup: Path
    manifest: Manifest
    removed: list[Entry]
    findings: list[str]
    is_new: bool = True

    def as_json(self) -> dict[str, Any]:
        """Return the result with plain types."""
        return {
            "path": str(self.backup),
            "new": self.is_new,
            "removed": [str(entry.backup) for entry in self.removed],
            "findings": self.findings,
            "manifest": self.manifest.as_json(),
        }


def run_backup(connection: BaseDatabaseWrapper, request: Request, *, now: datetime) -> Result:
    """Back up the database of the connection; `now` is when the run begins.

    Raises Refused, having left nothing under a final name, when there is no good backup in the end.
    """
    now, begun = now.astimezone(UTC), time.monotonic()
    _check(request)
    prepare(request.folder)
    before = latest_target(request.folder, _link(request))
    findings: list[str] = []
    try:
        with work_folder(request.folder) as work:
            draft = _draft(connection, work, request)
            proofs = [READ_BACK, *([FILES_VERIFIED] if request.is_physical else [])]
            if request.verify and (reason := _unproven(connection, draft, work, request.wanted)):
                findings.append(f"The backup is good as far as it was read back, and was not restored: {reason}")
            elif request.verify:
                proofs.append(RESTORED)
            duration = round(time.monotonic() - begun, 3)
            finished = now + timedelta(seconds=duration)
            with locked(request.folder):
                same = _same_content(connection, draft, request, now=now)
                if same:
                    backup, manifest = same.backup, with_verification(same.manifest, UNCHANGED, now)
                    write_manifest(manifest, backup)
                else:
                    backup = publish(
                        draft.path, request.folder, database=_name(connection, request), at=now, suffix=draft.suffix
                    )
                    manifest = _manifest(connection, draft, request, backup, now, duration)
                    for how in proofs:
                        manifest = with_verification(manifest, how, finished)
                    _describe(manifest, backup)
                    _move_latest(request, backup, manifest, before)
                removed = _tidy(connection, request, backup, findings, now=now)
    except OSError as error:
        raise Refused(f"The backup could not be written to {request.folder}: {error.strerror or error}.") from error
    if request.upload_to and not (same and _is_uploaded(manifest, request.upload_to)):
        manifest = _upload(backup, manifest, request, findings, now=finished)
    return Result(backup, manifest, removed, findings, is_new=not same)


def back_up_before(connection: BaseDatabaseWrapper, folder: Path, *, now: datetime) -> Path:
    """Back up a database before something is done to it that might go wrong, and return the backup; none is removed.

    It is locked with ``BACKUP_ENCRYPTION_KEY``, if there is one. Raises Refused.
    """
    wanted = Wanted(lock=make_lock([], settings.BACKUP_ENCRYPTION_KEY))
    return run_backup(connection, Request(folder, wanted), now=now).backup


def _check(request: Request) -> None:
    wanted = request.wanted
    if wanted.jobs and wanted.lock:
        raise WrongUsage("--jobs writes a folder of files, which cannot be encrypted: leave one of them out.")
    if request.verify and wanted.kind != FULL:
        raise WrongUsage(f"--verify restores the backup, and --type {wanted.kind} is a part: leave one of them out.")
    if request.verify and wanted.lock.recipients and not wanted.keys.identities:
        raise WrongUsage("--verify must open what is encrypted to recipients: give --identity FILE as well.")
    if request.upload_to:
        from config.ops.backup.upload import check_destination

        try:
            check_destination(request.upload_to, request.folder)
        except Refused as error:
            raise WrongUsage(str(error)) from error


def _name(connection: BaseDatabaseWrapper, request: Request) -> str:
    return request.database or database_name(connection)


def _draft(connection: BaseDatabaseWrapper, work: WorkFolder, request: Request) -> Draft:
    if request.is_physical:
        from config.ops.physical.base import write_base

        return write_base(connection, work, request.wanted, request.folder)
    return write_draft(connection, work, request.wanted)


def write_draft(connection: BaseDatabaseWrapper, work: WorkFolder, wanted: Wanted) -> Draft:
    """Write a backup into the work folder and read it back. Raises Refused, Damaged or OSError."""
    # Each engine's way loads only what it needs.
    if connection.vendor == "sqlite":
        from config.ops.backup.sqlite import copy_sqlite

        return copy_sqlite(connection, work, wanted)
    from config.ops.backup.postgresql import dump_postgresql

    return dump_postgresql(connection, work, wanted)


def _same_content(connection: BaseDatabaseWrapper, draft: Draft, request: Request, *, now: datetime) -> Entry | None:
    """Return the last good backup if it is unharmed and what was written now would add nothing to it."""
    last = read_catalogue(request.folder, connection, now=now).newest_good if request.if_changed else None
    if last is None or not last.manifest.checksums:
        return None
    known, found = last.manifest, draft.contents
    if (known.checksums, known.migrations) != (found.checksums, found.migrations):
        return None
    if (known.encryption, known.compression) != (request.wanted.lock.kinds, draft.compression):
        return None
    try:
        check_backup(known, last.backup)
    except Refused:
        return None
    return last


def _is_uploaded(manifest: Manifest, destination: str) -> bool:
    return any(upload.to == destination and not upload.error for upload in manifest.uploads)


def _unproven(connection: BaseDatabaseWrapper, draft: Draft, work: WorkFolder, wanted: Wanted) -> str:
    """Return why the backup could not be tried, or "" when it was. Raises Damaged when it failed the trial."""
    from config.ops.backup.verification import verify

    try:
        verify(connection, draft, work, wanted)
    except Damaged:
        raise
    except Refused as error:
        return str(error)
    return ""


def _manifest(
    connection: BaseDatabaseWrapper, draft: Draft, request: Request, backup: Path, now: datetime, duration: float
) -> Manifest:
    return Manifest(
        database=_name(connection, request),
        engine=connection.vendor,
        server_version=draft.server_version,
        program_version=draft.program_version,
        forecourt_version=forecourt_version(),
        file=backup.name,
        archive=draft.archive,
        kind=request.wanted.kind,
        compression=draft.compression,
        encryption=request.wanted.lock.kinds,
        size=draft.size,
        sha256=draft.sha256,
        plain_size=draft.plain_size,
        started_at=now,
        finished_at=now + timedelta(seconds=duration),
        duration_seconds=duration,
        retention_days=request.retention_days,
        migrations=draft.contents.migrations,
        rows=draft.contents.rows,
        checksums=draft.contents.checksums,
        files=draft.files,
        physical=draft.physical,
        origin=origin_of(connection),
        moves_latest=request.moves_latest,
    )


def _describe(manifest: Manifest, backup: Path) -> None:
    try:
        write_manifest(manifest, backup)
    except BaseException:
        # Without a manifest it would count for nothing and never be removed.
        discard(backup)
        raise


def _link(request: Request) -> str:
    return LATEST_PHYSICAL if request.is_physical else LATEST


def _move_latest(request: Request, backup: Path, manifest: Manifest, before: Path | None) -> None:
    """Point `latest` here, unless a run that began later was faster.

    Clocks can be set back, so what was the latest when this run began is older, whatever its manifest says.
    """
    if manifest.kind not in {FULL, *PHYSICAL_KINDS} or not request.moves_latest:
        return
    current = latest_target(request.folder, _link(request))
    if current is not None and current != before and manifest_path(current).exists():
        rival = read_manifest(manifest_path(current))
        is_same = (rival.database, rival.engine) == (manifest.database, manifest.engine) and rival.is_from(
            manifest.origin
        )
        if is_same and rival.started_at > manifest.started_at:
            return
    point_latest(request.folder, backup, _link(request))


def _tidy(
    connection: BaseDatabaseWrapper, request: Request, backup: Path, findings: list[str], *, now: datetime
) -> list[Entry]:
    if request.retention_days is None:
        return []
    try:
        catalogue = read_catalogue(request.folder, connection, now=now)
        if not request.is_physical:
            return remove_expired(catalogue, now=now, days=request.retention_days, keep=backup)
        from config.ops.physical.chains import remove_log, remove_unneeded

        removed = remove_unneeded(catalogue, now=now, days=request.retention_days, keep=backup)
        if request.log_folder:
            remove_log(request.log_folder, request.folder)
        return removed  # noqa: TRY300 - what was removed counts only if nothing failed
    except (OSError, Refused) as error:
        findings.append(f"Old backups could not be removed: {error}")
        return []
    except (KeyboardInterrupt, SystemExit):
        findings.append("Stopped while old backups were removed: the new one is good.")
        return []


def _upload(backup: Path, manifest: Manifest, request: Request, findings: list[str], *, now: datetime) -> Manifest:
    from config.ops.backup.upload import upload

    error = ""
    try:
        upload(backup, manifest, request.folder, request.upload_to)
    except (Refused, KeyboardInterrupt, SystemExit) as reason:
        error = str(reason) if isinstance(reason, Refused) else "Stopped."
        findings.append(f"The backup was not copied to {request.upload_to}: {error.rstrip('.')}. It is here: {backup}")
    manifest = replace(manifest, uploads=(*manifest.uploads, Upload(request.upload_to, now, error)))
    try:
        with locked(request.folder):
            write_manifest(manifest, backup)
    except OSError as failure:
        findings.append(f"The manifest does not know of the copy: {failure.strerror}.")
    return manifest
