"""Letting PostgreSQL replay its log over restored files: a server that nobody else reaches, open only for that."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from config.db.errors import Refused
from config.ops import keeper
from config.ops.backup.contents import postgresql_rows
from config.ops.physical import wal
from config.ops.servers import Account, ServerFailed, kept, usable_binaries, work_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

POLL_SECONDS = 0.1
READY_LINE = 7  # of postmaster.pid
RECOVERY_SIGNAL = "recovery.signal"
REACHED = re.compile(r"last completed transaction was at log time (.+)")
TOO_SHORT = "recovery ended before configured recovery target was reached"
RESTORED = re.compile(r'restored log file "([0-9A-F]{24})" from archive')
SEGMENT = re.compile(r"[0-9A-F]{24}")
NO_MORE_LOG = "false"
# The restored configuration speaks of the life of another server, which goes on: nothing of it may reach out there.
PRIVATE_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": "5432",
    "external_pid_file": "",
    "ssl": "off",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_min_messages": "warning",
    "lc_messages": "C",
    "archive_mode": "off",
    "archive_cleanup_command": "",
    "recovery_end_command": "",
    "primary_conninfo": "",
    "synchronous_standby_names": "",
    # Neither subscriptions to other servers nor scheduled jobs of extensions.
    "max_worker_processes": "0",
    # Nobody looks before the end, and so this machine need not have room for as many sessions as the old one.
    "hot_standby": "off",
    "recovery_target_action": "promote",
    "recovery_target_timeline": "latest",
    "recovery_min_apply_delay": "0",
}


@dataclass(frozen=True, slots=True)
class Replayed:
    """A server that has replayed its log.

    `reached` is the time of its last transaction, as PostgreSQL writes it; `gap` is a sentence when the archive lacks a
    file and has later ones, else "".
    """

    socket_folder: Path
    reached: str
    gap: str


def account_for(folder: Path) -> Account | None:
    """Return the account that runs the server, None when that is ours. Raises Refused if it does not reach `folder`."""
    try:
        account = Account.for_servers()
    except ServerFailed as error:
        raise Refused(str(error)) from error
    if account and not account.may_use(folder):
        raise Refused(
            f"{folder} cannot be reached by the account that runs PostgreSQL, which does not run as root: name another "
            "folder with --into."
        )
    return account


@contextmanager
def replayed(postgres: Path, files: Path, *, log_folder: Path | None, to_time: datetime | None) -> Iterator[Replayed]:
    """Yield a server that has replayed the log over `files`, and shut it down in order.

    The log comes from the archive in `log_folder`, or is only what the files bring. Raises Refused with what the server
    said when it does not reach the moment.
    """
    account = account_for(files.parent)
    with work_folder(account) as folder:
        order = keeper.Order(
            serve=_command(postgres, files, folder, account, log_folder, to_time),
            log=str(folder / "log"),
            stop_signal=signal.SIGINT,
            uid=account.uid if account else None,
            gid=account.gid if account else None,
            remove=str(folder),
        )
        (files / RECOVERY_SIGNAL).touch()
        own(files, account)
        brought = [path.name for path in (files / "pg_wal").iterdir()]
        with kept(order, output=subprocess.PIPE) as process:
            _wait(process, files, to_time)
            said = (folder / "log").read_text(errors="replace")
            found = REACHED.search(said)
            gap = _gap([*brought, *RESTORED.findall(said)], log_folder) if log_folder and not to_time else ""
            yield Replayed(folder, found[1] if found else "", gap)
            _shut_down(process, files)


def own(files: Path, account: Account | None) -> None:
    """Give files to the account that runs the server. Raises OSError."""
    files.chmod(0o700)
    if account:
        for path in (files, *files.rglob("*")):
            os.chown(path, account.uid, account.gid, follow_symlinks=False)


def rows_of_database(replayed_server: Replayed, *, database: str, user: str) -> dict[str, int]:
    """Count the rows of a database's tables. Raises Refused."""
    parameters: dict[str, Any] = {"host": str(replayed_server.socket_folder), "port": 5432}
    try:
        with psycopg.connect(dbname=database, user=user, autocommit=True, **parameters) as session:
            session.execute("SET statement_timeout = 0")
            return postgresql_rows(session)
    except psycopg.Error as error:
        raise Refused(f"Its rows could not be counted: {str(error).strip()}") from error


def _command(
    postgres: Path,
    files: Path,
    folder: Path,
    account: Account | None,
    log_folder: Path | None,
    to_time: datetime | None,
) -> list[str]:
    rules = folder / "hba"
    rules.write_text("local all all trust\n")
    if account:
        os.chown(rules, account.uid, account.gid)
    settings = {
        **PRIVATE_SETTINGS,
        # The restored configuration may name the folder of the live server.
        "data_directory": str(files),
        "hba_file": str(rules),
        "unix_socket_directories": str(folder),
        "restore_command": _fetching(folder, account, log_folder) if log_folder else NO_MORE_LOG,
        "recovery_target_time": to_time.isoformat(sep=" ") if to_time else "",
    }
    binaries = usable_binaries(postgres, account, folder)
    return [str(binaries / "postgres"), "-D", str(files), *(f"--{name}={value}" for name, value in settings.items())]


def _fetching(folder: Path, account: Account | None, log_folder: Path) -> str:
    # A copy: the account may not reach the place where this program lies.
    program = folder / "wal.py"
    shutil.copyfile(wal.__file__, program)
    program.chmod(0o644)
    words = [python_for(account), str(program), "fetch", str(log_folder)]
    # PostgreSQL takes % for the beginning of a name of its own.
    return " ".join(shlex.quote(word).replace("%", "%%") for word in words) + " %f %p"


def python_for(account: Account | None) -> str:
    """Return a Python that the account can run. Raises Refused."""
    ours = Path(sys.executable).resolve()
    if account is None or account.may_use(ours):
        return str(ours)
    theirs = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if theirs is None:
        raise Refused(
            "The account that runs PostgreSQL cannot run this Python, and the system has none: install python3."
        )
    return theirs


def _wait(process: subprocess.Popen[str], files: Path, to_time: datetime | None) -> None:
    # However long it takes: what it replays may be a month's changes.
    while not _is_open(files):
        if process.poll() is not None:
            said = process.stdout.read().strip() if process.stdout else ""
            if TOO_SHORT in said and to_time:
                raise Refused(_too_short(said, to_time))
            raise Refused(f"PostgreSQL could not replay its log: {said or process.returncode}")
        time.sleep(POLL_SECONDS)


def _gap(used: list[str], log_folder: Path) -> str:
    last = max(name for name in used if SEGMENT.fullmatch(name))
    archived = (path.name.removesuffix(wal.SUFFIX) for path in log_folder.iterdir())
    # PostgreSQL asked for the one after the last, and would have taken it.
    if any(name > last and name[:8] == last[:8] for name in archived if SEGMENT.fullmatch(name)):
        return f"The archived log has a gap after {last}: what changed since then is not there."
    return ""


def _too_short(said: str, to_time: datetime) -> str:
    found = REACHED.search(said)
    last = f"its last change is of {found[1]}" if found else "it has no change after the base backup"
    return (
        f"The archived log ends before {to_time:%Y-%m-%d %H:%M:%S} UTC: {last}. If the server still runs, `SELECT "
        "pg_switch_wal()` there sends the rest to the archive; to get all that is archived, leave --to-time out."
    )


def _is_open(files: Path) -> bool:
    lines = _pid_file(files)
    open_now = len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"
    return open_now and not (files / RECOVERY_SIGNAL).exists()


def _pid_file(files: Path) -> list[str]:
    try:
        return (files / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _shut_down(process: subprocess.Popen[str], files: Path) -> None:
    if lines := _pid_file(files):
        os.kill(int(lines[0]), signal.SIGINT)
    # The keeper ends with its server; its last checkpoint takes as long as it takes.
    if process.wait():
        raise Refused(f"PostgreSQL did not shut down in order: {process.stdout.read() if process.stdout else ''}")
