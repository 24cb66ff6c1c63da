"""Restoring PostgreSQL: into a new database beside the live one, which it replaces once it was compared."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import psycopg

from config.database_url import shown_url, url_of
from config.db.errors import Refused
from config.ops.backup.clients import connection_environment
from config.ops.backup.draft import SCHEMA
from config.ops.backup.streams import CUSTOM
from config.ops.direct import direct_connection
from config.ops.restoring import grants
from config.ops.restoring.checks import Migrations, analyse_and_count, applied_migrations, compare, migrations_state
from config.ops.restoring.content import DIRECTORY, Content, Plain
from config.ops.restoring.live_rows import LiveRows
from config.ops.restoring.loading import Destination, load, refuse_unfit, restoring_program
from config.ops.restoring.order import Order, Outcome, Plan, Watcher
from config.ops.restoring.owners import Owners, give_back, read_owners
from config.ops.restoring.properties import (
    Properties,
    access_statements,
    carry_over,
    read_properties,
    session_statements,
)
from config.ops.restoring.remembering import damage_noted
from config.ops.restoring.safety import SafetyCopy, taken
from config.ops.restoring.server import (
    PROGRAM,
    create,
    drop,
    exists,
    keep_others_away,
    maintenance_session,
    major,
    missing_rights,
    remove_abandoned,
    sessions_of,
    unfinished_name,
)
from config.ops.restoring.source import Source
from config.ops.restoring.swap import in_use, kept_name, move_away, refuse_connected, swap, without_its_name
from config.ops.scratch import connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper

ARCHIVES = (CUSTOM, DIRECTORY)


def plan_postgresql(
    connection: BaseDatabaseWrapper,
    source: Source,
    content: Content,
    order: Order,
    *,
    live_rows: LiveRows,
    now: datetime,
) -> Plan:
    """Look at the server and say what would happen. Changes nothing."""
    name = str(connection.settings_dict["NAME"])
    manifest = source.manifest
    rows: dict[str, int] | None = None
    unknown, obstacles, warnings = [], [], list[str]()
    kept = None
    try:
        with maintenance_session(connection) as server:
            if exists(server, name):
                kept = kept_name(server, name, now)
            elif sentence := without_its_name(server, name):
                warnings.append(sentence)
            rows = live_rows.result()
            obstacles += _obstacles(server, name, content, order)
    except (Refused, psycopg.Error) as error:
        obstacles.append(str(error).strip())
        unknown.append("the rows that it has now, because the server gives no answer")
    if manifest is None or not manifest.rows:
        unknown.append("the rows that it will have, because the backup has no manifest that counts them")
    return Plan(
        source=source,
        content=content,
        target=shown_url(connection.settings_dict),
        name=name,
        now=rows,
        after=manifest.rows or None if manifest else None,
        unknown=unknown,
        steps=_steps(name, kept, order),
        obstacles=obstacles + _too_little(source, rows),
        warnings=warnings,
    )


def _obstacles(server: psycopg.Connection[Any], name: str, content: Content, order: Order) -> list[str]:
    obstacles = missing_rights(server)
    try:
        refuse_unfit(content, major(server))
    except Refused as error:
        obstacles.append(str(error))
    if sessions := [] if order.disconnect else sessions_of(server, name):
        obstacles.append(in_use(name, sessions))
    return obstacles


def _too_little(source: Source, rows: dict[str, int] | None) -> list[str]:
    if source.manifest and source.manifest.kind == SCHEMA and any((rows or {}).values()):
        return ["The backup holds the definitions alone (--type schema), and the database has rows, which would go."]
    return []


def _steps(name: str, kept: str | None, order: Order) -> list[str]:
    if kept is None:
        return ["restore into a new database", "compare it with the backup", f"name it {name}"]
    if not order.drop:
        return [
            f"restore into a new database beside {name}, which goes on as it is",
            "compare it with the backup",
            f"rename {name} to {kept} and the new one to {name}, in one step",
        ]
    backup = [
        f"rename {name} to {kept}, so that nobody writes into it any more",
        f"back it up to {order.safety_folder}",
        "drop it",
    ]
    return [
        *(backup if order.safety_folder else [f"take no backup of {name}", f"drop {name}"]),
        "restore into a new database",
        "compare it with the backup",
        f"name it {name}",
    ]


@dataclass(frozen=True, slots=True)
class _Live:
    """What of the live database goes on in the restored one; `owner` is whom we act for when we make tables.

    `rights` are still being read.
    """

    properties: Properties
    owners: Owners
    rights: Future[grants.Archive]
    owner: str | None


@dataclass(slots=True)
class _Filled:
    """A database that was filled and compared, and has no final name yet."""

    name: str
    rows: dict[str, int] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)
    migrations: Migrations = field(default_factory=lambda: Migrations(known=False))
    findings: list[str] = field(default_factory=list)


def restore_postgresql(
    connection: BaseDatabaseWrapper, source: Source, plain: Plain, order: Order, *, now: datetime, watcher: Watcher
) -> Outcome:
    """Restore and put the result in the place of the live database. Raises Refused; then that one is as it was."""
    try:
        with ExitStack() as opened:
            restoring = _Restoring(connection, opened.enter_context(maintenance_session(connection)), order, watcher)
            return restoring.run(source, plain, now, opened)
    except psycopg.Error as error:
        name = connection.settings_dict["NAME"]
        raise Refused(f"The server ended the restore, and {name} is as it was: {str(error).strip()}") from error


class _Restoring:
    """One restore on one server."""

    def __init__(
        self, connection: BaseDatabaseWrapper, server: psycopg.Connection[Any], order: Order, watcher: Watcher
    ) -> None:
        self.connection, self.server, self.order, self.watcher = connection, server, order, watcher
        self.name = str(connection.settings_dict["NAME"])
        self.findings: list[str] = []
        # Roles that we may not act for, as was told.
        self.not_ours: set[str] = set()

    def run(self, source: Source, plain: Plain, now: datetime, opened: ExitStack) -> Outcome:
        keep_others_away(self.server, self.name)
        remove_abandoned(self.server)
        refuse_unfit(plain.content, major(self.server))
        # A session of our own would stand in the way as anybody's.
        self.connection.close()
        if not exists(self.server, self.name):
            return self._beside(source, plain, None, kept=None)
        if not self.order.disconnect:
            refuse_connected(self.server, self.name)
        live = self._read_live(opened)
        if self.order.drop:
            return self._instead(source, plain, live, now)
        return self._beside(source, plain, live, kept=kept_name(self.server, self.name, now))

    def _read_live(self, opened: ExitStack) -> _Live:
        with direct_connection(self.connection, program=PROGRAM) as session:
            properties, owners = read_properties(session), read_owners(session)
        environment = {**connection_environment(self.connection), "PGAPPNAME": PROGRAM}
        reading = grants.live_rights(environment, major(self.server))
        # The new database is made meanwhile.
        rights = opened.enter_context(ThreadPoolExecutor(1)).submit(opened.enter_context, reading)
        return _Live(properties, owners, rights, self._usable_owner(properties))

    def _rights(self, live: _Live | None) -> grants.Archive | None:
        """Wait for the rights in the live database, and return them if they could be read."""
        if live is None:
            return None
        try:
            return live.rights.result()
        except Refused as error:
            finding = f"The rights in {self.name} could not be read, those of the backup count: {error}"
            if finding not in self.findings:
                self.findings.append(finding)
            return None

    def _usable_owner(self, properties: Properties) -> str | None:
        owner = properties.table_owner
        row = self.server.execute("SELECT current_user, pg_has_role(%s, 'MEMBER')", [owner]).fetchone()
        if owner is None or row is None or row[0] == owner:
            return None
        if not row[1]:
            self.not_ours.add(owner)
            self.findings.append(f"The tables belong to {row[0]} now, and not to {owner}: {row[0]} may not act for it.")
            return None
        return owner

    def _beside(self, source: Source, plain: Plain, live: _Live | None, *, kept: str | None) -> Outcome:
        with self._filled(source, plain, live) as filled:
            self.watcher.phase("swapping")
            swap(
                self.connection,
                self.server,
                restored=filled.name,
                live=self.name,
                kept=kept,
                disconnect=self.order.disconnect,
            )
        return self._outcome(filled, kept=kept)

    def _outcome(self, filled: _Filled, *, kept: str | None = None, safety: SafetyCopy | None = None) -> Outcome:
        return Outcome(
            rows=filled.rows,
            checks=filled.checks,
            migrations=filled.migrations,
            kept=kept,
            safety_backup=safety.path if safety else None,
            findings=[*self.findings, *filled.findings],
        )

    def _instead(self, source: Source, plain: Plain, live: _Live, now: datetime) -> Outcome:
        """Drop the live database first; when the restore fails, what it held is restored from its backup."""
        # Nobody can read them once it is gone.
        self._rights(live)
        safety = self._dropped(now)
        try:
            with damage_noted(source), self._filled(source, plain, live) as filled:
                self._name(filled)
        except BaseException as error:
            if safety is None:
                raise Refused(
                    f"{self.name} was dropped, no backup of it was wanted, and the restore failed: {error}"
                ) from error
            self._bring_back(safety, live, error)
        return self._outcome(filled, safety=safety)

    def _dropped(self, now: datetime) -> SafetyCopy | None:
        """Drop the live database and return its backup, if one is wanted; nobody writes into it meanwhile."""
        if self.order.safety_folder is None:
            self.watcher.phase("dropping")
            drop(self.server, self.name, force=self.order.disconnect)
            return None
        kept = kept_name(self.server, self.name, now)
        self.watcher.phase("backing up")
        move_away(self.connection, self.server, live=self.name, kept=kept, disconnect=self.order.disconnect)
        try:
            with connected(url_of(self.connection.settings_dict, name=kept)) as moved:
                safety = taken(moved, self.order, now=now, database=self.name)
            self.watcher.phase("dropping")
            drop(self.server, kept, force=False)
        except BaseException as error:
            self._give_name_back(kept, error)
            raise
        return safety

    def _give_name_back(self, kept: str, reason: BaseException) -> None:
        try:
            move_away(self.connection, self.server, live=kept, kept=self.name, disconnect=True)
        except (Refused, psycopg.Error) as failure:
            raise Refused(
                f"Nothing was dropped: {reason}\n{self.name} is complete and called {kept} now, because it could not "
                f"get its name back: {str(failure).strip()}\nGive it back: "
                f'ALTER DATABASE "{kept}" RENAME TO "{self.name}"'
            ) from reason

    def _name(self, filled: _Filled) -> None:
        swap(self.connection, self.server, restored=filled.name, live=self.name, kept=None, disconnect=False)

    def _bring_back(self, safety: SafetyCopy, live: _Live, reason: BaseException) -> NoReturn:
        self.watcher.phase("bringing back what was dropped")
        try:
            with safety.plain(self.order.keys) as (source, plain), self._filled(source, plain, live) as filled:
                self._name(filled)
        except (Refused, psycopg.Error) as failure:
            raise Refused(
                f"The restore failed: {reason}\n{self.name} was dropped before, and could not be brought back either: "
                f"{failure}\nIts backup is {safety.path}: `manage.py restore {safety.path}` brings it back."
            ) from failure
        raise Refused(f"The restore failed: {reason}\n{self.name} is as it was: its backup was restored.") from reason

    @contextmanager
    def _filled(self, source: Source, plain: Plain, live: _Live | None) -> Iterator[_Filled]:
        """Yield a new database with the content of the backup; when the block fails, it is dropped."""
        filled = _Filled(self._created(live))
        try:
            with connected(url_of(self.connection.settings_dict, name=filled.name)) as database:
                self._fill(filled, database, source, plain, live)
            yield filled
        except BaseException:
            # If the server is gone, the next restore removes it.
            with suppress(psycopg.Error):
                drop(self.server, filled.name)
            raise

    def _created(self, live: _Live | None) -> str:
        name = unfinished_name(self.server)
        create(self.server, name, live.properties if live else None)
        if live:
            self.findings += carry_over(self.server, access_statements(name, live.properties))
        return name

    def _fill(
        self, filled: _Filled, database: BaseDatabaseWrapper, source: Source, plain: Plain, live: _Live | None
    ) -> None:
        into = Destination(connection_environment(database), major(self.server), live.owner if live else None)
        rights = self._rights(live)
        if rights:
            grants.apply_rights(rights, into.environment, wanted=grants.schema_rights)
        self.watcher.phase("restoring")
        load(plain, into, jobs=self.order.jobs, watch=lambda: self._watch(filled.name))
        self.watcher.phase("comparing")
        filled.rows = analyse_and_count(database, jobs=self.order.jobs)
        filled.checks = compare(source.manifest, filled.rows, database)
        filled.migrations = migrations_state(self._applied(database))
        if live:
            with direct_connection(database) as session:
                filled.findings += give_back(session, live.owners, left_out=self.not_ours)
        self._give_rights(filled, plain, into, rights)
        if live:
            filled.findings += carry_over(self.server, session_statements(filled.name, live.properties))

    def _give_rights(self, filled: _Filled, plain: Plain, into: Destination, rights: grants.Archive | None) -> None:
        if plain.content.kind in ARCHIVES:
            archive = grants.open_archive(plain.path, restoring_program(plain.content, into.server_major))
            lines = grants.rights_of_others(archive, rights) if rights else archive.rights()
            filled.findings += grants.apply_lines(archive, lines, into.environment)
        if rights:
            filled.findings += grants.apply_rights(rights, into.environment)

    def _applied(self, database: BaseDatabaseWrapper) -> list[tuple[str, str]]:
        with direct_connection(database) as session:
            return applied_migrations(session)

    def _watch(self, name: str) -> None:
        row = self.server.execute("SELECT pg_database_size(%s)", [name]).fetchone()
        self.watcher.size(int(row[0]) if row else 0)
