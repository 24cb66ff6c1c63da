"""Which files are opened, which are refused, and that none of them is changed."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings

from config.db.errors import Refused
from config.ops.transfer import source
from config.ops.transfer.planning import layouts
from config.ops.transfer.source import count_rows, open_source, read_rows, recognised, source_path

SELECT = "SELECT t.rowid, t.name FROM people t"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database of two thousand names, more than a page holds."""
    path = tmp_path / "people.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE people (name TEXT)")
        database.executemany("INSERT INTO people VALUES (?)", [(f"person {n}",) for n in range(2000)])
        database.commit()
    return path


@pytest.fixture
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LOCK_WAIT", 0.2)


def names(path: Path) -> list[str]:
    with open_source(path) as database:
        return [name for _, name in read_rows(database, SELECT)]


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def refusal(path: Path) -> str:
    with pytest.raises(Refused) as refused:
        names(path)
    return str(refused.value)


def test_a_path_may_be_written_as_other_systems_write_it() -> None:
    assert source_path("file:./dev.db") == Path("dev.db")
    assert source_path("file:./dev.db?connection_limit=1") == Path("dev.db")
    assert source_path("sqlite:///var/forecourt.sqlite3") == Path("var/forecourt.sqlite3")
    assert source_path("file:///srv/my%20shop.db") == Path("/srv/my shop.db")
    assert source_path("/srv/what?.db") == Path("/srv/what?.db")


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing.db") == f"{tmp_path / 'missing.db'} does not exist."
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "is a folder" in refusal(tmp_path)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    assert "is not a regular file" in refusal(tmp_path / "pipe")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()

    assert "is empty" in refusal(tmp_path / "empty.db")


@pytest.mark.parametrize("content", [b"id,name\n1,Aino\n", bytes(range(256)) * 32, b"SQLite format 3\0"])
def test_what_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.db").write_bytes(content)

    assert "is no SQLite database, or an encrypted one" in refusal(tmp_path / "other.db")


def test_an_encrypted_file_is_refused_though_its_header_looks_right(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes(byte ^ 0x5A for byte in whole[100:]))

    assert any(word in refusal(file) for word in ("no SQLite database", "damaged"))


def test_a_truncated_file_is_refused_before_anything_is_read(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])

    assert f"is truncated: it has {len(whole) // 2:,} of {len(whole):,} bytes" in refusal(file)


def test_a_page_that_is_damaged_is_told_when_it_is_met(file: Path) -> None:
    whole = bytearray(file.read_bytes())
    whole[4096 * 5 : 4096 * 6] = b"\xff" * 4096
    file.write_bytes(whole)

    assert "is damaged" in refusal(file)


def test_a_file_that_may_not_be_read_is_refused(file: Path) -> None:
    file.chmod(0)
    program = (
        "import os, sys; from pathlib import Path\n"
        "from config.ops.transfer.source import open_source\n"
        # Root may read everything.
        "if os.geteuid() == 0: os.setuid(65534)\n"
        "try: open_source(Path(sys.argv[1])).__enter__()\n"
        "except Exception as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(file)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "cannot be read: Permission denied." in done.stdout


def test_a_locked_file_is_refused_after_a_while(file: Path, short_wait: None) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("BEGIN EXCLUSIVE")

        assert "is locked: another program" in refusal(file)


def test_a_file_left_in_the_middle_of_a_change_is_refused(file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN")
        writer.execute("UPDATE people SET name = name || ' changed and longer than before'")
        copy = tmp_path / "copy"
        copy.mkdir()
        for name in (file.name, f"{file.name}-journal"):
            shutil.copy(tmp_path / name, copy / name)
    before = contents(copy)

    assert "was left in the middle of a change" in refusal(copy / file.name)
    assert contents(copy) == before


def test_a_file_of_no_known_layout_is_refused_with_what_is_known(file: Path) -> None:
    with pytest.raises(Refused) as refused, open_source(file) as database:
        recognised(file, database, layouts())

    assert "of no layout that can be moved" in str(refused.value)
    assert re.search(r"Forecourt \(missing here: \w+, ", str(refused.value))
    assert "Its tables are: people." in str(refused.value)


def test_rows_come_in_the_order_of_their_numbers(file: Path) -> None:
    assert names(file) == [f"person {n}" for n in range(2000)]


def test_a_write_ahead_log_beside_the_file_is_read_and_left_as_it_is(file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("INSERT INTO people VALUES ('in the log')")
        writer.commit()
        copy = tmp_path / "copy"
        copy.mkdir()
        for name in (file.name, f"{file.name}-wal"):
            shutil.copy(tmp_path / name, copy / name)
    before = contents(copy)

    assert names(copy / file.name)[-1] == "in the log"
    assert contents(copy) == before


def test_nothing_is_left_beside_a_file_in_wal_mode(file: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(file)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
    before = contents(tmp_path)

    assert len(names(file)) == 2000
    assert contents(tmp_path) == before


def test_files_that_another_program_uses_are_not_removed(file: Path) -> None:
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("INSERT INTO people VALUES ('one more')")
        other.commit()

        assert names(file)[-1] == "one more"
        assert Path(f"{file}-wal").exists()
        assert Path(f"{file}-shm").exists()
        other.execute("INSERT INTO people VALUES ('and another')")
        other.commit()
    assert names(file)[-1] == "and another"


WRITER = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
number = 0
while number := number + 1:
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE people SET name = CAST(name AS INTEGER) + 1")
    database.execute("COMMIT")
    print(number, flush=True)
"""


@pytest.fixture
def writer(file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that gives all rows the next number, again and again."""
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE people SET name = '0'")
        database.commit()
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(file)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_the_rows_are_those_of_one_moment_while_another_process_writes(
    file: Path, writer: subprocess.Popen[str]
) -> None:
    assert writer.stdout is not None
    with open_source(file) as database:
        rows = read_rows(database, SELECT)
        first = next(rows)[1]
        while int(writer.stdout.readline()) <= int(first):
            pass
        seen = {first, *(name for _, name in rows)}
        again = {name for _, name in read_rows(database, SELECT)}

    assert len(seen) == 1
    assert again == seen
    assert int(first) < int(names(file)[0])


def test_text_that_is_not_utf_8_arrives_as_surrogates_and_the_rest_as_it_is(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        for number in (1, 700, 701, 2000):
            database.execute("UPDATE people SET name = CAST(x'48e46d' AS TEXT) WHERE rowid = ?", [number])
        database.commit()
    expected = [f"person {n}" for n in range(2000)]
    for number in (1, 700, 701, 2000):
        expected[number - 1] = "H\udce4m"

    assert names(file) == expected


def test_rows_with_any_number_are_read(file: Path) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("INSERT INTO people (rowid, name) VALUES (-5, 'below'), (?, 'far')", [2**63 - 1])
        database.commit()

    found = names(file)

    assert (found[0], found[-1], len(found)) == ("below", "far", 2002)


def test_counting_a_table_counts_every_row(file: Path) -> None:
    with open_source(file) as database:
        assert count_rows(database, "people") == 2000


def test_reading_changes_neither_the_file_nor_its_times(file: Path) -> None:
    before, content = file.stat(), file.read_bytes()
    time.sleep(0.01)

    names(file)

    assert file.read_bytes() == content
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
