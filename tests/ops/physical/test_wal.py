"""The log's archive never tells PostgreSQL that something is there when it is not, or is not when it is."""

from __future__ import annotations

import gzip
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from config.ops.physical import wal

SEGMENT = "0000000100000000000000A7"


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    path = tmp_path / "pg_wal" / SEGMENT
    path.parent.mkdir()
    path.write_bytes(random.Random(7).randbytes(300_000) + bytes(700_000))
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "wal"
    folder.mkdir()
    return folder


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != wal.LOCK_FILE)


@pytest.mark.parametrize("name", [SEGMENT, f"{SEGMENT}.partial", f"{SEGMENT}.00000028.backup", "00000002.history"])
def test_what_was_archived_comes_back_as_it_was(segment: Path, archive: Path, tmp_path: Path, name: str) -> None:
    source = segment.rename(segment.with_name(name))

    assert wal.main(["archive", str(archive), str(source)]) == 0
    assert wal.main(["fetch", str(archive), name, str(tmp_path / "RECOVERYXLOG")]) == 0

    assert (tmp_path / "RECOVERYXLOG").read_bytes() == source.read_bytes()
    assert left_in(archive) == [f"{name}.gz"]
    assert (archive / f"{name}.gz").stat().st_size < source.stat().st_size / 2


def test_the_same_file_again_is_fine_and_a_different_one_is_refused(
    segment: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = segment.read_bytes()
    assert wal.main(["archive", str(archive), str(segment)]) == 0
    assert wal.main(["archive", str(archive), str(segment)]) == 0
    others = [first[:-1] + b"x", first[:-1], first + b"\x00"]
    for other in others:
        segment.write_bytes(other)
        assert wal.main(["archive", str(archive), str(segment)]) == 1

    assert gzip.decompress((archive / f"{SEGMENT}.gz").read_bytes()) == first
    assert "another server archives to this folder" in capsys.readouterr().err


def test_a_full_disk_archives_nothing_and_what_a_killed_run_left_goes(segment: Path, archive: Path) -> None:
    (archive / f".{SEGMENT}{wal.UNFINISHED}").write_bytes(b"half of it")
    command = [sys.executable, wal.__file__, "archive", str(archive), str(segment)]
    quota = 100_000

    full = subprocess.run(
        command, capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (quota, quota)),
    )  # fmt: skip
    after_full = left_in(archive)
    room = subprocess.run(command, check=False)

    assert (full.returncode, after_full) == (1, [])
    assert "File too large" in full.stderr
    assert (room.returncode, left_in(archive)) == (0, [f"{SEGMENT}.gz"])


def test_what_is_missing_is_told_from_what_is_damaged(
    segment: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "RECOVERYXLOG"
    fetch = ["fetch", str(archive), SEGMENT, str(target)]
    assert wal.main(fetch) == wal.MISSING

    wal.main(["archive", str(archive), str(segment)])
    whole = (archive / f"{SEGMENT}.gz").read_bytes()
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[:-3], whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]):
        (archive / f"{SEGMENT}.gz").write_bytes(damaged)
        assert wal.main(fetch) == wal.ABORT_RECOVERY
    assert wal.main(["fetch", str(tmp_path / "nowhere"), SEGMENT, str(target)]) == wal.ABORT_RECOVERY

    assert not target.exists()
    assert "is damaged" in capsys.readouterr().err


def test_a_missing_folder_and_a_name_that_is_none_are_refused(
    segment: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert wal.main(["archive", str(tmp_path / "nowhere"), str(segment)]) == 1
    assert wal.main(["archive", str(archive), str(segment.rename(segment.with_name("postgresql.conf")))]) == 1

    assert left_in(archive) == []
    said = capsys.readouterr().err
    assert "make the folder, owned by PostgreSQL's account" in said
    assert "postgresql.conf is not the name of a file of the write-ahead log" in said
