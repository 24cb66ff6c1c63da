"""Lines and indexes on one connection: lines wait while the server builds, and none is lost or out of order."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import psycopg
import pytest
from django.conf import settings

from config.ops.transfer.building import Builder, PatientWriter
from config.ops.transfer.checksums import OrderedChecksum, UnorderedChecksum
from config.ops.transfer.loading import CopyWriter
from config.ops.transfer.target import Part

pytestmark = pytest.mark.postgres_only

SLOW = Part("numbers", "slow", "", "SELECT pg_sleep(0.3)")
WRONG = Part("numbers", "wrong", "", "CREATE INDEX ON numbers (missing)")


@pytest.fixture
def session(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TEMP TABLE numbers (n int)")
        yield connection
        connection.rollback()


def writer(session: psycopg.Connection[Any], builder: Builder) -> PatientWriter:
    return PatientWriter(builder, partial(CopyWriter, session, "numbers", ["n"]))


def numbers(session: psycopg.Connection[Any]) -> list[int]:
    return [n for (n,) in session.execute("SELECT n FROM numbers ORDER BY ctid")]


def test_lines_go_straight_to_a_session_that_is_free(session: psycopg.Connection[Any]) -> None:
    lines = writer(session, Builder(session))
    for n in range(100):
        lines.write(f"{n}\n".encode())
    lines.close()

    assert numbers(session) == list(range(100))


def test_lines_wait_for_what_is_built_and_arrive_in_their_order(session: psycopg.Connection[Any]) -> None:
    builder = Builder(session)
    builder.submit([SLOW, Part("numbers", "index", "", "CREATE INDEX numbers_n ON numbers (n)")])
    lines = writer(session, builder)
    written = 0
    while builder.is_busy():
        lines.write(f"{written}\n".encode())
        written += 1
    for n in range(written, written + 50):
        lines.write(f"{n}\n".encode())
    lines.close()

    assert numbers(session) == list(range(written + 50))
    assert session.execute("SELECT 1 FROM pg_indexes WHERE indexname = 'numbers_n'").fetchone()


def test_what_is_built_for_one_table_does_not_mix_with_the_lines_of_the_next(
    session: psycopg.Connection[Any],
) -> None:
    builder = Builder(session)
    for start in (0, 100, 200):
        lines = writer(session, builder)
        for n in range(start, start + 100):
            lines.write(f"{n}\n".encode())
        lines.close()
        builder.submit([SLOW])
    builder.wait()

    assert numbers(session) == list(range(300))


def test_lines_of_one_table_wait_while_those_of_the_next_are_taken(session: psycopg.Connection[Any]) -> None:
    builder = Builder(session)
    with psycopg.connect(session.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(1)")
        builder.submit([Part("numbers", "held up", "", "SELECT pg_advisory_xact_lock(1)")])
        for start in (0, 100):
            lines = writer(session, builder)
            for n in range(start, start + 100):
                lines.write(f"{n}\n".encode())
            lines.close()
        assert (builder.left, builder.kept) == (3, 690)
    builder.wait()

    assert numbers(session) == list(range(200))
    assert (builder.left, builder.kept) == (0, 0)


def test_lines_that_waited_and_are_refused_leave_the_session_usable(session: psycopg.Connection[Any]) -> None:
    builder = Builder(session)
    builder.submit([SLOW])
    lines = writer(session, builder)
    lines.write(b"no number\n")
    lines.close()

    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="no number"):
        builder.wait()
    session.rollback()

    assert session.execute("SELECT 1").fetchone() == (1,)


def test_something_that_cannot_be_built_is_told(session: psycopg.Connection[Any]) -> None:
    builder = Builder(session)
    builder.submit([WRONG])

    with pytest.raises(psycopg.errors.UndefinedColumn, match='column "missing" does not exist'):
        builder.wait()
    assert not builder.is_busy()


def test_giving_up_stops_the_server_and_leaves_the_session_usable(session: psycopg.Connection[Any]) -> None:
    builder = Builder(session)
    builder.submit([Part("numbers", "endless", "", "SELECT pg_sleep(600)"), SLOW])
    lines = writer(session, builder)
    lines.write(b"1\n")

    lines.abandon()
    session.rollback()

    assert session.execute("SELECT 1").fetchone() == (1,)


def test_giving_up_in_the_middle_of_the_lines_leaves_the_session_usable(session: psycopg.Connection[Any]) -> None:
    session.commit()
    lines = writer(session, Builder(session))
    lines.write(b"1\n")

    lines.abandon()
    session.rollback()

    assert session.execute("SELECT count(*) FROM numbers").fetchone() == (0,)


def test_a_full_temporary_folder_is_told_with_the_way_out(database_url: str) -> None:
    program = (
        "import sys, psycopg\n"
        "from functools import partial\n"
        "from config.ops.transfer.building import Builder, PatientWriter\n"
        "from config.ops.transfer.target import Part\n"
        "with psycopg.connect(sys.argv[1]) as session:\n"
        "    builder = Builder(session)\n"
        "    builder.submit([Part('', '', '', 'SELECT pg_sleep(600)')])\n"
        "    lines = PatientWriter(builder, lambda: None)\n"
        "    try:\n"
        "        for _ in range(100): lines.write(b'x' * 1000)\n"
        "    except Exception as error: print(error)\n"
        "    lines.abandon()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, database_url],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )

    assert "cannot be written: File too large. Make room, or set TMPDIR" in done.stdout


def test_an_ordered_checksum_knows_the_order_and_an_unordered_one_does_not() -> None:
    def of(kind: type[OrderedChecksum | UnorderedChecksum], *blocks: bytes) -> tuple[int, str]:
        checksum = kind()
        for block in blocks:
            checksum.add(block, block.count(b"\n"))
        return checksum.rows, checksum.hexdigest()

    assert of(OrderedChecksum, b"a\nb\n") == of(OrderedChecksum, b"a\n", b"b\n") != of(OrderedChecksum, b"b\na\n")
    assert of(UnorderedChecksum, b"a\nb\n") == of(UnorderedChecksum, b"b\n", b"a\n") != of(UnorderedChecksum, b"a\n")
    # What exclusive-or would not see.
    assert of(UnorderedChecksum, b"a\na\n")[1] != of(UnorderedChecksum, b"b\nb\n")[1]
