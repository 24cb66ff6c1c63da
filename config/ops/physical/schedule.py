"""When to back up: a schedule for cron or systemd, with the paths of this installation."""

from __future__ import annotations

import getpass
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from config.ops.physical import wal
from config.ops.physical.base import INCREMENTAL_SINCE

PROJECT = Path(__file__).resolve().parents[3]
SERVICES = "/etc/systemd/system"
# A moment that is not yet archived is lost with the server: the most that is lost, in seconds.
ARCHIVE_TIMEOUT = 60


@dataclass(frozen=True, slots=True)
class Job:
    """A command and when it runs, in UTC: at `minute` past each of the `hours`."""

    name: str
    what: str
    arguments: list[str]
    hours: tuple[int, ...]
    minute: int = 0


def jobs(server_major: int | None, options: list[str], log_folder: Path) -> list[Job]:
    """Return what a database needs; `server_major` is None for SQLite, `options` go to each backup."""
    every_six = (8, 14, 20)
    dump = Job("backup", "a dump of the database, whole", ["backup", *options], (2,))
    check = Job("check", "whether there is a good backup", ["dbhealth", "--section", "backups"], (9,))
    if server_major is None:
        between = ["backup", "--if-changed", *options]
        return [dump, Job("backup-between", "a copy in between, if anything changed", between, every_six), check]
    physical = ["backup", "--physical", "--wal", str(log_folder), *options]
    found = [dump, Job("base", "the files of the server, whole", physical, (2,), 30)]
    if server_major >= INCREMENTAL_SINCE:
        changed = Job("incremental", "what changed in them", [*physical, "--incremental"], every_six, 30)
        found.append(changed)
    return [*found, check]


def archive_command(log_folder: Path) -> str:
    """Return the command with which PostgreSQL archives its log, by a Python that its account can run."""
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin") or sys.executable
    words = [python, wal.__file__, "archive", str(log_folder)]
    # PostgreSQL takes % for the beginning of a name of its own.
    return " ".join(shlex.quote(word).replace("%", "%%") for word in words) + " %p"


def server_settings(server_major: int, log_folder: Path) -> Iterator[str]:
    """Yield the lines of postgresql.conf with which every moment between two base backups is kept."""
    quoted = archive_command(log_folder).replace("'", "''")
    yield "wal_level = replica"
    yield "archive_mode = on"
    yield f"archive_timeout = {ARCHIVE_TIMEOUT}"
    yield f"archive_command = '{quoted}'"
    if server_major >= INCREMENTAL_SINCE:
        yield "summarize_wal = on"


def cron_lines(todo: list[Job], log_file: Path) -> Iterator[str]:
    """Yield a crontab. What goes wrong is mailed; everything is in `log_file`."""
    yield "# For `crontab -e` of the account that runs Forecourt."
    yield "CRON_TZ=UTC"
    for job in todo:
        hours = ",".join(map(str, job.hours))
        log = shlex.quote(str(log_file))
        wrong = shlex.quote(f"Forecourt: {job.name} did not go well: {log_file}")
        # cron takes % for the end of a line.
        command = f"{_shell(job)} >>{log} 2>&1 || echo {wrong}".replace("%", r"\%")
        yield f"# {job.what.capitalize()}."
        yield f"{job.minute} {hours} * * * {command}"


def systemd_lines(todo: list[Job]) -> Iterator[str]:
    """Yield the units, each under the name of its file."""
    for job in todo:
        name = f"forecourt-{job.name}"
        hours = ",".join(f"{hour:02}" for hour in job.hours)
        yield f"# {SERVICES}/{name}.service"
        yield from ("[Unit]", f"Description=Forecourt: {job.what}", "", "[Service]", "Type=oneshot")
        yield f"User={getpass.getuser()}"
        yield f"WorkingDirectory={str(PROJECT).replace('%', '%%')}"
        yield f"ExecStart={' '.join(map(_unit_word, _words(job)))}"
        yield ""
        yield f"# {SERVICES}/{name}.timer"
        yield from ("[Unit]", f"Description=Forecourt: {job.what}", "", "[Timer]")
        yield from (f"OnCalendar=*-*-* {hours}:{job.minute:02}:00 UTC", "Persistent=true", "", "[Install]")
        yield from ("WantedBy=timers.target", "")
    names = " ".join(f"forecourt-{job.name}.timer" for job in todo)
    yield f"# systemctl daemon-reload && systemctl enable --now {names}"


PRINTED: dict[str, Callable[[list[Job], Path], Iterator[str]]] = {
    "cron": cron_lines,
    "systemd": lambda todo, _: systemd_lines(todo),
}


def _words(job: Job) -> list[str]:
    return [sys.executable, str(PROJECT / "manage.py"), *job.arguments]


def _shell(job: Job) -> str:
    return f"cd {shlex.quote(str(PROJECT))} && {shlex.join(_words(job))}"


def _unit_word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if escaped != word or " " in word else word
