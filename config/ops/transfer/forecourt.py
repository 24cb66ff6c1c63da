"""The layout of our own SQLite database, read off the models: what a model gains is moved without a line here.

SQLite keeps fewer promises than PostgreSQL (lengths, NUL characters, folding of letters beyond ASCII), and a file may
have been edited with other programs, so every rule of the models is looked at again.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.backends.sqlite3._functions import (  # type: ignore[import-untyped]  # django-stubs leaves it out
    register as register_functions,
)
from django.db.migrations.loader import MigrationLoader

from config.db.errors import Refused
from config.db.fields import EncryptedTextField, NormalizedCharField
from config.ops.scratch import connected
from config.ops.transfer.cells import BadValue, Changed, cell_of
from config.ops.transfer.layout import Context, Finding, Move, Target
from config.ops.transfer.rules import (
    UniqueRule,
    column_of,
    condition_sql,
    has_generic_link,
    may_lose_parent,
    named_fields,
    unique_rules,
)
from config.ops.transfer.source import read_rows, table_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from django.db.models.constraints import CheckConstraint

    from config.ops.transfer.cells import Cell

    Model = type[models.Model]
    Row = Sequence[Any]

MIGRATIONS = "django_migrations"
_SECRET = re.compile(r"password|token|secret|session", re.IGNORECASE)


class OlderMigrations(Refused):
    """The file has our layout, but not all migrations; `pending` are the missing ones."""

    def __init__(self, pending: list[str]) -> None:
        super().__init__(
            f"The file is of an older version: {len(pending)} migrations are missing, the first is {pending[0]}. "
            "They have to be applied first, to a copy: --migrated-copy FILE makes one, migrates it and moves that."
        )
        self.pending = pending


class ForecourtLayout:
    """See `layout.Layout`."""

    name = "Forecourt"
    estimated: Mapping[str, str] = {}

    def __init__(self) -> None:
        everything = apps.get_models(include_auto_created=True)
        self.models: tuple[Model, ...] = _parents_first(
            [model for model in everything if model._meta.managed and not model._meta.proxy]
        )
        self.tables = tuple(model._meta.db_table for model in self.models)
        self.matched: frozenset[Model] = frozenset({ContentType, Permission, Group, Group.permissions.through})

    def recognises(self, source: sqlite3.Connection) -> bool:
        """Whether migrations of our apps were applied to the file."""
        if MIGRATIONS not in table_names(source):
            return False
        return source.execute(f"SELECT 1 FROM {MIGRATIONS} WHERE app = 'accounts'").fetchone() is not None  # noqa: S608

    def refuse_unready(self, source: sqlite3.Connection) -> None:
        """See `layout.Layout`. Raises OlderMigrations when migrations are missing."""
        known = set(MigrationLoader(None).disk_migrations)
        applied = set(source.execute(f"SELECT app, name FROM {MIGRATIONS}"))  # noqa: S608 - a name of ours
        if unknown := sorted(applied - known):
            raise Refused(
                f"The file has migrations that this version does not know, such as {'.'.join(unknown[0])}: "
                "use the version that it was migrated with."
            )
        if pending := sorted(known - applied):
            raise OlderMigrations([".".join(migration) for migration in pending])
        there = set(table_names(source))
        for model in self.models:
            table = model._meta.db_table
            columns = {row[1] for row in source.execute(f'PRAGMA table_info("{table}")')}
            wanted = {str(column.column) for column in model._meta.concrete_fields}
            if missing := sorted(wanted - columns):
                what = f"the column {missing[0]} of {table}" if table in there else f"the table {table}"
                raise Refused(f"The file is not whole: {what} is missing, although its migration was applied.")

    def moves(self, context: Context) -> Iterator[Move]:
        """See `layout.Layout`."""
        # Rules may be written with functions that Django adds to SQLite.
        register_functions(context.source)
        context.source.create_function("LOWER", 1, _lower, deterministic=True)
        with connected("sqlite:///:memory:") as compiling:
            for model in self.models:
                table = _Table(model, compiling)
                find_duplicates(table, context)
                move = table.move(context)
                if table.refers_to_itself:
                    _refuse_ahead(table, context)
                yield move


def _parents_first(found: list[Model]) -> tuple[Model, ...]:
    ordered: list[Model] = []

    def add(model: Model) -> None:
        if model in ordered:
            return
        for column in model._meta.concrete_fields:
            parent = column.remote_field and column.remote_field.model
            if parent and parent is not model:
                add(parent)
        ordered.append(model)

    # A row may lead to one of any table by content type and key; those come after all others.
    for model in sorted(found, key=has_generic_link):
        add(model)
    return tuple(ordered)


def _lower(text: Any) -> Any:
    """Fold letters as PostgreSQL does, one by one; SQLite's own function knows ASCII only."""
    if not isinstance(text, str) or text.isascii():
        return text.lower() if isinstance(text, str) else text
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


@dataclass(frozen=True, slots=True)
class _Parent:
    """A foreign key: which table it leads to, and what happens to a row whose parent is not moved."""

    place: int
    column: str
    table: str
    target_column: str
    becomes_null: bool


@dataclass(slots=True)
class _Table:
    """One model: its columns with their cells, and its rules as SQL for SQLite."""

    model: Model
    compiling: Any
    cells: list[Cell] = field(init=False)
    parents: list[_Parent] = field(init=False)
    checks: list[CheckConstraint] = field(init=False)

    def __post_init__(self) -> None:
        fields = self.fields
        self.cells = [cell_of(column) for column in fields]
        self.parents = [
            _Parent(
                place,
                str(column.column),
                column.remote_field.model._meta.db_table,
                str(column.target_field.column),
                may_lose_parent(column),
            )
            for place, column in enumerate(fields)
            if isinstance(column, models.ForeignKey)
        ]
        self.checks = [rule for rule in self.model._meta.constraints if isinstance(rule, models.CheckConstraint)]

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    @property
    def fields(self) -> list[models.Field[Any, Any]]:
        """The columns, the primary key first."""
        return sorted(self.model._meta.concrete_fields, key=lambda column: not column.primary_key)

    @property
    def columns(self) -> list[str]:
        return [str(column.column) for column in self.fields]

    @property
    def known_by(self) -> str:
        """The column by which people know a row."""
        return "public_id" if "public_id" in self.columns else self.columns[0]

    @property
    def refers_to_itself(self) -> bool:
        return any(parent.table == self.name for parent in self.parents)

    def secret(self, column: str) -> bool:
        """Whether values of the column must be shown to nobody."""
        return bool(_SECRET.search(column)) or isinstance(self.model._meta.get_field(column), EncryptedTextField)

    def select(self) -> str:
        """Return the query for the rows: rowid, id, the columns, the parents' rowids, and which rules are broken."""
        values = [f't."{column}"' for column in self.columns]
        # Not joined, so that the rules may name their columns without the table.
        values += [
            f'(SELECT p.rowid FROM "{parent.table}" p WHERE p."{parent.target_column}" = t."{parent.column}")'  # noqa: S608
            for parent in self.parents
        ]
        values.append(self._broken())
        return f'SELECT t.rowid, t."{self.known_by}", {", ".join(values)} FROM "{self.name}" t'  # noqa: S608

    def _broken(self) -> str:
        """Return an expression whose bits say which checks a row breaks; as in SQL, unknown is not broken."""
        bits = [
            f"(COALESCE(NOT ({condition_sql(self.model, rule.condition, self.compiling)}), 0) << {place})"
            for place, rule in enumerate(self.checks)
        ]
        return " | ".join(bits) or "0"

    def move(self, context: Context) -> Move:
        """Return the move of the table's rows."""
        target = Target(self.model, tuple(self.columns))
        return Move(self.name, target, self.select(), partial(_Converter(self, context).convert))


class _Converter:
    """Makes the line of a row, or says why there is none."""

    def __init__(self, table: _Table, context: Context) -> None:
        self._table, self._context = table, context
        self._name, self._cells, self._columns = table.name, table.cells, table.columns
        self._width = len(table.columns)
        self._parents = [(parent, 2 + self._width + place) for place, parent in enumerate(table.parents)]
        self._rules = [
            (1 << place, rule, list(dict.fromkeys(named_fields(rule.condition))))
            for place, rule in enumerate(table.checks)
        ]

    def convert(self, row: Row, children: Sequence[list[str]]) -> str | None:
        """See `layout.Move`."""
        keys, width = self._context.keys, self._width
        values = row[2 : 2 + width]
        try:
            cells = [cell(value) for cell, value in zip(self._cells, values, strict=True)]
        except (BadValue, Changed):
            return self._carefully(row, values)
        for parent, place in self._parents:
            key = row[place]
            if values[parent.place] is not None and (key is None or keys.is_refused(parent.table, key)):
                return self._carefully(row, values)
        if row[-1] or keys.is_refused(self._name, row[0]):
            return self._carefully(row, values)
        return "\t".join(cells)

    def _carefully(self, row: Row, values: Row) -> str | None:
        """Go through the row column by column, and report all that there is to report."""
        bad: set[str] = set()
        cells = [self._cell(row, place, value, bad) for place, value in enumerate(values)]
        for parent, place in self._parents:
            if values[parent.place] is not None and parent.column not in bad:
                self._parent(row, parent, row[place], cells, bad)
        for bit, rule, columns in self._rules:
            if row[-1] & bit and not bad.intersection(columns):
                self._rule(row, rule, columns)
                bad.add(columns[0])
        keys = self._context.keys
        if bad:
            keys.refuse(self._name, row[0])
        return None if keys.is_refused(self._name, row[0]) else "\t".join(cells)

    def _cell(self, row: Row, place: int, value: Any, bad: set[str]) -> str:
        column = self._columns[place]
        try:
            return self._cells[place](value)
        except BadValue as problem:
            bad.add(column)
            self._report(row, "bad", column, problem.reason, problem.message, value)
            return ""
        except Changed as change:
            note = partial(self._report, moved_as=change.moved_as)
            note(row, "note", column, change.reason, change.message, value)
            return change.cell

    def _parent(self, row: Row, parent: _Parent, key: int | None, cells: list[str], bad: set[str]) -> None:
        keys, value = self._context.keys, row[2 + parent.place]
        if key is not None and not keys.is_refused(parent.table, key):
            return
        because_of = "" if key is None else f"{parent.table} {value}"
        what = "is not there" if key is None else "is not moved"
        message = f"{parent.table} {value} {what}"
        reason = "orphan" if key is None else "parent_not_moved"
        if parent.becomes_null:
            cells[parent.place] = "\\N"
            self._report(row, "note", parent.column, reason, f"{message}; moved without it", value, because_of)
            return
        bad.add(parent.column)
        self._report(row, "bad", parent.column, reason, message, value, because_of)

    def _rule(self, row: Row, rule: CheckConstraint, columns: list[str]) -> None:
        names = [column_of(self._table.model, name) for name in columns]
        values = {name: row[2 + self._columns.index(name)] for name in names}
        told = (
            values[names[0]]
            if len(names) == 1
            else {name: "…" if self._table.secret(name) else value for name, value in values.items()}
        )
        message = f"{str(rule.violation_error_message).rstrip('.')} ({rule.name})"
        self._report(row, "bad", ", ".join(names), "rule_broken", message, told)

    def _report(
        self, row: Row, outcome: Any, column: str, reason: str, message: str, value: Any,
        because_of: str = "", moved_as: Any = None,
    ) -> None:  # fmt: skip
        is_secret = column in self._columns and self._table.secret(column)
        self._context.report(
            Finding(outcome, self._name, str(row[1]), column, reason, message, value, moved_as, because_of, is_secret)
        )


def _refuse_ahead(table: _Table, context: Context) -> None:
    """Find the bad rows of a table whose rows may hang on later ones, before any of them is moved."""
    silent = replace(context, report=lambda finding: None)
    convert, found = _Converter(table, silent).convert, True
    while found:
        found = False
        for row in read_rows(context.source, table.select()):
            if not context.keys.is_refused(table.name, row[0]) and convert(row, ()) is None:
                found = True


def find_duplicates(table: _Table, context: Context) -> None:
    """Refuse all but one of the rows that a unique rule allows only one of, as it sees them once they are moved."""
    for rule in unique_rules(table.model, table.compiling):
        for rows in _duplicates(table, context, rule):
            left = [row for row in rows if not context.keys.is_refused(table.name, row[0])]
            # One that is spelled as the program keeps it goes first, and then the oldest.
            keeper, *others = sorted(left, key=lambda row: (_changes(table, rule.columns, row), row[0])) or [()]
            for row in others:
                context.keys.refuse(table.name, row[0])
                _report_duplicate(table, context, rule.columns, row, keeper)


def _report_duplicate(table: _Table, context: Context, columns: list[str], row: Row, keeper: Row) -> None:
    names = ", ".join(columns)
    is_secret = any(table.secret(column) for column in columns)
    value = row[2] if len(columns) == 1 else dict(zip(columns, row[2:], strict=True))
    message = f"{table.name} {keeper[1]} has the same {names} and keeps it"
    context.report(Finding("bad", table.name, str(row[1]), names, "duplicate", message, value, secret=is_secret))


def _changes(table: _Table, columns: list[str], row: Row) -> int:
    changes = 0
    for column, value in zip(columns, row[2:], strict=True):
        of_model = table.model._meta.get_field(column)
        if isinstance(of_model, NormalizedCharField) and isinstance(value, str):
            kept = of_model.normalize(value) or ""
            changes += abs(len(kept) - len(value)) + sum(map(str.__ne__, kept, value))
    return changes


def _duplicates(table: _Table, context: Context, rule: UniqueRule) -> Iterator[list[Row]]:
    """Yield groups of rows, as (rowid, id, values of the columns), that are the same to a unique rule."""
    source = context.source
    keys = [_normalizing(table, source, expression) for expression in rule.expressions]
    named = ", ".join(f"{key} AS k{place}" for place, key in enumerate(keys))
    numbers = ", ".join(f"k{place}" for place in range(len(keys)))
    given = [f"{key} IS NOT NULL" for key in keys]
    concerned = " AND ".join([*given, f"({rule.condition})"] if rule.condition else given)
    values = ", ".join(f'"{column}"' for column in rule.columns)
    known = f'rowid AS r, "{table.known_by}" AS i'
    statement = (
        f'WITH x AS (SELECT {known}, {values}, {named} FROM "{table.name}" WHERE {concerned})'  # noqa: S608
        f" SELECT {numbers}, r, i, {values} FROM x"
        f" JOIN (SELECT {numbers} FROM x GROUP BY {numbers} HAVING count(*) > 1) USING ({numbers})"
        f" ORDER BY {numbers}, r"
    )
    source.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        found = source.execute(statement)
        for _, group in itertools.groupby(found, key=lambda row: row[: len(keys)]):
            yield [row[len(keys) :] for row in group]
    finally:
        source.text_factory = str


def _normalizing(table: _Table, source: sqlite3.Connection, expression: str) -> str:
    """Return the expression over the values as the program keeps them, which is how they are moved."""

    def normalized(match: re.Match[str]) -> str:
        column = table.model._meta.get_field(match[1])
        if not isinstance(column, NormalizedCharField):
            return match[0]
        name = f"normalize_{table.name}_{column.column}"
        source.create_function(name, 1, partial(_normalize, column.normalize), deterministic=True)
        return f"{name}({match[0]})"

    return re.sub(r'"(\w+)"', normalized, expression)


def _normalize(normalize: Callable[[str], str | None], value: Any) -> Any:
    return normalize(value) if isinstance(value, str) else value
