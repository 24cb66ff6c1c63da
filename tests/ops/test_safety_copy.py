from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config.db.errors import Refused
from config.ops.safety_copy import write_safety_copy
from tests.builders import make_car

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def content_of(copy: Path) -> str:
    if copy.suffix == ".sqlite3":
        with closing(sqlite3.connect(copy)) as database:
            return "\n".join(database.iterdump())
    read = ["pg_restore", "--file=-", str(copy)]
    return subprocess.run(read, capture_output=True, text=True, check=True).stdout


def test_migrate_with_backup_copies_the_whole_database_before_it_applies_anything(tmp_path: Path) -> None:
    make_car(vin="TMBZZZ1Z8JA123456")
    out = StringIO()

    call_command("migrate", "--backup", str(tmp_path / "copies"), "--verbosity", "0", stdout=out)

    (copy,) = (tmp_path / "copies").iterdir()
    assert str(copy) in out.getvalue()
    assert "TMBZZZ1Z8JA123456" in content_of(copy)


def test_a_copy_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    copy = write_safety_copy(connection, tmp_path, now=NIGHT)

    assert copy.stat().st_mode & 0o777 == 0o600


def test_two_copies_of_the_same_moment_do_not_overwrite_each_other(tmp_path: Path) -> None:
    first = write_safety_copy(connection, tmp_path, now=NIGHT)
    second = write_safety_copy(connection, tmp_path, now=NIGHT.replace(microsecond=1))

    assert first != second
    assert sorted(tmp_path.iterdir()) == sorted([first, second])


def test_migrate_applies_nothing_when_no_copy_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    before = MigrationRecorder(connection).applied_migrations()

    with pytest.raises(CommandError, match="No copy of the database could be written"):
        call_command("migrate", "analytics", "zero", "--backup", str(tmp_path / "file"), "--verbosity", "0")

    assert MigrationRecorder(connection).applied_migrations() == before


@pytest.mark.postgres_only
def test_a_dump_program_that_fails_leaves_no_file_under_a_final_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\necho 'server closed the connection' >&2\nexit 1\n")
    (programs / "pg_dump").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))

    with pytest.raises(Refused, match="pg_dump failed: server closed the connection"):
        write_safety_copy(connection, tmp_path / "copies", now=NIGHT)

    assert list((tmp_path / "copies").iterdir()) == []
