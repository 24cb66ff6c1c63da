"""A lock that Django has no word for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import connections, router

if TYPE_CHECKING:
    from django.db.models import QuerySet


def lock_keys(rows: QuerySet[Any]) -> list[Any]:
    """Return the keys of `rows`, locked as those are that a foreign key refers to; call this inside `atomic`.

    Until the transaction ends nobody removes the rows or takes `select_for_update` of them, so whoever hides rows takes
    that first. Any number of transactions may hold this lock at once, and other columns may change meanwhile. SQLite,
    which has one writer anyway, locks nothing more.
    """
    database = connections[router.db_for_write(rows.model)]
    query = rows.order_by().values_list("pk").using(database.alias).query
    try:
        statement, parameters = query.get_compiler(connection=database).as_sql()
    except EmptyResultSet:
        return []
    if database.vendor == "postgresql":
        # Tables that are joined for a condition stay as they are.
        statement += f" FOR KEY SHARE OF {database.ops.quote_name(rows.model._meta.db_table)}"
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [key for (key,) in cursor.fetchall()]
