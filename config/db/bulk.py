"""Many rows at once: COPY on PostgreSQL, batched inserts on SQLite, always streamed.

Rows go to the database as they are. `save`, signals and validators do not run; the database's own constraints do, and
so do the spellings that a field keeps of its values (`config.db.fields`).
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connections, models, router

from config.cache.writes import rows_loaded
from config.db.fields import EncryptedTextField, NormalizedCharField

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from django.db.backends.base.base import BaseDatabaseWrapper

    Converter = Callable[[Any], Any]
    Write = Callable[[Sequence[Any]], None]
    Field = models.Field[Any, Any]

# SQLite commits nothing between batches; they only bound what waits in memory.
SQLITE_BATCH_ROWS = 500

# psycopg writes these as PostgreSQL reads them, so their values need no preparation.
_PLAIN_FIELDS = frozenset(
    {
        *(models.CharField, models.TextField, models.EmailField, models.SlugField, models.URLField),
        *(models.BooleanField, models.FloatField, models.DecimalField, models.UUIDField),
        *(models.IntegerField, models.SmallIntegerField, models.BigIntegerField),
        *(models.PositiveIntegerField, models.PositiveSmallIntegerField, models.PositiveBigIntegerField),
        *(models.AutoField, models.BigAutoField, models.SmallAutoField),
        *(models.DateField, models.DateTimeField, models.TimeField),
    }
)
# The same for sqlite3.
_PLAIN_SQLITE_FIELDS = _PLAIN_FIELDS - {
    *(models.DecimalField, models.UUIDField, models.DateField, models.DateTimeField, models.TimeField)
}


def load(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, using: str = "") -> int:
    """Write `rows` into the table of `model` and return how many they were.

    `columns` names fields, or their columns (`seller_id`), in the order of the values. What is not named gets the
    column's default in the database, which is none but for the primary key. A JSON value of None is stored as NULL.
    `using` is a database alias; without it the router decides. Raises DatabaseError if a row breaks a rule, and then
    the transaction is lost: call this inside `atomic`.
    """
    with bulk_writer(model, columns, using=using) as write:
        count = 0
        for row in rows:
            write(row)
            count += 1
    return count


@contextmanager
def bulk_writer(model: type[models.Model], columns: Sequence[str], *, using: str = "") -> Iterator[Write]:
    """Give a function that writes one row; see `load`. All rows have arrived once the block is left."""
    connection = _connection(model, using)
    fields = [_field(model, column) for column in columns]
    open_writer = _copy if connection.vendor == "postgresql" else _insert
    converters = [(place, convert) for place, field in enumerate(fields) if (convert := _converter(field, connection))]
    with open_writer(connection, model, [str(field.column) for field in fields]) as write:
        yield _converting(write, converters) if converters else write
    rows_loaded(model, connection)


def reserve_keys(model: type[models.Model], count: int, *, using: str = "") -> range:
    """Take `count` consecutive primary keys out of the table's sequence; nobody else gets them.

    On SQLite they are taken for good only when the transaction commits; on PostgreSQL at once.
    """
    connection = _connection(model, using)
    if count == 0:
        return range(0)
    advance_keys(model, using=using)
    reserve = _reserve_in_sequence if connection.vendor == "postgresql" else _reserve_in_sqlite
    return reserve(connection, model, count)


def advance_keys(model: type[models.Model], *, using: str = "") -> None:
    """Move the table's sequence beyond the highest primary key, where rows were written with keys of their own.

    SQLite does that by itself.
    """
    connection = _connection(model, using)
    if connection.vendor != "postgresql":
        return
    table, key = _quoted(connection, model)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [table, _key(model).column])
        (sequence,) = cursor.fetchone()
        cursor.execute(f"SELECT MAX({key}) FROM {table}")  # noqa: S608 - quoted names
        (highest,) = cursor.fetchone()
        if highest is not None:
            # pg_sequence_last_value is null while nothing was taken.
            cursor.execute(
                "SELECT setval(%s::regclass, %s) WHERE COALESCE(pg_sequence_last_value(%s::regclass), 0) < %s",
                [sequence, highest, sequence, highest],
            )


def analyze(model: type[models.Model], *, using: str = "") -> None:
    """Let the query planner see what the table holds now."""
    connection = _connection(model, using)
    table, _ = _quoted(connection, model)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # Enough for the shape of an index, without reading all of it.
            cursor.execute("PRAGMA analysis_limit = 1000")
        cursor.execute(f"ANALYZE {table}")


@contextmanager
def _copy(connection: BaseDatabaseWrapper, model: type[models.Model], columns: list[str]) -> Iterator[Write]:
    table, _ = _quoted(connection, model)
    names = ", ".join(map(connection.ops.quote_name, columns))
    statement = f"COPY {table} ({names}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(statement) as copy:
        yield copy.write_row


@contextmanager
def _insert(connection: BaseDatabaseWrapper, model: type[models.Model], columns: list[str]) -> Iterator[Write]:
    table, _ = _quoted(connection, model)
    names = ", ".join(map(connection.ops.quote_name, columns))
    # Placeholders are sqlite3's own, so that Django rewrites no statement per batch.
    statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - quoted names
    batch: list[Sequence[Any]] = []
    with connection.cursor() as cursor:
        raw = cursor.connection.cursor()

        def flush() -> None:
            with connection.wrap_database_errors:
                raw.executemany(statement, batch)
            batch.clear()

        def write(row: Sequence[Any]) -> None:
            batch.append(row)
            if len(batch) == SQLITE_BATCH_ROWS:
                flush()

        yield write
        flush()


def _converting(write: Write, converters: list[tuple[int, Converter]]) -> Write:
    def write_converted(row: Sequence[Any]) -> None:
        values = list(row)
        for place, convert in converters:
            values[place] = convert(values[place])
        write(values)

    return write_converted


def _converter(field: Field, connection: BaseDatabaseWrapper) -> Converter | None:
    """Return what turns a Python value of the field into what its driver takes, or None where that is the same."""
    if isinstance(field, models.JSONField):
        return _json_writer(field)
    target = field
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    plain = _PLAIN_FIELDS if connection.vendor == "postgresql" else _PLAIN_SQLITE_FIELDS
    if type(target) in plain:
        return None
    if isinstance(target, EncryptedTextField | NormalizedCharField):
        return target.get_prep_value
    return lambda value: target.get_db_prep_save(value, connection)


def _json_writer(field: models.JSONField[Any, Any]) -> Converter:
    encoder = json.JSONEncoder if field.encoder is None else field.encoder
    encode = encoder().encode
    return lambda value: None if value is None else encode(value)


def _reserve_in_sequence(connection: BaseDatabaseWrapper, model: type[models.Model], count: int) -> range:
    table, _ = _quoted(connection, model)
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT MIN(number), MAX(number) FROM"
                " (SELECT nextval(pg_get_serial_sequence(%s, %s)) AS number FROM generate_series(1, %s)) AS taken",
                [table, _key(model).column, count],
            )
            first, last = cursor.fetchone()
            # Somebody else may have taken keys in between; those numbers are left unused and others taken.
            if last - first == count - 1:
                return range(first, last + 1)


def _reserve_in_sqlite(connection: BaseDatabaseWrapper, model: type[models.Model], count: int) -> range:
    name = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s RETURNING seq", [count, name])
        row = cursor.fetchone()
        if row is None:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [name, count])
            row = (count,)
    return range(row[0] - count + 1, row[0] + 1)


def _connection(model: type[models.Model], using: str) -> BaseDatabaseWrapper:
    return connections[using or router.db_for_write(model)]


def _field(model: type[models.Model], name: str) -> Field:
    """Return the field of a name such as `seller` or `seller_id`. Raises FieldDoesNotExist if there is none."""
    for field in model._meta.concrete_fields:
        if name in {field.name, field.attname}:
            return field
    return model._meta.get_field(name)  # type: ignore[return-value]  # it raises: the name is no column's


def _key(model: type[models.Model]) -> Field:
    key = model._meta.pk
    assert key is not None  # noqa: S101 - every concrete model has one
    return key


def _quoted(connection: BaseDatabaseWrapper, model: type[models.Model]) -> tuple[str, str]:
    quote = connection.ops.quote_name
    return quote(model._meta.db_table), quote(str(_key(model).column))
