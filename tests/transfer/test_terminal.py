"""The command at a terminal: it asks, shows a bar, and stops when it is told to."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from config.ops.scratch import child_environment
from tests.commands import MANAGE, hear, manage
from tests.transfer.conftest import sqlite_url
from tests.transfer.moving import contents, query

pytestmark = [pytest.mark.postgres_only, pytest.mark.timeout(300)]


WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database
     WHERE NOT granted AND datname = current_database()
"""


class Terminal:
    """The command in a terminal of its own."""

    def __init__(self, source: Path, target: str, *options: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*MANAGE, "sqlite_to_postgres", str(source), "--target", target, *options],
            env=child_environment(sqlite_url(source.with_name("unused.sqlite3"))) | {"TERM": "xterm", "COLUMNS": "150"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=hear,  # noqa: PLW1509 - this process has one thread
        )
        os.close(slave)
        self.seen = ""

    def wait_for(self, text: str) -> None:
        while text not in self.seen:
            assert self._read(), self.seen

    def answer(self, text: str) -> None:
        os.write(self.master, f"{text}\n".encode())

    def leave(self) -> None:
        """Press Ctrl-D."""
        os.write(self.master, b"\x04")

    def end(self) -> int:
        while self._read():
            pass
        os.close(self.master)
        return self.process.wait()

    def _read(self) -> bool:
        try:
            part = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += part.decode(errors="replace")
        return bool(part)


def test_it_asks_and_moves_after_a_yes(demo: Path, target: str) -> None:
    terminal = Terminal(demo, target)
    terminal.wait_for("Type yes to move the rows into PostgreSQL database transfer_")
    terminal.answer("yes")

    assert terminal.end() == 0, terminal.seen
    assert "rows" in terminal.seen
    assert "/s" in terminal.seen
    assert "Every row is accounted for" in terminal.seen
    assert query(target, "SELECT count(*) FROM inventory_part") == [(24,)]


@pytest.mark.parametrize("answer", ["", "no", "YES please"])
def test_anything_else_is_a_no(demo: Path, target: str, answer: str) -> None:
    before = contents(target)
    terminal = Terminal(demo, target)
    terminal.wait_for("Type yes")
    terminal.answer(answer)

    assert terminal.end() == 1
    assert "Nothing was moved." in terminal.seen
    assert contents(target) == before


def test_nobody_who_answers_is_a_no(demo: Path, target: str) -> None:
    before = contents(target)
    terminal = Terminal(demo, target)
    terminal.wait_for("Type yes")
    terminal.leave()

    assert terminal.end() == 1
    assert "Nothing was changed." in terminal.seen
    assert "Traceback" not in terminal.seen
    assert contents(target) == before


def test_an_interrupted_move_has_not_happened(demo: Path, target: str) -> None:
    before = contents(target)
    with query_lock(target):
        terminal = Terminal(demo, target, "--yes")
        terminal.wait_for("Target:")
        while query(target, WAITING) == [(0,)]:
            assert terminal.process.poll() is None
        terminal.process.send_signal(signal.SIGINT)

        assert terminal.end() == 1, terminal.seen
    assert "Interrupted. Nothing was moved." in terminal.seen
    assert "Traceback" not in terminal.seen
    assert contents(target) == before


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_a_move_that_is_ended_leaves_nothing_of_its_report(
    demo: Path, target: str, tmp_path: Path, ending: signal.Signals
) -> None:
    before, folder = contents(target), tmp_path / "reports"
    folder.mkdir()
    with query_lock(target):
        terminal = Terminal(demo, target, "--yes", "--report", str(folder / "report.json"))
        terminal.wait_for("Target:")
        while query(target, WAITING) == [(0,)]:
            assert terminal.process.poll() is None
        assert len(list(folder.iterdir())) == 1
        terminal.process.send_signal(ending)

        assert terminal.end() == 128 + ending, terminal.seen
    assert "Interrupted. Nothing was moved." in terminal.seen
    assert "Traceback" not in terminal.seen
    assert list(folder.iterdir()) == []
    assert contents(target) == before


class query_lock:  # noqa: N801 - used as a function
    """Hold a table that the move needs, so that it can be met at work."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.connection = psycopg.connect(url)

    def __enter__(self) -> None:
        self.connection.execute("LOCK TABLE leads_lead IN ROW EXCLUSIVE MODE")

    def __exit__(self, *error: object) -> None:
        self.connection.close()


def test_an_older_file_is_offered_a_migrated_copy(demo: Path, target: str) -> None:
    back = manage("migrate", "accounts", "0001", "--verbosity", "0", environment=child_environment(sqlite_url(demo)))
    assert back.returncode == 0, back.stderr
    copy = demo.with_name("demo-migrated.sqlite3")
    terminal = Terminal(demo, target)
    terminal.wait_for("Type yes to make the copy")
    terminal.answer("yes")
    terminal.wait_for("Type yes to move the rows")
    terminal.answer("yes")

    assert terminal.end() == 0, terminal.seen
    assert copy.exists()
    assert "Every row is accounted for" in terminal.seen
