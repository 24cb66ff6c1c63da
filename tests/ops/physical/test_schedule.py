"""The printed schedule is one that cron and systemd can take, for this installation."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from config.ops.physical.schedule import archive_command, cron_lines, jobs, server_settings, systemd_lines
from tests.ops.backup.conftest import make_shop, shop
from tests.ops.backup.shops import Shop

__all__ = ["make_shop", "shop"]

ANALYZE = shutil.which("systemd-analyze")
ODD = Path("/srv/back ups/100%/it's")


def times(server_major: int | None) -> dict[str, tuple[tuple[int, ...], int, bool]]:
    return {
        job.name: (job.hours, job.minute, "--incremental" in job.arguments)
        for job in jobs(server_major, ["--retention", "30"], ODD)
    }


def test_daily_whole_and_every_six_hours_what_changed() -> None:
    daily = {"backup": ((2,), 0, False), "check": ((9,), 0, False)}
    base = {"base": ((2,), 30, False)}

    assert times(18) == daily | base | {"incremental": ((8, 14, 20), 30, True)}
    assert times(15) == daily | base
    assert times(None) == daily | {"backup-between": ((8, 14, 20), 0, False)}
    assert "summarize_wal = on" in server_settings(17, ODD)
    assert "summarize_wal = on" not in server_settings(16, ODD)


def test_paths_survive_the_shell_and_each_reader_s_own_signs(tmp_path: Path) -> None:
    command = archive_command(ODD).replace("%%", "%").replace("%p", "x")
    words = subprocess.run(["/bin/sh", "-c", f"printf '%s\\n' {command}"], capture_output=True, text=True, check=True)
    assert words.stdout.splitlines()[2:] == ["archive", str(ODD), "x"]

    todo = jobs(18, ["--output", str(ODD)], ODD)
    lines = [line for line in cron_lines(todo, ODD / "log") if line.startswith("30 2")]
    assert [line.count("%") - line.count(r"\%") for line in lines] == [0]
    assert "back ups/100%%/it's\"" in "\n".join(systemd_lines(todo))


@pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")
def test_systemd_understands_its_units(tmp_path: Path) -> None:
    units: dict[str, list[str]] = {}
    name = ""
    for line in systemd_lines(jobs(18, ["--output", str(ODD)], ODD)):
        if line.startswith("# /"):
            name = Path(line[2:]).name
        elif not line.startswith("#"):
            units.setdefault(name, []).append(line)
    for unit, lines in units.items():
        (tmp_path / unit).write_text("\n".join(lines))

    done = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *map(str, tmp_path.iterdir())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert [line for line in done.stderr.splitlines() if "forecourt-" in line] == []
    assert len(units) == 8


@pytest.mark.django_db
def test_what_is_printed_for_cron_makes_a_backup(shop: Shop) -> None:
    printed = shop.manage("--print-schedule", "cron")
    assert printed.returncode == 0, printed.stderr
    line = next(line for line in printed.stdout.splitlines() if line.startswith("0 2 * * * "))

    shop.folder.mkdir()
    done = subprocess.run(
        ["/bin/sh", "-c", line.removeprefix("0 2 * * * ").replace(r"\%", "%")],
        env=shop.variables(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.stdout, done.stderr, len(shop.backups())) == ("", "", 1)
