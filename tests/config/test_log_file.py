"""The log file that is turned over, also while several processes write into it."""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
import sys
from pathlib import Path

from tests.commands import inherited, manage
from tests.config.test_settings import settings_of
from tests.config.variables import PROJECT

WRITE = """
import logging, sys
import django
django.setup()
log = logging.getLogger("forecourt.test")
for number in range(500):
    log.warning("writer %s line %d %s", sys.argv[1], number, "x" * 2400)
log.warning("writer %s password=hush", sys.argv[1])
"""


def test_without_a_file_the_log_goes_to_the_console_alone() -> None:
    logging = settings_of({}, "LOGGING")["LOGGING"]
    assert isinstance(logging, dict)
    assert logging["root"]["handlers"] == ["console"]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused = manage("check", environment=inherited() | {"LOG_FILE": str(tmp_path / "none" / "forecourt.log")})
    assert refused.returncode == 1
    assert refused.stderr == f"Error: LOG_FILE: {tmp_path / 'none'} is no folder that may be written.\n"


def test_processes_turn_the_file_over_together_and_lose_no_line(tmp_path: Path) -> None:
    file = tmp_path / "forecourt.log"
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'any.sqlite3'}",
        "LOG_FILE": str(file),
        "LOG_FILE_MEGABYTES": "1",
        "LOG_FILES_KEPT": "20",
    }
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITE, str(name)], cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL
        )
        for name in range(3)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    older = sorted(tmp_path.glob("forecourt.log.*.gz"))
    assert older
    text = file.read_text() + "".join(gzip.decompress(path.read_bytes()).decode() for path in older)
    for name in range(3):
        found = [line for line in text.splitlines() if f"writer {name} line " in line]
        assert len(found) == 500
    assert file.stat().st_size <= 1_100_000
    assert stat.S_IMODE(file.stat().st_mode) & 0o007 == 0
    assert "password=[hidden]" in text
    assert "hush" not in text


def test_no_more_than_the_wanted_number_of_files_is_kept(tmp_path: Path) -> None:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'any.sqlite3'}",
        "LOG_FILE": str(tmp_path / "forecourt.log"),
        "LOG_FILE_MEGABYTES": "1",
        "LOG_FILES_KEPT": "1",
    }
    for _ in range(3):
        command = [sys.executable, "-c", WRITE, "0"]
        subprocess.run(command, cwd=PROJECT, env=environment, stderr=subprocess.DEVNULL, check=True)
    assert len(list(tmp_path.glob("forecourt.log.*"))) == 1
