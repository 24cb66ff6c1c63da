"""SQLite with the integer ranges of PostgreSQL, so that each row of one engine fits into the other.

Left alone SQLite stores 64 bits in every integer column. Here validators, forms and look-ups get PostgreSQL's range of
the field's type, and each such column that is not a key carries it as a CHECK, as Django gives one to positive numbers.
PostgreSQL needs none: its types refuse by themselves.
"""

from __future__ import annotations

from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.sqlite3 import base, operations

_RANGES = BaseDatabaseOperations.integer_field_ranges


class DatabaseOperations(operations.DatabaseOperations):
    """Operations with PostgreSQL's ranges, which are those that Django takes for granted."""

    def integer_field_range(self, internal_type: str) -> tuple[int, int]:
        """Return the smallest and the largest value of a kind of field."""
        return _RANGES[internal_type]


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to an SQLite file."""

    ops_class = DatabaseOperations
    # Keys are left out: the database gives them out.
    data_type_check_constraints = base.DatabaseWrapper.data_type_check_constraints | {
        name: f'"%(column)s" BETWEEN {smallest} AND {largest}'
        for name, (smallest, largest) in _RANGES.items()
        if not name.endswith("AutoField")
    }
