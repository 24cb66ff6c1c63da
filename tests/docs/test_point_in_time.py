"""What docs/point-in-time.md tells people to type, typed on a server that is set up as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

from config.ops.physical import wal
from config.ops.physical.schedule import jobs, server_settings
from tests.docs.pages import type_commands
from tests.ops.physical.clusters import cluster, installed

PAGE = "point-in-time.md"
PROGRAMS = installed()


@pytest.fixture(scope="module")
def text() -> str:
    return (Path(settings.BASE_DIR) / "docs" / PAGE).read_text(encoding="utf-8")


@pytest.mark.postgres_only
@pytest.mark.skipif(not PROGRAMS, reason="PostgreSQL comes from a container")
def test_every_command_does_what_it_should() -> None:
    major = max(PROGRAMS)
    with cluster(major, PROGRAMS[major]) as server:
        server.sell(1, 100)
        folder = server.folder / "practice"
        folder.mkdir()

        outputs = type_commands(PAGE, folder=folder, environment=server.variables())

        assert "CRON_TZ=UTC" in outputs[0]
        assert len(server.names()) == 1
        assert "drill: 100 rows in 1 tables" in outputs[-1]


def test_the_settings_are_those_that_are_printed(text: str) -> None:
    shown = re.findall(r"^```ini\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)[0].splitlines()
    printed = list(server_settings(18, Path("/var/backups/forecourt/wal")))
    assert [line for line in shown if "archive_command" not in line] == [
        line for line in printed if "archive_command" not in line
    ]
    assert [line.partition(" = ")[0] for line in shown] == [line.partition(" = ")[0] for line in printed]


def test_the_times_are_those_of_the_schedule(text: str) -> None:
    times = {job.name: f"{job.hours[0]:02}:{job.minute:02}" for job in jobs(18, [], Path("wal"))}
    assert f"at {times['backup']} UTC the dump, at {times['base']} the base backup" in text


def test_the_exit_codes_are_those_of_the_program(text: str) -> None:
    assert f"0: here it is. {wal.MISSING}: the archive does not have it. {wal.ABORT_RECOVERY}: it is damaged" in text
