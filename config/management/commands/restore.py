from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone
from rich.filesize import decimal

from config.database_url import shown_url
from config.db.errors import Refused
from config.management.arguments import DONE_WITH_FINDINGS, MOST_JOBS, answer, ended_in_order, moment, number
from config.management.commands import backup
from config.management.output import print_no_more, standard_output, told
from config.ops.backup.encryption import Keys, make_lock, read_keys, read_passphrase
from config.ops.backup.run import WrongUsage
from config.ops.direct import use_direct_database
from config.ops.restoring.drill import drill
from config.ops.restoring.kept import kept_by_restores, remove
from config.ops.restoring.order import Order, Outcome, Plan
from config.ops.restoring.returning import returning
from config.ops.restoring.rows import Found
from config.ops.restoring.run import fitting_source, forget_cached, is_same, prepared
from config.ops.restoring.source import LATEST
from config.ops.restoring.terminal import Lines, Moving, Quiet, drill_lines, outcome_lines, plan_lines, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

# What is done without a backup's name, and what needs one.
ALONE = {"list_only": "--list", "drop_old": "--drop-old"}
WHOLE = {"drop_database": "--drop-database", "disconnect": "--disconnect"}
STOPPED = "Stopped. What was not swapped yet is as it was."


class Command(BaseCommand):
    help = (
        "Restores a backup: checks it, restores it into a new database beside the live one, compares every table, and "
        "swaps the two in one step. Whatever fails, the live database stays as it is. "
        "Exit code 1 when nothing was restored, 3 when it was and something else failed. "
        "Example: manage.py restore latest --dry-run"
    )
    # A restore must be possible whatever else is wrong.
    requires_system_checks = []

    def __init__(self, stdout: TextIO | None = None, **options: Any) -> None:
        """Print to standard output, or fail where there is none."""
        super().__init__(stdout or standard_output(), **options)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the arguments."""
        parser.add_argument(
            "file", nargs="?", metavar="FILE|latest|-",
            help="the backup: a file or folder, latest for the last good one, - for standard input",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what would happen; change nothing")
        target = parser.add_mutually_exclusive_group()
        target.add_argument("--target", metavar="URL", help="restore into this database instead of DATABASE_URL's")
        target.add_argument(
            "--target-file", type=Path, metavar="FILE",
            help="the same with the URL in this file, so that nobody sees its password in the list of processes",
        )  # fmt: skip
        parser.add_argument(
            "--jobs", type=number(1, MOST_JOBS), default=os.cpu_count() or 1, metavar="N",
            help="restore PostgreSQL with this many processes; default: one per processor (%(default)s)",
        )  # fmt: skip
        parser.add_argument(
            "--identity", type=Path, action="append", default=[], metavar="FILE",
            help="a secret key of age or SSH that opens the backup; may be given several times",
        )  # fmt: skip
        parser.add_argument(
            "--passphrase-file", type=Path, metavar="FILE",
            help="the passphrase in this file opens the backup; default: BACKUP_ENCRYPTION_KEY, if it is set",
        )  # fmt: skip
        parser.add_argument("--yes", action="store_true", help="do not ask")
        parser.add_argument(
            "--into", type=Path, metavar="DIR",
            help="restore a whole PostgreSQL server from its base backups (backup --physical) into this new folder",
        )  # fmt: skip
        parser.add_argument(
            "--to-time", type=moment, metavar="TIME",
            help="with --into: as it was then, such as 2026-11-21T14:05:00Z; default: as late as the log reaches",
        )  # fmt: skip
        parser.add_argument(
            "--wal", type=Path, metavar="DIR",
            help="with --into: where the log is archived; default: wal in the folder of backups",
        )  # fmt: skip
        parser.add_argument(
            "--disconnect", action="store_true",
            help="PostgreSQL: end the sessions of others when the restored database takes the live one's place",
        )  # fmt: skip
        parser.add_argument(
            "--drop-database", action="store_true",
            help="where there is no room for two: back the live database up, drop it, and restore; if that fails, the "
            "backup is restored",
        )  # fmt: skip
        parser.add_argument(
            "--no-safety-backup", action="store_false", dest="safety_backup",
            help="with --drop-database: take no backup of the live database before it is dropped",
        )  # fmt: skip
        parser.add_argument(
            "--table", metavar="NAME",
            help="bring only rows of this table back: those that are missing now; no row that is there is changed",
        )  # fmt: skip
        parser.add_argument(
            "--where", metavar="CONDITION",
            help="with --table: which rows, as SQL says it; evaluated in the backup, such as \"seller_id = 7\"",
        )  # fmt: skip
        parser.add_argument(
            "--drill", action="store_true",
            help="restore the backup (default: latest) into a scratch database, compare, drop that, and note it in the "
            "manifest",
        )  # fmt: skip
        parser.add_argument(
            "--drop-old", action="store_true", help="remove the databases that earlier restores replaced and kept"
        )
        parser.add_argument(
            "-o", "--output", type=Path, default=settings.BACKUP_DIR, metavar="DIR",
            help="the folder of backups; default: BACKUP_DIR (%(default)s)",
        )  # fmt: skip
        parser.add_argument("--list", action="store_true", dest="list_only", help="list the backups that there are")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print JSON for programs; asks nothing")

    def handle(self, *, as_json: bool, verbosity: int, **options: Any) -> None:
        """Look, ask, restore, tell."""
        self.as_json, self.verbosity, self.asks = as_json, verbosity, not options["yes"]
        try:
            _check(options, as_json=as_json)
            self.refuse_unasked(options)
            if options["list_only"]:
                call_command(
                    backup.Command(),
                    "--list",
                    output=options["output"],
                    as_json=as_json,
                    stdout=self.stdout,
                    stderr=self.stderr,
                )
                return
            use_direct_database(DEFAULT_DB_ALIAS)
            with ended_in_order(STOPPED), _target(options["target"], options["target_file"]) as connection:
                if options["drop_old"]:
                    self.drop_old(connection, dry_run=options["dry_run"])
                elif options["drill"]:
                    self.drill(connection, **options)
                elif options["into"]:
                    self.recover(connection, **options)
                elif options["table"]:
                    self.bring_back(connection, **options)
                else:
                    self.restore(connection, **options)
        except WrongUsage as error:
            raise CommandError(str(error), returncode=2) from error
        except Refused as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            print_no_more()
            raise CommandError(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.") from error

    def restore(self, connection: BaseDatabaseWrapper, **options: Any) -> None:
        """Restore a whole backup, or say what would happen."""
        folder = options["output"].absolute()
        order = _order(options, folder)
        with (
            self.watching() as watcher,
            prepared(
                options["file"],
                connection,
                order,
                backups=(connections[DEFAULT_DB_ALIAS], folder),
                dry_run=options["dry_run"],
                now=timezone.now(),
                watcher=watcher,
            ) as restore,
        ):
            watcher.pause()
            self.show(restore.plan, dry_run=options["dry_run"])
            if options["dry_run"]:
                if restore.plan.obstacles:
                    sys.exit(DONE_WITH_FINDINGS)
                return
            if restore.plan.obstacles:
                raise Refused("\n".join(restore.plan.obstacles))
            self.confirm(restore.plan.name, f"Type {restore.plan.name} to replace what is in {restore.plan.target}: ")
            outcome = restore.carry_out(watcher)
        self.tell(restore.plan, outcome)

    def recover(self, connection: BaseDatabaseWrapper, **options: Any) -> None:
        """Restore a server's files as of a moment into a new folder, or say what would happen."""
        from config.ops.physical.recovery import Wish, plan_recovery, recover
        from config.ops.physical.telling import plan_lines, recovered_lines

        if connection.vendor != "postgresql":
            raise WrongUsage("--into: SQLite has no server; restore the file without it.")
        folder = options["output"].absolute()
        wish = Wish(
            options["into"].absolute(), backup.log_folder(folder, options["wal"]), options["to_time"], _keys(options)
        )
        plan = plan_recovery(connection, folder, None if options["file"] == LATEST else options["file"], wish)
        for line in plan_lines(plan, dry_run=options["dry_run"]):
            self.say(line)
        if options["dry_run"]:
            if self.as_json:
                self.stdout.write(json.dumps(plan.as_json(), indent=2))
            return
        with self.watching() as watcher:
            result = recover(connection, plan, watcher)
        self.end_with([*result.findings, *told(self, lambda: self.print(result.as_json(), recovered_lines(result)))])

    def bring_back(self, connection: BaseDatabaseWrapper, **options: Any) -> None:
        """Bring single rows back, or say which would be."""
        backups = (connections[DEFAULT_DB_ALIAS], options["output"].absolute())
        table, which = options["table"], {name: options[name] for name in ("table", "where", "jobs")}
        with (
            self.watching() as watcher,
            fitting_source(options["file"], connection, backups) as source,
            returning(connection, source, _keys(options), **which, watcher=watcher) as rows,
        ):
            found = rows.look()
            watcher.pause()
            self.say(f"{rows_of(found.matching)} of {table} match in the backup, {found.there:,} of them are there.")
            if found.left_out:
                self.say(f"The table has no column {', '.join(found.left_out)} any more: these values stay behind.")
            brought = 0
            if not options["dry_run"] and found.missing:
                name = Path(str(connection.settings_dict["NAME"])).name
                self.confirm(name, f"Type {name} to bring back {rows_of(found.missing)}: ")
                brought = rows.bring_back()
        findings = forget_cached(brought > 0 and is_same(connection, backups[0]))
        self.tell_rows(found, brought, findings, dry_run=options["dry_run"])

    def tell_rows(self, found: Found, brought: int, findings: list[str], *, dry_run: bool) -> None:
        """Print how many rows came back, and set the exit code."""
        numbers = {"matching": found.matching, "there": found.there, "brought_back": brought}
        result = {"table": found.table, **numbers, "left_out": found.left_out, "findings": findings}
        would = f"Would bring back {rows_of(found.missing)}. Nothing was changed."
        line = would if dry_run else f"Brought back {rows_of(brought)}."
        self.end_with([*findings, *told(self, lambda: self.print(result, [line]))])

    def drill(self, connection: BaseDatabaseWrapper, **options: Any) -> None:
        """Restore into a scratch database, and say how that went."""
        backups = (connections[DEFAULT_DB_ALIAS], options["output"].absolute())
        name, keys = options["file"] or LATEST, _keys(options)
        with (
            self.watching() as watcher,
            fitting_source(name, connection, backups) as source,
        ):
            result = drill(connection, source, keys, jobs=options["jobs"], now=timezone.now(), watcher=watcher)
        self.end_with([*result.findings, *told(self, lambda: self.print(result.as_json(), drill_lines(result)))])

    def show(self, plan: Plan, *, dry_run: bool) -> None:
        """Say what was found and what would happen."""
        if self.as_json:
            if dry_run:
                self.stdout.write(json.dumps(plan.as_json(), indent=2))
            return
        for line in plan_lines(plan, dry_run=dry_run):
            self.say(line)

    def refuse_unasked(self, options: dict[str, Any]) -> None:
        """Raise Refused when somebody must be asked and nobody is there."""
        # A new folder is nobody's loss.
        changes_nothing = options["dry_run"] or options["list_only"] or options["drill"] or options["into"]
        if self.asks and not changes_nothing and not sys.stdin.isatty():
            raise Refused("Nobody is there to ask: write --yes to go on, or --dry-run to look first.")

    def confirm(self, name: str, question: str) -> None:
        """Ask for the name, typed in full. Raises Refused without it."""
        if self.asks and answer(question) != name:
            raise Refused("That is not its name. Nothing was changed.")

    def tell(self, plan: Plan, outcome: Outcome) -> None:
        """Print what was done, and set the exit code."""
        result = {"file": plan.source.name, "target": plan.target, **outcome.as_json()}
        self.end_with([*outcome.findings, *told(self, lambda: self.print(result, outcome_lines(plan, outcome)))])

    def print(self, result: dict[str, Any], lines: Iterable[str]) -> None:
        """Print a result for programs, or in lines for people."""
        if self.as_json:
            self.stdout.write(json.dumps(result, indent=2))
        for line in lines:
            self.say(line)

    def end_with(self, findings: list[str]) -> None:
        """Say what did not work, and set the exit code."""
        for finding in findings:
            with suppress(OSError):
                self.stderr.write(finding)
        if findings:
            sys.exit(DONE_WITH_FINDINGS)

    def drop_old(self, connection: BaseDatabaseWrapper, *, dry_run: bool) -> None:
        """Remove what earlier restores kept, or say what that would be."""
        kept = kept_by_restores(connection)
        names = [entry.name for entry in kept]
        for entry in kept:
            self.say(f"{entry.name}  {decimal(entry.size)}")
        if not kept:
            self.say(f"No restore of {shown_url(connection.settings_dict)} kept anything.")
        if dry_run:
            lines = [f"Would remove {len(kept)}. Nothing was changed."]
            self.end_with(told(self, lambda: self.print({"would_remove": names}, lines)))
            return
        if kept:
            name = Path(str(connection.settings_dict["NAME"])).name
            self.confirm(name, f"Type {name} to remove {'it' if len(kept) == 1 else f'all {len(kept)}'} for good: ")
            remove(connection, kept)
        lines = [self.style.SUCCESS(f"Removed {len(kept)}.")] if kept else []
        self.end_with(told(self, lambda: self.print({"removed": names}, lines)))

    def say(self, line: str) -> None:
        """Tell a person at once; programs get the result alone."""
        if self.verbosity and not self.as_json:
            self.stdout.write(line)
            self.stdout.flush()

    @contextmanager
    def watching(self) -> Iterator[Quiet]:
        """Yield what shows the progress: a moving line on a terminal, one line per phase elsewhere."""
        if self.as_json or not self.verbosity:
            yield Quiet()
        elif sys.stderr.isatty():
            with Moving() as moving:
                yield moving
        else:
            yield Lines(self.stderr.write)


def _check(options: dict[str, Any], *, as_json: bool) -> None:
    alone = [name for key, name in ALONE.items() if options[key]]
    parts = [name for name in ("--table", "--drill", "--into") if options[name.removeprefix("--")]]
    if len(alone + parts) > 1:
        raise WrongUsage(f"{' and '.join(alone + parts)} are two things: do one after the other.")
    if alone and options["file"]:
        raise WrongUsage(f"{alone[0]} takes no backup: leave {options['file']} out.")
    if options["drill"] and options["dry_run"]:
        raise WrongUsage("--drill changes nothing but the manifest and cannot be tried: leave --dry-run out.")
    if not options["into"] and (options["to_time"] or options["wal"]):
        raise WrongUsage("--to-time and --wal belong to --into DIR, the new folder of a server's files.")
    if not alone and not options["file"] and not options["drill"] and not options["into"]:
        raise WrongUsage("Name the backup: a file, latest, or - for standard input. --list shows what there is.")
    if bool(options["table"]) != bool(options["where"]):
        raise WrongUsage('--table and --where belong together, such as --table leads_lead --where "id = 7".')
    if parts and (whole := [name for key, name in WHOLE.items() if options[key]]):
        raise WrongUsage(f"{whole[0]} belongs to the restore of a whole database: leave it out with {parts[0]}.")
    if not options["safety_backup"] and not options["drop_database"]:
        raise WrongUsage("--no-safety-backup belongs to --drop-database: otherwise the live database is kept anyway.")
    asks_nothing = ("yes", "dry_run", "list_only", "drill", "into")
    if as_json and not any(options[name] for name in asks_nothing):
        raise WrongUsage("--json asks nothing: write --yes as well.")


def _keys(options: dict[str, Any]) -> Keys:
    given = options["passphrase_file"]
    return read_keys(options["identity"], read_passphrase(given) if given else settings.BACKUP_ENCRYPTION_KEY)


def _order(options: dict[str, Any], folder: Path) -> Order:
    return Order(
        keys=_keys(options),
        jobs=options["jobs"],
        disconnect=options["disconnect"],
        drop=options["drop_database"],
        safety_folder=folder if options["drop_database"] and options["safety_backup"] else None,
        lock=make_lock([], settings.BACKUP_ENCRYPTION_KEY),
    )


@contextmanager
def _target(url: str | None, file: Path | None) -> Iterator[BaseDatabaseWrapper]:
    """Yield the connection to restore into."""
    if file is not None:
        url = file.read_text(encoding="utf-8").strip()
    if url is None:
        yield connections[DEFAULT_DB_ALIAS]
        return
    from django.core.exceptions import ImproperlyConfigured

    from config.ops.scratch import connected

    try:
        with connected(url, variable="--target-file" if file else "--target") as connection:
            yield connection
    except ImproperlyConfigured as error:
        raise WrongUsage(str(error)) from error
