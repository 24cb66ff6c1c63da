"""SQLite with the limits of PostgreSQL, so that each row of one engine fits into the other, and with its look-ups.

Left alone SQLite stores 64 bits in every integer column, and texts of any length. Here validators, forms and look-ups
get PostgreSQL's range of the field's type, and each such column that is not a key carries it as a CHECK, as Django
gives one to positive numbers; so do columns of texts with their length. PostgreSQL's types refuse by themselves.

Look-ups in any case fold every alphabet with functions of our own. SQLite's `upper` and `lower`, which indexes use,
stay as they are: a file must be the same for every program that opens it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import IntegrityError
from django.db.backends.sqlite3 import base, operations

from config.db.letters import lower, upper
from config.db.words import holds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.backends.utils import CursorWrapper

# Of Django itself: its SQLite backend leaves them as they are and looks elsewhere.
_RANGES = operations.DatabaseOperations.integer_field_ranges
# Kinds of fields that are a varchar.
_TEXTS = ("CharField", "FileField", "FilePathField", "SlugField")
_ANY_CASE = {"iexact", "icontains", "istartswith", "iendswith"}


class DatabaseOperations(operations.DatabaseOperations):
    """Operations with PostgreSQL's ranges, which are those that Django takes for granted, and with its letters."""

    def integer_field_range(self, internal_type: str) -> tuple[int, int]:
        """Return the smallest and the largest value of a kind of field."""
        return _RANGES[internal_type]

    def lookup_cast(self, lookup_type: str, internal_type: str | None = None) -> str:
        """Return what a look-up compares of a column."""
        return "forecourt_upper(CAST(%s AS TEXT))" if lookup_type in _ANY_CASE else "%s"

    def prep_for_iexact_query(self, x: Any) -> str:
        """Return a value as it is: it is compared whole, so nothing in it is a pattern."""
        return str(x)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to an SQLite file."""

    ops_class = DatabaseOperations
    operators = base.DatabaseWrapper.operators | {
        "iexact": "= forecourt_upper(%s)",
        "icontains": "LIKE forecourt_upper(%s) ESCAPE '\\'",
        "istartswith": "LIKE forecourt_upper(%s) ESCAPE '\\'",
        "iendswith": "LIKE forecourt_upper(%s) ESCAPE '\\'",
    }
    # The same where the value is another column.
    pattern_ops = base.DatabaseWrapper.pattern_ops | {
        name: pattern.replace("UPPER(", "forecourt_upper(")
        for name, pattern in base.DatabaseWrapper.pattern_ops.items()
        if name in _ANY_CASE
    }
    # Numbers that are keys are left out: the database gives them out.
    data_type_check_constraints = (
        base.DatabaseWrapper.data_type_check_constraints
        | {
            name: f'"%(column)s" BETWEEN {smallest} AND {largest}'
            for name, (smallest, largest) in _RANGES.items()
            if not name.endswith("AutoField")
        }
        | dict.fromkeys(_TEXTS, 'length("%(column)s") <= %(max_length)s')
    )

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Open a connection that can look for words and knows every letter's case."""
        connection = super().get_new_connection(conn_params)
        connection.create_function("forecourt_holds", 2, holds, deterministic=True)
        connection.create_function("forecourt_upper", 1, upper, deterministic=True)
        connection.create_function("forecourt_lower", 1, lower, deterministic=True)
        return connection

    def check_constraints(self, table_names: Iterable[str] | None = None) -> None:
        """Raise IntegrityError if a row, of these tables or of any, points to a row that is not there.

        Django's own takes the number of a foreign key for its place in a list of columns, and so names the wrong column
        where a table has a key of several.
        """
        arguments = [""] if table_names is None else [f"({self.ops.quote_name(name)})" for name in table_names]
        with self.cursor() as cursor:
            for argument in arguments:
                found = cursor.execute(f"PRAGMA foreign_key_check{argument}").fetchone()
                if found:
                    raise IntegrityError(self._dangling(cursor, *found))

    def _dangling(self, cursor: CursorWrapper, table: str, row: int, target: str, number: int) -> str:
        quote = self.ops.quote_name
        keys = cursor.execute(f"PRAGMA foreign_key_list({quote(table)})").fetchall()
        columns = [key[3] for key in keys if key[0] == number]
        names = ", ".join(map(quote, columns))
        values = cursor.execute(f"SELECT {names} FROM {quote(table)} WHERE rowid = %s", [row]).fetchone()  # noqa: S608
        held = " and ".join(f"{table}.{column} {value!r}" for column, value in zip(columns, values, strict=True))
        return f"Row {row} of {table} points to a row of {target} that is not there: {held}."
