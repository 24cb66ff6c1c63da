"""Old backups go, and never the last good one."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.ops.backup.catalogue import latest
from config.ops.backup.folders import discard, point_latest
from config.ops.backup.manifest import Manifest, Origin, manifest_path, write_manifest
from tests.ops.backup.conftest import MakeShop
from tests.ops.backup.shops import NIGHT, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]
DAY = timedelta(days=1)


def add(shop: Shop, pattern: Manifest, at: datetime, **changed: object) -> Path:
    """Put a backup of another day beside that of `pattern`; its content is made up."""
    ending = pattern.file.partition("020000")[2]
    name = f"{pattern.database}_{at:%Y%m%d_%H%M%S}{ending}"
    backup = shop.folder / f"{at:%Y/%m/%d}" / name
    backup.parent.mkdir(parents=True, exist_ok=True)
    backup.write_text(name)
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    manifest = replace(pattern, file=name, started_at=at, finished_at=at, size=len(name), sha256=sha256)
    write_manifest(replace(manifest, **changed), backup)  # type: ignore[arg-type]
    return backup


@pytest.fixture
def made(make_shop: MakeShop) -> tuple[Shop, Manifest]:
    """A database with one backup, of NIGHT."""
    shop = make_shop(1)
    return shop, shop.run().manifest


def test_of_400_old_backups_exactly_those_within_the_days_are_kept(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    for number in range(1, 400):
        backup = add(shop, manifest, NIGHT - number * DAY)
        # What the file system says of their age is not what counts.
        os.utime(backup, (0, 0))

    result = shop.run(now=NIGHT, retention_days=30)

    kept = [manifest.started_at for manifest in shop.manifests()]
    assert sorted(kept, reverse=True) == [NIGHT, *(NIGHT - number * DAY for number in range(31))]
    assert len(result.removed) == 369
    assert len(shop.backups()) == len(kept)


def test_a_backup_of_exactly_the_age_stays(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    stays = add(shop, manifest, NIGHT - 7 * DAY)
    goes = add(shop, manifest, NIGHT - 7 * DAY - timedelta(seconds=1))

    shop.run(retention_days=7)

    assert (stays.exists(), goes.exists(), manifest_path(goes).exists()) == (True, False, False)


def test_the_newest_good_one_stays_however_old(made: tuple[Shop, Manifest]) -> None:
    shop, _ = made

    result = shop.run(now=NIGHT + 4000 * DAY, retention_days=1)

    # The one just made is the newest good one now.
    assert [entry.manifest.started_at for entry in result.removed] == [NIGHT]
    assert shop.backups() == [result.backup]


@pytest.mark.postgres_only
def test_a_part_and_a_damaged_one_do_not_count_as_good(made: tuple[Shop, Manifest]) -> None:
    from config.ops.backup.draft import Wanted

    shop, manifest = made
    (good,) = shop.backups()
    cut = add(shop, manifest, NIGHT + DAY)
    cut.write_text("cut")

    shop.run(now=NIGHT + 400 * DAY, retention_days=30, wanted=Wanted(kind="schema"))

    assert (good.exists(), cut.exists()) == (True, False)


def test_a_clock_that_was_set_back_removes_nothing_newer(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    for number in range(1, 60):
        add(shop, manifest, NIGHT - number * DAY)

    result = shop.run(now=NIGHT - 1000 * DAY, retention_days=30)

    assert result.removed == []
    assert len(shop.backups()) == 61


def test_a_clock_that_was_ahead_leaves_the_true_newest_in_place(made: tuple[Shop, Manifest]) -> None:
    shop, _ = made
    shop.run(now=NIGHT + 1000 * DAY)

    result = shop.run(now=NIGHT + DAY, retention_days=30)

    assert result.removed == []
    assert len(shop.backups()) == 3


def test_a_clock_that_is_ahead_removes_nothing_when_everything_would_go(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    for number in range(1, 4):
        add(shop, manifest, NIGHT - number * DAY)

    result = shop.run(now=NIGHT + 1000 * DAY, retention_days=30)

    assert result.removed == []
    assert len(shop.backups()) == 5
    (finding,) = result.findings
    assert "all 4 good ones from before would go at once" in finding
    assert "Is the clock right" in finding


def test_whoever_keeps_one_day_of_daily_backups_loses_the_older_ones(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    add(shop, manifest, NIGHT - DAY)

    result = shop.run(now=NIGHT + DAY + timedelta(seconds=5), retention_days=1)

    assert (len(result.removed), result.findings) == (2, [])


def test_a_backup_from_the_future_is_the_newest_only_where_there_is_no_other(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    (true,) = shop.backups()
    now = datetime.now(UTC)
    ahead = add(shop, manifest, now + 400 * DAY)
    (shop.folder / "latest").unlink()

    listed = shop.manage("--list")

    assert latest(shop.folder, shop.connection).backup == true
    assert f"{ahead} is dated in the future: the clock was or is wrong." in listed.stderr
    assert re.search(r"The last good backup is [\d.]+ hours old", listed.stdout)
    discard(true)
    assert latest(shop.folder, shop.connection).backup == ahead
    told = json.loads(shop.manage("--list", "--json").stdout)
    assert (told["last_good_age_hours"], told["backups"][-1]["path"]) == (None, str(ahead))


def test_other_databases_and_strange_files_are_left_alone(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    long_ago = NIGHT - 400 * DAY
    other = add(shop, manifest, long_ago, database="another")
    folder = other.parent
    stranger = folder / "shop_20250101_020000.sql.gz"
    stranger.write_text("made by an older script")
    unreadable = folder / "broken.manifest.json"
    unreadable.write_text("{")

    result = shop.run(retention_days=30)

    assert result.removed == []
    assert [other.exists(), stranger.exists(), unreadable.exists()] == [True] * 3


def test_backups_of_another_database_of_the_same_name_are_left_alone(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    long_ago = NIGHT - 400 * DAY
    elsewhere = add(shop, manifest, long_ago, origin=Origin("/another/place", "12345"))
    unknown = add(shop, manifest, long_ago + DAY, origin=None)
    ours = add(shop, manifest, long_ago + 2 * DAY)

    result = shop.run(retention_days=30)

    assert [entry.backup for entry in result.removed] == [ours]
    assert (elsewhere.exists(), unknown.exists()) == (True, True)


def test_a_newer_backup_of_another_database_of_the_same_name_is_neither_latest_nor_listed(
    made: tuple[Shop, Manifest],
) -> None:
    shop, manifest = made
    (own,) = shop.backups()
    elsewhere = add(shop, manifest, NIGHT + DAY, origin=Origin("/another/place"))
    point_latest(shop.folder, elsewhere)

    listed = shop.manage("--list").stdout

    assert latest(shop.folder, shop.connection).backup == own
    assert len([line for line in listed.splitlines() if line.startswith("2026-")]) == 1
    assert f"`manage.py restore {elsewhere}`" in listed


@pytest.mark.postgres_only
def test_a_server_is_known_under_another_address_and_known_by_its_address_where_it_is_away(
    made: tuple[Shop, Manifest],
) -> None:
    shop, manifest = made
    (own,) = shop.backups()
    assert manifest.origin is not None
    assert re.fullmatch(r"\d{15,}", manifest.origin.system)
    write_manifest(replace(manifest, origin=replace(manifest.origin, place="old.example.org:5432")), own)
    assert latest(shop.folder, shop.connection).backup == own
    away = Origin("127.0.0.1:1", manifest.origin.system)
    write_manifest(replace(manifest, origin=away), own)

    listed = shop.manage("--list", DATABASE_URL=f"postgresql://nobody@127.0.0.1:1/{manifest.database}")

    assert str(own) in listed.stdout.splitlines()[0]


@pytest.mark.sqlite_only
def test_files_of_the_same_name_share_a_folder_of_backups(make_shop: MakeShop, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = make_shop(1, name="a/shop"), make_shop(2, name="b/shop")
    old = first.run(now=NIGHT - 400 * DAY).backup
    second.run(now=NIGHT, retention_days=30)

    assert old.exists()
    assert latest(first.folder, first.connection).backup == old


def test_both_compressed_and_plain_ones_go(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    long_ago = NIGHT - 400 * DAY
    compressed = add(shop, manifest, long_ago)
    plain = add(shop, manifest, long_ago + DAY, compression="none")

    shop.run(retention_days=30)

    assert (compressed.exists(), plain.exists()) == (False, False)


@pytest.mark.postgres_only
def test_an_old_folder_goes_whole(made: tuple[Shop, Manifest]) -> None:
    from config.ops.backup.draft import Wanted

    shop, _ = made
    folder = shop.run(now=NIGHT - 400 * DAY, wanted=Wanted(jobs=1)).backup

    shop.run(retention_days=30)

    assert not folder.exists()
    assert not manifest_path(folder).exists()


def test_random_histories_never_lose_the_newest_good_one(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    chance = random.Random(5)
    for _ in range(20):
        for _ in range(chance.randrange(4)):
            old = add(shop, manifest, NIGHT + chance.randrange(-2000, 2000) * DAY)
            if chance.random() < 0.3:
                old.write_text("cut")
        good = [
            entry for entry in shop.manifests()
            if (shop.folder / f"{entry.started_at:%Y/%m/%d}" / entry.file).stat().st_size == entry.size
        ]  # fmt: skip
        newest = max(entry.started_at for entry in good)
        now = NIGHT + chance.randrange(-2000, 2000) * DAY + timedelta(minutes=chance.randrange(1000))
        result = shop.run(now=now, retention_days=chance.randrange(1, 400))

        left = {entry.started_at for entry in shop.manifests()}
        assert result.backup.exists()
        assert max(newest, now) in left


def test_the_command_counts_what_it_removed(made: tuple[Shop, Manifest]) -> None:
    shop, manifest = made
    add(shop, manifest, NIGHT - 900 * DAY)

    done = shop.manage("--retention", "365")

    assert done.returncode == 0
    assert "Removed 1 backups older than 365 days." in done.stdout
