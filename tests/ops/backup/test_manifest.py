from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from config.db.errors import Refused
from config.ops.backup.manifest import (
    Damaged,
    FileEntry,
    Manifest,
    Origin,
    Upload,
    check_backup,
    manifest_path,
    read_manifest,
    sha256_of_entries,
    sha256_of_file,
    with_failure,
    with_verification,
    write_manifest,
)

NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def make_manifest(**changed: object) -> Manifest:
    manifest = Manifest(
        database="shop",
        engine="postgresql",
        server_version="15.18",
        program_version="15.18",
        forecourt_version="0.1.0",
        file="shop_20260302_020000.dump.zst",
        archive="custom",
        kind="full",
        compression="zstd",
        encryption=("X25519", "ssh"),
        size=5,
        sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
        plain_size=400,
        started_at=NIGHT,
        finished_at=NIGHT + timedelta(seconds=2),
        duration_seconds=2.5,
        retention_days=30,
        migrations={"accounts": "0002_roles"},
        rows={"public.accounts_user": 3},
        checksums={},
    )
    return replace(manifest, **changed)  # type: ignore[arg-type]


def make_backup(folder: Path) -> tuple[Manifest, Path]:
    manifest = make_manifest()
    backup = folder / manifest.file
    backup.write_bytes(b"hello")
    return manifest, backup


def test_a_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    uploads = (Upload("s3://bucket/backups", NIGHT, "no such bucket"), Upload("s3://bucket/backups", NIGHT))
    manifest = with_verification(make_manifest(uploads=uploads), "read back", NIGHT)
    manifest = with_failure(replace(manifest, origin=Origin("here:5432", "7")), "it is cut", NIGHT)

    path = write_manifest(manifest, tmp_path / manifest.file)

    assert path == tmp_path / "shop_20260302_020000.dump.zst.manifest.json"
    assert read_manifest(path) == manifest
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


def test_times_are_written_in_utc(tmp_path: Path) -> None:
    manifest = make_manifest(started_at=NIGHT.astimezone(timezone(timedelta(hours=11))))

    path = write_manifest(manifest, tmp_path / manifest.file)

    assert json.loads(path.read_text())["started_at"] == "2026-03-02T02:00:00+00:00"


def test_every_changed_bit_of_a_manifest_is_noticed(tmp_path: Path) -> None:
    manifest = make_manifest()
    path = write_manifest(manifest, tmp_path / manifest.file)
    whole = path.read_bytes()
    taken = []
    for offset in range(len(whole.rstrip())):
        changed = bytearray(whole)
        changed[offset] ^= 1 << offset % 8
        path.write_bytes(changed)
        # A space may become a line end and mean the same.
        with contextlib.suppress(Refused):
            if read_manifest(path) != manifest:
                taken.append(offset)

    assert taken == []


@pytest.mark.parametrize("length", [0, 1, 100, -2])
def test_a_cut_manifest_is_refused(tmp_path: Path, length: int) -> None:
    path = write_manifest(make_manifest(), tmp_path / "backup")
    path.write_bytes(path.read_bytes().rstrip()[:length])

    with pytest.raises(Damaged, match="is damaged"):
        read_manifest(path)


@pytest.mark.parametrize(
    "changed",
    [{"rows": {"public.accounts_user": "3"}}, {"size": True}, {"verified": [{"how": "restored"}]}, {"unknown": 1}],
)
def test_a_manifest_of_other_types_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    from config.ops.backup import manifest as module

    content = {**make_manifest().as_json(), **changed}
    path = tmp_path / "backup.manifest.json"
    path.write_text(json.dumps({**content, "manifest_sha256": module._sha256_of(content)}))

    with pytest.raises(Damaged, match="is damaged"):
        read_manifest(path)


@pytest.mark.parametrize("name", ["../live.sqlite3", "/etc/passwd"])
def test_a_manifest_that_points_out_of_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    path = write_manifest(make_manifest(file=name), tmp_path / "backup")

    with pytest.raises(Damaged, match="outside of its folder"):
        read_manifest(path)


def test_a_missing_manifest_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"backup\.manifest\.json cannot be read: No such file"):
        read_manifest(manifest_path(tmp_path / "backup"))


def test_a_whole_backup_agrees_with_its_manifest(tmp_path: Path) -> None:
    check_backup(*make_backup(tmp_path))


@pytest.mark.parametrize(("content", "reason"), [(b"hellO", "SHA-256"), (b"hell", "4 bytes"), (b"hello!", "6 bytes")])
def test_a_changed_backup_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    manifest, backup = make_backup(tmp_path)
    backup.write_bytes(content)

    with pytest.raises(Damaged, match=reason):
        check_backup(manifest, backup)


def test_a_missing_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        check_backup(make_manifest(), tmp_path / "backup")


def make_folder(folder: Path) -> tuple[Manifest, Path]:
    backup = folder / "shop_20260302_020000.dir"
    backup.mkdir()
    for name in ("toc.dat", "3101.dat.zst"):
        (backup / name).write_text(name)
    entries = tuple(FileEntry(name, len(name), sha256_of_file(backup / name)) for name in ("3101.dat.zst", "toc.dat"))
    return make_manifest(
        file=backup.name, archive="directory", files=entries, sha256=sha256_of_entries(entries)
    ), backup


def test_a_whole_folder_agrees_with_its_manifest(tmp_path: Path) -> None:
    check_backup(*make_folder(tmp_path))


@pytest.mark.parametrize("change", ["add", "remove", "alter"])
def test_a_changed_folder_is_refused(tmp_path: Path, change: str) -> None:
    manifest, backup = make_folder(tmp_path)
    if change == "add":
        (backup / "new").touch()
    elif change == "remove":
        (backup / "toc.dat").unlink()
    else:
        (backup / "toc.dat").write_text("toc.dAt")

    with pytest.raises(Damaged):
        check_backup(manifest, backup)
