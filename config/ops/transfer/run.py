"""One run of `sqlite_to_postgres`: move in one transaction, prove, commit."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import psycopg
from django.db import DatabaseError, InterfaceError

from config.db.errors import Refused
from config.ops.schema import read_catalog
from config.ops.search_words import refresh_words
from config.ops.transfer import merging, proof, target
from config.ops.transfer.building import Builder, PatientWriter
from config.ops.transfer.findings import Findings, Report, Tally
from config.ops.transfer.keys import RowKeys
from config.ops.transfer.layout import Context
from config.ops.transfer.loading import CopyWriter, Loader
from config.ops.transfer.planning import Plan, refuse_filled
from config.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

    from config.ops.transfer.layout import Finding, Target
    from config.ops.transfer.loading import Writer
    from config.ops.transfer.merging import Merged, Refusal
    from config.ops.transfer.proof import TableProof

EVENT_TYPE = "SQLITE_IMPORT"


class Watcher(Protocol):
    """Is told what happens while it happens."""

    def phase(self, name: str, total: int) -> None:
        """The next phase begins; `total` is how many steps it has."""

    def advance(self, step: str, done: int) -> None:
        """So many steps of the phase are done; `step` names what is in hand."""

    def found(self, finding: Finding) -> None:
        """Something was found in a row."""


@dataclass(slots=True)
class Result:
    """What became of it."""

    source: str
    layout: str
    target: str
    dry_run: bool
    merge: bool
    committed: bool
    tables: list[Tally]
    notes: int
    bad: int
    proofs: list[TableProof] = field(default_factory=list)
    merged: list[Merged] = field(default_factory=list)
    elsewhere: dict[str, int] = field(default_factory=dict)
    report: str = ""
    accounted: bool = False
    """Whether it was checked that every row of the source has exactly one outcome."""
    seconds: float = 0.0

    @property
    def stayed_behind(self) -> int:
        return sum(tally.bad + tally.hanging for tally in self.tables)

    def as_json(self) -> dict[str, Any]:
        """Return the result with plain types."""
        return asdict(self) | {
            "stayed_behind": self.stayed_behind,
            "proofs": [asdict(entry) | {"holds": entry.holds} for entry in self.proofs],
        }


def carry_out(plan: Plan, *, now: datetime, watcher: Watcher) -> Result:
    """Read, check and, unless it is a rehearsal, move everything. The target has either all of it or nothing.

    Raises Refused when something is in the way, and the transaction is taken back.
    """
    report = _open_report(plan, now)
    run = _Run(plan, now, watcher, report)
    try:
        with _database_errors(plan):
            return run.carry_out()
    except (KeyboardInterrupt, SystemExit) as error:
        if not run.is_committing:
            raise
        raise CommitUnknown(
            "Interrupted while it committed: either everything is there or nothing. Run the command again: if the "
            "rows are there, it says so."
        ) from error
    finally:
        if report is not None:
            report.discard()


def _open_report(plan: Plan, now: datetime) -> Report | None:
    order = plan.order
    path = order.report
    if path is None and order.on_error == "quarantine" and not order.dry_run:
        path = Path(f"sqlite_to_postgres-{now:%Y%m%d-%H%M%S}.json")
    if path is None:
        return None
    header = {
        "source": str(order.source),
        "layout": plan.layout.name,
        "target": plan.shown_target,
        "began": now.isoformat(),
        "dry_run": order.dry_run,
        "on_error": order.on_error,
        "merge": order.merge,
    }
    return Report(path, header)


@contextmanager
def _database_errors(plan: Plan) -> Iterator[None]:
    """Turn what PostgreSQL says into a refusal that says what it means for the rows."""
    try:
        yield
    except (psycopg.Error, DatabaseError, InterfaceError) as error:
        diagnostics = getattr(error if isinstance(error, psycopg.Error) else error.__cause__, "diag", None)
        reason = redacted(" ".join(str(error).split())) or type(error).__name__
        # What the server says has a code; a connection that breaks says nothing any more.
        if not (diagnostics and diagnostics.sqlstate):
            raise Refused(f"The connection to {plan.shown_target} was lost ({reason}). Nothing was moved.") from error
        raise Refused(f"{plan.shown_target} refused: {reason}. Nothing was moved.") from error


class CommitUnknown(Refused):
    """The connection was lost in the moment of the commit."""


class ReportLost(Refused):
    """The rows were moved, and then the report could not be given its name."""


class _Run:
    """The parts of one run that have to know of each other."""

    def __init__(self, plan: Plan, now: datetime, watcher: Watcher, report: Report | None) -> None:
        self.plan, self.order, self.layout = plan, plan.order, plan.layout
        self.now, self.watcher, self.report = now, watcher, report
        self.keys = RowKeys()
        self.findings = Findings(report, self._found)
        self.loader = Loader(plan.source, self.keys, self.findings, self._advance)
        self.merge: merging.Merge | None = None
        self.builder: Builder | None = None
        self.parts: list[target.Part] = []
        """What is still to be put back."""
        self.is_committing = False
        self._read_before = 0
        # A merge only stages until the end, and can tell bad rows of the target's making as well.
        self._stops_at_once = self.order.on_error == "stop" and not self.order.merge

    def carry_out(self) -> Result:
        connection = self.plan.connection
        if connection is None or (self.order.dry_run and not self.order.merge):
            self._read()
            return self._finish([], committed=False)
        connection.set_autocommit(False)
        try:
            return self._move(connection)
        finally:
            self._take_back(connection)
            with suppress(DatabaseError, InterfaceError, psycopg.Error):
                connection.set_autocommit(True)

    def _take_back(self, connection: BaseDatabaseWrapper) -> None:
        """End the transaction; what was committed stays."""
        if self.builder is not None:
            self.builder.cancel()
        with suppress(DatabaseError, InterfaceError, psycopg.Error):
            connection.rollback()

    def _move(self, connection: BaseDatabaseWrapper) -> Result:
        session: psycopg.Connection[Any] = connection.connection
        staged = (
            frozenset(self.layout.models)
            if self.order.merge
            else merging.staged_models(self.layout.models, self.layout.matched)
        )
        direct = [model for model in self.layout.models if model not in staged]
        target.prepare_session(connection)
        before = read_catalog(connection)
        if not self.order.merge:
            target.lock_tables(connection, self.layout.models)
            # Somebody may have been quicker than the answer to our question.
            refuse_filled(connection, self.layout)
        self.parts = target.removable_parts(connection, direct)
        target.remove_parts(connection, self.parts)
        self.merge = merging.Merge(connection, session, staged, self.plan.source, {}, is_exact=not self.order.merge)
        self.builder = Builder(session)
        self.loader.open_writer = partial(self._open_writer, session, staged)
        self.loader.is_loaded = self._build
        self._read()
        if self.findings.bad and self._stops_at_once:
            return self._finish([], committed=False)
        return self._settle(connection, session, before)

    def _open_writer(
        self,
        session: psycopg.Connection[Any],
        staged: frozenset[type[Model]],
        model: type[Model],
        columns: Sequence[str],
    ) -> Writer:
        assert self.merge is not None  # noqa: S101 - set before anything is loaded
        assert self.builder is not None  # noqa: S101 - as above
        if model in staged:
            return PatientWriter(self.builder, partial(self.merge.open_writer, model, columns))
        return PatientWriter(self.builder, partial(CopyWriter, session, model._meta.db_table, columns))

    def _build(self, loaded: Target) -> None:
        """Let the server put back what was taken from a table; the tables that it refers to are loaded already."""
        if self.builder is not None and self.loader.open_writer is not None:
            table = loaded.model._meta.db_table
            self.builder.submit(part for part in self.parts if part.table == table)
            self.parts = [part for part in self.parts if part.table != table]

    def _read(self) -> None:
        """Carry every row of the source as far as it comes."""
        self.watcher.phase("rows", sum(self.plan.rows.values()))
        context = Context(self.plan.source, self.keys, self.findings.add, self.now, self.order.keep_expired)
        for move in self.layout.moves(context):
            if self.merge is not None:
                self.merge.names[move.target.model] = move.table
            self.loader.carry(move)
            self._read_before += self.plan.rows[move.table]

    def _settle(
        self,
        connection: BaseDatabaseWrapper,
        session: psycopg.Connection[Any],
        before: dict[tuple[str, str], str],
    ) -> Result:
        """Do what follows once all rows are in the transaction."""
        assert self.builder is not None  # noqa: S101 - as above
        self.builder.submit(self.parts)
        self.watcher.phase("indexes and rules", total := self.builder.left)
        self.builder.wait(lambda part, left: self.watcher.advance(f"{part.table} {part.name}", total - left))
        self._merge_staged(connection)
        target.advance_sequences(connection, self.layout.models)
        proofs = self._prove(session)
        proof.require_order(connection, self.layout.models, before, read_catalog(connection))
        if self.findings.bad and self.order.on_error == "stop":
            return self._finish(proofs, committed=False)
        if not self.order.dry_run:
            self._record(connection, proofs)
            refresh_words(connection)
        return self._finish(proofs, committed=not self.order.dry_run)

    def _merge_staged(self, connection: BaseDatabaseWrapper) -> None:
        assert self.merge is not None  # noqa: S101 - set by the only caller's caller
        if self.order.merge:
            target.lock_tables(connection, self.layout.models)
        staged = [self.loader.loaded[model] for model in self.layout.models if model in self.merge.staged]
        self.watcher.phase("comparing", len(staged))
        for done, loaded in enumerate(staged):
            self.watcher.advance(loaded.target.model._meta.db_table, done)
            self._take_refusals(self.merge.settle(loaded), loaded.target.model)
        # Past Django, which would call this a slow query.
        self.merge.session.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def _take_refusals(self, refusals: list[Refusal], model: type[Model]) -> None:
        """Count rows anew that looked good until they met the target's own."""
        assert self.merge is not None  # noqa: S101 - as above
        table = self.merge.names.get(model)
        for refusal in refusals:
            if table is None:
                # It only comes along with another row, which is counted.
                continue
            self.findings.add(refusal.finding)
            tally = self.loader.tallies[table]
            self.loader.count_again(tally, refusal.number, refusal.finding)

    def _prove(self, session: psycopg.Connection[Any]) -> list[TableProof]:
        assert self.merge is not None  # noqa: S101 - as above
        self.watcher.phase("proof", len(self.loader.loaded))
        # The keys are in order on disk, which the planner cannot know of a table that nobody analyzed yet.
        session.execute("SET LOCAL enable_sort = off")
        proofs = []
        for done, (model, loaded) in enumerate(self.loader.loaded.items()):
            self.watcher.advance(model._meta.db_table, done)
            if model in self.merge.staged:
                proofs.append(self.merge.prove(loaded))
            else:
                proofs.append(proof.prove_content(session, loaded.target, loaded.checksum))
        proof.require_content(proofs)
        return proofs

    def _record(self, connection: BaseDatabaseWrapper, proofs: list[TableProof]) -> None:
        """Put the move itself on record."""
        from analytics.models import AuditLog
        from analytics.models.audit import AuditAction

        AuditLog(
            action=AuditAction.OTHER,
            event_type=EVENT_TYPE,
            description=f"Moved {self.order.source.name} ({self.layout.name}) from SQLite.",
            created_at=self.now,
            metadata={
                "layout": self.layout.name,
                "merge": self.order.merge,
                "source": {tally.table: asdict(tally) for tally in self.loader.tallies.values()},
                "checksums": {entry.table: entry.checksum_found for entry in proofs},
                "estimated": dict(self.layout.estimated),
            },
        ).save(using=connection.alias, force_insert=True)

    def _finish(self, proofs: list[TableProof], *, committed: bool) -> Result:
        tallies = list(self.loader.tallies.values())
        proof.require_accounts(tallies)
        result = Result(
            source=str(self.order.source),
            layout=self.layout.name,
            target=self.plan.shown_target,
            dry_run=self.order.dry_run,
            merge=self.order.merge,
            committed=committed,
            tables=tallies,
            notes=self.findings.notes,
            bad=self.findings.bad,
            proofs=proofs,
            merged=list(self.merge.done.values()) if self.merge is not None and self.order.merge else [],
            elsewhere=self.plan.elsewhere,
            report=str(self.report.path) if self.report is not None else "",
            accounted=True,
        )
        if self.report is not None:
            # Before the commit, so that a full disk takes everything back.
            self.report.finish(result.as_json())
        if committed:
            self._commit()
        if self.report is not None:
            self._publish(self.report, committed=committed)
        return result

    def _publish(self, report: Report, *, committed: bool) -> None:
        try:
            report.publish()
        except Refused as error:
            if committed:
                raise ReportLost(str(error)) from error
            raise

    def _commit(self) -> None:
        assert self.plan.connection is not None  # noqa: S101 - there is nothing to commit without one
        self.is_committing = True
        try:
            self.plan.connection.commit()
        except (DatabaseError, InterfaceError) as error:
            raise CommitUnknown(
                f"The connection to {self.plan.shown_target} was lost while it committed: either everything is there "
                f"or nothing. Run the command again: if the rows are there, it says so ({str(error).strip()})."
            ) from error

    def _found(self, finding: Finding) -> None:
        if finding.outcome == "bad" and self._stops_at_once and self.loader.open_writer is not None:
            self.loader.stop_writing()
            if self.plan.connection is not None:
                # Nobody shall wait for our locks while the rest is only read.
                self._take_back(self.plan.connection)
        self.watcher.found(finding)

    def _advance(self, table: str, rows: int) -> None:
        self.watcher.advance(table, self._read_before + rows)
