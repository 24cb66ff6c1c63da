"""Tables of 100,000 rows for tests that read plans, and what a plan reads of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, models


@contextmanager
def many_rows() -> Iterator[None]:
    """Write rows in the block that are known to be right, for as long as it takes; the planner learns of them after it.

    This belongs in a transaction that is never committed.
    """
    with connection.cursor() as cursor:
        # Foreign keys hold as the rows are made; looking at each again after every test would take minutes.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = 0")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE")


def repeat(table: type[models.Model], row: models.Model, times: int, **different: str) -> None:
    """Write a row `times` more: `different` are expressions over `number`; keys follow those of the row."""
    options = table._meta
    usual = {"public_id": "'row-' || number", "created_at": "created_at + number * interval '1 minute'"}
    different = {"id": f"{row.pk} + number"} | usual | different
    names = [field.column for field in options.local_concrete_fields if field.column and not field.generated]
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(different.get(name, f'"{name}"') for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE numbers (number) AS"
            f" (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {times})"
            f" INSERT INTO {options.db_table} ({columns}) SELECT {values} FROM {options.db_table}, numbers"
            f" WHERE id = {row.pk}"
        )


def whole_tables(statement: str) -> set[str]:
    """Return the tables that the plan of a statement reads from end to end without an index."""
    with connection.cursor() as cursor:
        # Without parameters a percent sign is one.
        cursor.execute(f"EXPLAIN {statement}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return set(re.findall(r"Seq Scan on (\w+)", plan))
