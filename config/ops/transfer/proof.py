"""Proving that what arrived is what was sent: content, counts, sequences, foreign keys and the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from config.db.errors import Refused
from config.ops.schema import differences
from config.ops.transfer.checksums import has_integer_key, new_checksum
from config.ops.transfer.target import lagging_sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import psycopg
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

    from config.ops.schema import Catalog
    from config.ops.transfer.checksums import Checksum
    from config.ops.transfer.findings import Tally
    from config.ops.transfer.layout import Target

BATCH = 256


class ProofFailed(Refused):
    """Something did not arrive as it was sent."""


@dataclass(frozen=True, slots=True)
class TableProof:
    """One table of the target: the rows and their checksum as the source states them and as PostgreSQL gives them."""

    table: str
    rows_sent: int
    rows_found: int
    checksum_sent: str
    checksum_found: str

    @property
    def holds(self) -> bool:
        return (self.rows_sent, self.checksum_sent) == (self.rows_found, self.checksum_found)


def read_back(session: psycopg.Connection[Any], query: sql.Composable, checksum: Checksum) -> Checksum:
    """Add the lines that COPY prints for `query` to the checksum, and return it."""
    with session.cursor() as cursor, cursor.copy(sql.SQL("COPY ({}) TO STDOUT").format(query)) as copy:
        batch: list[bytes] = []
        for line in copy:
            batch.append(bytes(line))
            if len(batch) == BATCH:
                _add(checksum, batch)
        _add(checksum, batch)
    return checksum


def _add(checksum: Checksum, batch: list[bytes]) -> None:
    block = b"".join(batch)
    # Line ends within values are escaped, so every one of them ends a row.
    checksum.add(block, block.count(b"\n"))
    batch.clear()


def content_query(target: Target, table: str) -> sql.Composable:
    """Return the query for the target's columns of all rows of `table`, in the order in which they were sent."""
    columns = sql.SQL(", ").join(map(sql.Identifier, target.columns))
    query = sql.SQL("SELECT {} FROM {}").format(columns, sql.Identifier(table))
    if has_integer_key(target.model):
        query += sql.SQL(" ORDER BY {}").format(sql.Identifier(target.columns[0]))
    return query


def prove_content(session: psycopg.Connection[Any], target: Target, sent: Checksum) -> TableProof:
    """Compare what was sent into a table that was empty before with what it holds."""
    table = target.model._meta.db_table
    found = read_back(session, content_query(target, table), new_checksum(target.model))
    return TableProof(table, sent.rows, found.rows, sent.hexdigest(), found.hexdigest())


def require_content(proofs: Iterable[TableProof]) -> None:
    """Raise ProofFailed unless every table holds what was sent."""
    for proof in proofs:
        if not proof.holds:
            raise ProofFailed(
                f"{proof.table} does not hold what was sent: {proof.rows_found:,} rows with the checksum "
                f"{proof.checksum_found[:16]} instead of {proof.rows_sent:,} with {proof.checksum_sent[:16]}. "
                "Nothing was moved. Look for triggers or changed columns of this table in the target."
            )


def require_accounts(tallies: Sequence[Tally]) -> None:
    """Raise ProofFailed unless every row that the source counts has exactly one outcome."""
    for tally in tallies:
        if tally.accounted != tally.rows:
            raise ProofFailed(
                f"{tally.table} has {tally.rows:,} rows, but {tally.accounted:,} are accounted for. Nothing was moved."
            )


def require_order(
    connection: BaseDatabaseWrapper, models: Sequence[type[Model]], before: Catalog, now: Catalog
) -> None:
    """Raise ProofFailed unless sequences, constraints and the catalog are as they must be after the load."""
    if lagging := lagging_sequences(connection, models):
        raise ProofFailed(f"The sequence of {lagging[0]} would give out a key that is taken. Nothing was moved.")
    if invalid := unvalidated(connection, models):
        raise ProofFailed(f"{invalid[0]} was not checked for every row. Nothing was moved.")
    if changed := differences(before, now):
        raise ProofFailed(f"The target's schema is not as it was: {changed[0]}. Nothing was moved.")


def unvalidated(connection: BaseDatabaseWrapper, models: Iterable[type[Model]]) -> list[str]:
    """Return the constraints and indexes of the tables that PostgreSQL does not vouch for."""
    tables = [model._meta.db_table for model in models]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT 'The constraint ' || conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
                WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s) AND NOT convalidated
                UNION ALL
               SELECT 'The index ' || indexrelid::regclass FROM pg_index JOIN pg_class c ON c.oid = indrelid
                WHERE pg_table_is_visible(c.oid) AND c.relname = ANY(%s) AND NOT indisvalid
                ORDER BY 1""",
            [tables, tables],
        )
        return [name for (name,) in cursor.fetchall()]
