"""Which base backups stay: all from which a moment of the wanted days is reached, with what they are based on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper

from config.ops.backup.catalogue import Catalogue, read_catalogue, remove_expired
from config.ops.backup.manifest import Manifest, Origin, Physical, write_manifest
from config.ops.health.backups import backups
from config.ops.health.look import Look
from config.ops.health.report import Finding, State
from config.ops.health.thresholds import DEFAULTS
from config.ops.physical.chains import chain_of, newest_usable, remove_log, remove_unneeded
from config.ops.scratch import connected

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
DAY, SIX_HOURS = timedelta(days=1), timedelta(hours=6)


@pytest.fixture(scope="module")
def connection() -> Iterator[BaseDatabaseWrapper]:
    """The database whose backups these are; nobody connects to it."""
    with connected("postgresql://forecourt@/shop?host=/nowhere") as connection:
        yield connection


def add(root: Path, ends_at: datetime, *, based_on: str = "", number: int = 1, kind: str = "") -> str:
    """Put a base backup of one byte into the folder, and return its name."""
    name = f"shop_{ends_at:%Y%m%d_%H%M%S}.base"
    folder = root / f"{ends_at:%Y/%m/%d}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(b"x")
    physical = Physical("7", f"{1:08X}{number:016X}", ends_at, True, based_on)
    manifest = Manifest(
        database="shop", engine="postgresql", server_version="18.1", program_version="18.1", forecourt_version="1",
        file=name, archive="base", kind=kind or ("incremental" if based_on else "physical"), compression="zstd",
        encryption=(), size=1, sha256="", plain_size=1, started_at=ends_at, finished_at=ends_at, duration_seconds=0.0,
        retention_days=30, migrations={}, rows={}, checksums={}, physical=physical,
        origin=Origin("/nowhere:5432"),
    )  # fmt: skip
    write_manifest(manifest, folder / name)
    return name


def schedule(root: Path, days: int) -> None:
    """Put a full one and three incremental ones of each day into the folder."""
    for day in range(days, 0, -1):
        number, last = 100 * (days - day + 1), ""
        for hours in range(4):
            last = add(root, NOW - day * DAY + hours * SIX_HOURS, based_on=last, number=number + hours)


def names(catalogue: Catalogue) -> set[str]:
    return {entry.backup.name for entry in catalogue.entries}


def test_every_moment_of_the_days_is_reached_and_nothing_else_stays(
    tmp_path: Path, connection: BaseDatabaseWrapper
) -> None:
    schedule(tmp_path, 9)
    before = read_catalogue(tmp_path, connection)
    moments = [NOW - 5 * DAY + number * timedelta(hours=5) for number in range(25)]
    reached = [newest_usable(before, before=moment) for moment in moments]

    removed = remove_unneeded(before, now=NOW, days=5, keep=before.entries[0].backup)

    after = read_catalogue(tmp_path, connection)
    assert [newest_usable(after, before=moment) for moment in moments] == reached
    # The last of the sixth day ago reaches the window's beginning, with its full one and the two between.
    assert min(names(after)) == f"shop_{NOW - 6 * DAY:%Y%m%d_%H%M%S}.base"
    assert (len(removed), len(after.entries)) == (12, 24)


def test_the_last_good_one_stays_however_old_and_what_is_half_does_not_count(
    tmp_path: Path, connection: BaseDatabaseWrapper
) -> None:
    full = add(tmp_path, NOW - 90 * DAY)
    good = add(tmp_path, NOW - 89 * DAY, based_on=full)
    orphan = add(tmp_path, NOW - 80 * DAY, based_on="shop_20200101_000000.base")
    cut = add(tmp_path, NOW - 70 * DAY)
    next(tmp_path.rglob(cut)).write_bytes(b"")
    catalogue = read_catalogue(tmp_path, connection)

    newest = newest_usable(catalogue)
    removed = remove_unneeded(catalogue, now=NOW, days=30, keep=tmp_path / "another")

    assert newest is not None
    assert [link.backup.name for link in chain_of(newest, catalogue)] == [full, good]
    assert {entry.backup.name for entry in removed} == {orphan, cut}
    assert names(read_catalogue(tmp_path, connection)) == {full, good}


def test_the_retention_of_dumps_leaves_base_backups_alone(tmp_path: Path, connection: BaseDatabaseWrapper) -> None:
    schedule(tmp_path, 2)
    catalogue = read_catalogue(tmp_path, connection)

    removed = remove_expired(catalogue, now=NOW + 400 * DAY, days=30, keep=tmp_path / "another")

    assert removed == []
    assert names(read_catalogue(tmp_path, connection)) == names(catalogue)


def test_base_backups_that_stopped_coming_are_noticed(tmp_path: Path, connection: BaseDatabaseWrapper) -> None:
    full = add(tmp_path, NOW - 60 * SIX_HOURS)
    add(tmp_path, NOW - 27 * DAY / 24, based_on=full)
    look = Look(
        connection=connection, thresholds=DEFAULTS, now=NOW, backup_folder=tmp_path, metrics_folder=tmp_path
    )  # fmt: skip

    section = backups(look)

    assert section.figures["base_age"].value == 27
    assert (
        Finding(State.WARNING, "The last base backup is 27 hours old: run `manage.py backup --physical` (above 26 h).")
        in section.findings
    )


def test_the_log_goes_up_to_the_oldest_base_backup_of_any_database(
    tmp_path: Path, connection: BaseDatabaseWrapper
) -> None:
    log = tmp_path / "wal"
    log.mkdir()
    for number in (0x9, 0xA, 0xB, 0xC):
        for timeline in (1, 2):
            (log / f"{timeline:08X}{number:016X}.gz").touch()
    (log / f"{1:08X}{9:016X}.00000028.backup.gz").touch()
    stay = {f"{timeline:08X}{number:016X}.gz" for timeline in (1, 2) for number in (0xB, 0xC)}
    (log / "00000002.history.gz").touch()
    (log / "notes.txt").touch()
    add(tmp_path, NOW, number=0xB)

    assert remove_log(log, tmp_path) == 5

    assert {path.name for path in log.iterdir()} == stay | {"00000002.history.gz", "notes.txt"}
