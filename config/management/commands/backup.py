from __future__ import annotations

import json
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone
from rich import filesize

from config.database_url import shown_url
from config.db.errors import Refused
from config.management.arguments import DONE_WITH_FINDINGS, MOST_JOBS, ended_in_order, number
from config.management.output import standard_output, told
from config.ops.backup.catalogue import Catalogue, hours, read_catalogue
from config.ops.backup.draft import FULL, INCREMENTAL, KINDS, PHYSICAL, Wanted
from config.ops.backup.encryption import Keys, Lock, make_lock, read_keys, read_passphrase
from config.ops.backup.run import Request, Result, WrongUsage, run_backup
from config.ops.direct import direct_connection, use_direct_database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

LONGEST_RETENTION = 36_500  # days
# Below the folder of backups, unless it is elsewhere.
LOG_FOLDER = "wal"
STOPPED = "Stopped. There is no new backup, and the old ones are as they were."


class Command(BaseCommand):
    help = (
        "Backs up the database: dumps it, reads the file back, and describes it in a manifest beside it. "
        "Old backups are removed, never the newest good one. "
        "Exit code 1 when there is no good backup, 3 when there is one and something else failed. "
        "Example: manage.py backup --retention 30 --encrypt age1... --upload s3://bucket/forecourt"
    )
    # A backup must be possible whatever else is wrong; `manage.py` does not even load the apps for it.
    requires_system_checks = []

    def __init__(self, stdout: TextIO | None = None, **options: Any) -> None:
        """Print to standard output, or fail where there is none."""
        super().__init__(stdout or standard_output(), **options)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument(
            "-o", "--output", type=Path, default=settings.BACKUP_DIR, metavar="DIR",
            help="The folder of backups; default: BACKUP_DIR (%(default)s).",
        )  # fmt: skip
        parser.add_argument(
            "-r", "--retention", type=number(1, LONGEST_RETENTION), default=30, metavar="DAYS",
            help="Remove this database's backups that are older; default: %(default)s.",
        )  # fmt: skip
        parser.add_argument("-d", "--database", metavar="NAME", help="Another database of the server, or SQLite file.")
        parser.add_argument("-u", "--user", metavar="NAME", help="Connect to PostgreSQL as this user.")
        parser.add_argument("--type", choices=KINDS, default="full", dest="kind", help="What to dump; default: full.")
        parser.add_argument("--no-compress", action="store_false", dest="compress", help="Write it uncompressed.")
        parser.add_argument(
            "--jobs", type=number(1, MOST_JOBS), metavar="N",
            help="Dump PostgreSQL with this many processes, into a folder instead of a file.",
        )  # fmt: skip
        parser.add_argument(
            "--encrypt", action="append", default=[], metavar="RECIPIENT",
            help="Encrypt to this age or SSH public key; may be given several times.",
        )  # fmt: skip
        parser.add_argument(
            "--passphrase-file", type=Path, metavar="FILE",
            help="Encrypt with the passphrase in this file; default: BACKUP_ENCRYPTION_KEY, if it is set.",
        )  # fmt: skip
        parser.add_argument(
            "--verify", action="store_true", help="Restore it into a scratch database and compare every table."
        )
        parser.add_argument(
            "--identity", type=Path, action="append", default=[], metavar="FILE",
            help="A secret key with which --verify opens what --encrypt locked.",
        )  # fmt: skip
        parser.add_argument(
            "--upload", default="", metavar="URL",
            help="Copy it to s3://bucket/folder or to a folder as well; the copy here stays.",
        )  # fmt: skip
        parser.add_argument(
            "--physical", action="store_true",
            help="Copy the files of the whole PostgreSQL server instead: the base of any later moment's state.",
        )  # fmt: skip
        parser.add_argument(
            "--incremental", action="store_true",
            help="With --physical, PostgreSQL 17 and newer: copy only what changed since the last one.",
        )  # fmt: skip
        parser.add_argument(
            "--wal", type=Path, metavar="DIR",
            help="With --physical: where the server archives its log, to remove what nobody needs; default: wal in "
            "the folder of backups.",
        )  # fmt: skip
        parser.add_argument(
            "--if-changed", action="store_true",
            help="SQLite: keep no new copy while the last good backup has the same content.",
        )  # fmt: skip
        parser.add_argument(
            "--print-schedule", choices=("cron", "systemd"),
            help="Print when to back up, for this installation, and what PostgreSQL must be told; do nothing.",
        )  # fmt: skip
        parser.add_argument("--list", action="store_true", dest="list_only", help="List the backups that there are.")
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print JSON for programs.")

    def handle(self, *, output: Path, list_only: bool, as_json: bool, verbosity: int, **options: Any) -> None:
        """Back up or list, print, and set the exit code."""
        self.as_json, self.verbosity = as_json, verbosity
        folder = output.absolute()
        try:
            with _connection(options["database"], options["user"]) as connection:
                if options["print_schedule"]:
                    self._print_schedule(connection, folder, **options)
                    return
                if list_only:
                    now = timezone.now()
                    self._list(read_catalogue(folder, connection, now=now), now=now)
                    return
                with ended_in_order(STOPPED):
                    self._back_up(connection, folder, **options)
        except WrongUsage as error:
            raise CommandError(str(error), returncode=2) from error
        except Refused as error:
            raise CommandError(str(error)) from error

    def _back_up(self, connection: BaseDatabaseWrapper, folder: Path, **options: Any) -> None:
        _check_physical(connection, **options)
        if options["if_changed"] and connection.vendor != "sqlite":
            raise WrongUsage(
                "--if-changed is for SQLite. PostgreSQL archives what changes: see --print-schedule and --physical."
            )
        lock, keys = _lock_and_keys(options["encrypt"], options["passphrase_file"], options["identity"])
        if self.verbosity and not self.as_json:
            self.stderr.write(f"Backing up {shown_url(connection.settings_dict)}")
        with self._progress() as progress:
            wanted = Wanted(
                kind=_kind(**options), compress=options["compress"], jobs=options["jobs"], lock=lock,
                checksums=options["verify"] or options["if_changed"], keys=keys, progress=progress,
            )  # fmt: skip
            request = Request(
                folder, wanted, options["retention"], options["upload"], options["verify"],
                log_folder=log_folder(folder, options["wal"]), if_changed=options["if_changed"],
            )  # fmt: skip
            result = run_backup(connection, request, now=timezone.now())
        findings = [*result.findings, *told(self, lambda: self._tell(result))]
        for finding in findings:
            with suppress(OSError):
                self.stderr.write(finding)
        if findings:
            sys.exit(DONE_WITH_FINDINGS)

    def _tell(self, result: Result) -> None:
        if self.as_json:
            self.stdout.write(json.dumps(result.as_json(), indent=2))
        elif self.verbosity:
            self._say(result)

    def _say(self, result: Result) -> None:
        manifest = result.manifest
        rows = f"{sum(manifest.rows.values()):,} rows in {len(manifest.rows)} tables, " if manifest.rows else ""
        proofs = " and ".join(proof.how for proof in manifest.verified)
        if not result.is_new:
            self.stdout.write(self.style.SUCCESS(f"{result.backup} has the same content, so nothing was added."))
            return
        self.stdout.write(
            self.style.SUCCESS(
                f"{result.backup}: {filesize.decimal(manifest.size)}, {rows}{manifest.duration_seconds:.1f} s, {proofs}"
            )
        )
        if result.removed:
            self.stdout.write(f"Removed {len(result.removed)} backups older than {manifest.retention_days} days.")
        for upload in manifest.uploads:
            if not upload.error:
                self.stdout.write(f"Copied to {upload.to}")

        physical = manifest.physical
        if physical and not physical.archived:
            self.stdout.write("The server archives no log: only the backup's own moment can be restored from it.")

    def _print_schedule(self, connection: BaseDatabaseWrapper, folder: Path, **options: Any) -> None:
        from config.ops.physical.schedule import PRINTED, jobs, server_settings

        if self.as_json:
            raise WrongUsage("--print-schedule is for cron and systemd: leave --json out.")
        server_major, logs = _server_major(connection), log_folder(folder, options["wal"])
        passed_on = ["--output", str(folder), "--retention", str(options["retention"])]
        for name in ("encrypt", "upload", "passphrase_file"):
            given = options[name] if isinstance(options[name], list) else [options[name]]
            passed_on += [word for value in given if value for word in (f"--{name.replace('_', '-')}", str(value))]
        lines = [*PRINTED[options["print_schedule"]](jobs(server_major, passed_on, logs), folder / "backup.log")]
        if server_major is not None:
            lines += ["", "# In postgresql.conf, whose account must be able to write to the folder:"]
            lines += [f"#   {line}" for line in server_settings(server_major, logs)]
        self.stdout.write("\n".join(lines))

    def _list(self, catalogue: Catalogue, *, now: datetime) -> None:
        from config.ops.physical.chains import newest_usable

        good, base = catalogue.newest_good, newest_usable(catalogue)
        age = good.age_hours(now) if good else None
        base_age = hours(now - base.manifest.started_at) if base and not base.from_future else None
        if self.as_json:
            backups = [entry.as_json(now) for entry in catalogue.entries]
            result = {
                "last_good_age_hours": age,
                "last_base_age_hours": base_age,
                "findings": catalogue.findings,
                "backups": backups,
                "elsewhere": [entry.as_json(now) for entry in catalogue.elsewhere],
            }
            self.stdout.write(json.dumps(result, indent=2))
            return
        for entry in catalogue.entries:
            manifest = entry.manifest
            proofs = ", ".join(dict.fromkeys(proof.how for proof in manifest.verified))
            self.stdout.write(
                f"{manifest.started_at:%Y-%m-%d %H:%M:%S}  {manifest.kind:<11}  {filesize.decimal(manifest.size):>9}  "
                f"{entry.problem or proofs:<20}  {entry.backup}"
            )
        for finding in catalogue.findings:
            self.stderr.write(finding)
        if others := catalogue.told_of_others():
            self.stdout.write(others)
        if age is not None:
            self.stdout.write(f"The last good backup is {age:g} hours old.")
        elif good is None and base is None:
            self.stdout.write("No good backup.")
        if base_age is not None:
            self.stdout.write(f"The last base backup is {base_age:g} hours old.")

    @contextmanager
    def _progress(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that is told how much is dumped: shown on a terminal, and nowhere else."""
        if self.as_json or not self.verbosity or not sys.stderr.isatty():
            yield lambda size: None
            return
        from rich.console import Console
        from rich.progress import DownloadColumn, Progress, SpinnerColumn, TimeElapsedColumn, TransferSpeedColumn

        columns = (SpinnerColumn(), DownloadColumn(), TransferSpeedColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("dumping", total=None)
            yield lambda size: bar.update(task, completed=size)


@contextmanager
def _connection(name: str | None, user: str | None) -> Iterator[BaseDatabaseWrapper]:
    """Yield the connection to back up, to another database or as another user where that is asked for."""
    use_direct_database(DEFAULT_DB_ALIAS)
    connection = connections[DEFAULT_DB_ALIAS]
    if not (name or user):
        yield connection
        return
    if user and connection.vendor == "sqlite":
        raise WrongUsage("--user: SQLite has no users.")
    from config.database_url import url_of
    from config.ops.scratch import connected

    database = {**connection.settings_dict, **({"USER": user} if user else {})}
    if name and connection.vendor == "sqlite":
        name = str(Path(name).absolute())
    with connected(url_of(database, name=name)) as other:
        yield other


def _kind(*, physical: bool, incremental: bool, kind: str, **options: Any) -> str:
    if not physical:
        return kind
    return INCREMENTAL if incremental else PHYSICAL


def log_folder(folder: Path, given: Path | None) -> Path:
    """Return where the server archives its log."""
    return given.absolute() if given else folder / LOG_FOLDER


def _check_physical(connection: BaseDatabaseWrapper, *, physical: bool, **options: Any) -> None:
    if not physical:
        for name in ("incremental", "wal"):
            if options[name]:
                raise WrongUsage(f"--{name} belongs to --physical.")
        return
    if connection.vendor != "postgresql":
        raise WrongUsage("--physical: SQLite has no server; without it the whole file is copied.")
    parts = {"--jobs": options["jobs"], "--verify": options["verify"], "--type": options["kind"] != FULL}
    for name, given in parts.items():
        if given:
            raise WrongUsage(f"{name} belongs to a dump: leave it out with --physical, which copies and checks all.")


def _server_major(connection: BaseDatabaseWrapper) -> int | None:
    if connection.vendor != "postgresql":
        return None
    with direct_connection(connection) as session:
        return session.info.server_version // 10_000


def _lock_and_keys(recipients: list[str], passphrase_file: Path | None, identities: list[Path]) -> tuple[Lock, Keys]:
    passphrase = read_passphrase(passphrase_file) if passphrase_file else ""
    if not recipients:
        passphrase = passphrase or settings.BACKUP_ENCRYPTION_KEY
    return make_lock(recipients, passphrase), read_keys(identities, passphrase)
