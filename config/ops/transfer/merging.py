"""Rows for tables that already hold some: staged beside them, matched by natural key, then added or brought up to date.

All of it is SQL in the transaction of the load, so that memory does not grow with the rows. For a table T there are, as
temporary tables, ``stage_T`` (the lines as they were sent), ``rows_T`` (the same with the target's keys of other rows)
and ``keys_T`` (which row of the target each of them is, or becomes).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from django.contrib.contenttypes.models import ContentType
from django.db import models
from psycopg import sql

from config.ops.transfer.checksums import has_integer_key, new_checksum
from config.ops.transfer.layout import Finding
from config.ops.transfer.loading import CopyWriter
from config.ops.transfer.proof import TableProof, content_query, read_back
from config.ops.transfer.rules import (
    column_of,
    constraint_columns,
    foreign_keys,
    has_generic_link,
    may_lose_parent,
    unique_rules,
)
from config.ops.transfer.target import sequences

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    import psycopg
    from django.db.backends.base.base import BaseDatabaseWrapper

    from config.ops.transfer.layout import Target
    from config.ops.transfer.loading import Loaded

    Model = type[models.Model]

# Natural keys that no unique rule of the model tells.
NATURAL_KEYS = {
    "leads.voucherclaim": ("voucher_id", "user_id", "claimed_at"),
    "leads.voucherredemption": ("voucher_id", "user_id", "redeemed_at"),
    "leads.ticketcomment": ("ticket_id", "author_id", "created_at"),
    "leads.leadnote": ("lead_id", "author_id", "created_at"),
}


@dataclass(slots=True)
class Merged:
    """What a merge did to one table of the target."""

    table: str
    created: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """A staged row that cannot join the target: its number in the source, and why."""

    number: int
    finding: Finding


def staged_models(layout_models: Sequence[Model], matched: frozenset[Model]) -> frozenset[Model]:
    """Return the matched models and those that hold a key of one of them, directly or not."""
    staged = set(matched)
    for model in layout_models:  # parents come first
        if any(parent in staged for parent in _parents(model).values()):
            staged.add(model)
    return frozenset(staged)


def natural_key(model: Model) -> tuple[str, ...]:
    """Return the columns by which a row is the same row in another database: at worst all but the primary key."""
    meta = model._meta
    columns = {str(column.column) for column in meta.concrete_fields}
    if "public_id" in columns:
        return ("public_id",)
    if not has_integer_key(model):
        return (str(meta.pk.column),)
    if meta.label_lower in NATURAL_KEYS:
        return NATURAL_KEYS[meta.label_lower]
    for rule in meta.constraints:
        if isinstance(rule, models.UniqueConstraint) and not rule.condition:
            return tuple(constraint_columns(model, rule))
    for column in meta.concrete_fields:
        if column.unique and not column.primary_key and not column.null:
            return (str(column.column),)
    for names in meta.unique_together:
        return tuple(column_of(model, name) for name in names)
    if "position" in columns:
        # A list that belongs to another row.
        keys = foreign_keys(model).items()
        owners = [column for column, field in keys if field.remote_field.on_delete is models.CASCADE]
        return (*owners, "position")
    return tuple(sorted(columns - {str(meta.pk.column)}))


def _parents(model: Model) -> dict[str, Model]:
    """Return the model behind every foreign key, by column."""
    return {column: field.remote_field.model for column, field in foreign_keys(model).items()}


def _left_empty(target: Target) -> list[sql.Identifier]:
    """Return the columns of the model that the layout has no values for."""
    names = [str(field.column) for field in target.model._meta.concrete_fields]
    return [sql.Identifier(name) for name in names if name not in target.columns]


def _name(kind: str, model: Model) -> sql.Identifier:
    # In the temporary schema, which has no table of the target's names.
    return sql.Identifier("pg_temp", f"{kind}_{model._meta.db_table}")


@dataclass(slots=True)
class Merge:
    """The staged tables of one run."""

    connection: BaseDatabaseWrapper
    session: psycopg.Connection[Any]
    staged: frozenset[Model]
    source: sqlite3.Connection
    names: dict[Model, str]
    """What the source calls the table of a model's rows; rows that only come along have none."""
    is_exact: bool = False
    """Whether links between matched rows that the source does not have are removed."""
    done: dict[Model, Merged] = field(default_factory=dict)
    expected: dict[Model, tuple[int, str]] = field(default_factory=dict)
    _lost: set[Model] = field(default_factory=set)
    _columns: dict[Model, frozenset[str]] = field(default_factory=dict)
    """The columns that the layout has values for."""

    def open_writer(self, model: Model, columns: Sequence[str]) -> CopyWriter:
        """Make the staging table of a model and return what fills it."""
        self._columns[model] = frozenset(columns)
        names = sql.SQL(", ").join(map(sql.Identifier, columns))
        self._run(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                sql.Identifier(f"stage_{model._meta.db_table}"), names, _table(model)
            )
        )
        return CopyWriter(self.session, f"stage_{model._meta.db_table}", columns)

    def settle(self, loaded: Loaded) -> list[Refusal]:
        """Match, add and change the rows of one table, whose parents are settled, and return those that cannot join."""
        target, model = loaded.target, loaded.target.model
        self._prepare("stage", model, target.columns[0])
        self._resolve(target)
        self._translate_objects(model)
        refusals = self._refuse_hanging(target)
        self._find_keys(target)
        refusals += self._refuse_taken(model)
        self._forget_refused(model, refusals)
        while hanging := self._refuse_hanging_on_own(model):
            self._forget_refused(model, hanging)
            refusals += hanging
        self._resolve_own_parents(model)
        merged = self.done[model] = Merged(model._meta.db_table)
        total = self._count(_name("keys", model))
        merged.changed = self._change(target)
        merged.created = self._create(target)
        merged.unchanged = total - merged.created - merged.changed
        if self.is_exact and model._meta.auto_created and set(_parents(model).values()) <= self.staged:
            self._remove_others(model)
        self.expected[model] = self._expected(loaded, refused=bool(refusals) or model in self._lost)
        return refusals

    def prove(self, loaded: Loaded) -> TableProof:
        """Compare what was sent with the target's rows, told in the source's keys."""
        model = loaded.target.model
        found = read_back(self.session, self._told_in_source_keys(loaded.target), new_checksum(model))
        rows, checksum = self.expected[model]
        return TableProof(model._meta.db_table, rows, found.rows, checksum, found.hexdigest())

    # The steps of `settle`.

    def _resolve(self, target: Target) -> None:
        """Make `rows_T`: the staged rows with the keys that their parents have in the target."""
        model = target.model
        parents = self._staged_parents(model, own=False)
        columns = [
            sql.SQL("p{}.id AS {}").format(sql.Literal(place), sql.Identifier(column))
            if (place := list(parents).index(column) if column in parents else None) is not None
            else sql.SQL("s.{}").format(sql.Identifier(column))
            for column in target.columns[1:]
        ]
        # Unique rules and their conditions may ask for columns that the layout leaves empty.
        columns += [
            sql.SQL("(SELECT {} FROM {} WHERE false) AS {}").format(name, _table(model), name)
            for name in _left_empty(target)
        ]
        joins = [
            sql.SQL(" LEFT JOIN {} p{} ON p{}.staged = s.{}").format(
                _name("keys", parent), sql.Literal(place), sql.Literal(place), sql.Identifier(column)
            )
            for place, (column, parent) in enumerate(parents.items())
        ]
        self._run(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT s.{} AS staged, {} FROM {} s{}").format(
                sql.Identifier(f"rows_{model._meta.db_table}"),
                sql.Identifier(target.columns[0]),
                sql.SQL(", ").join([sql.SQL("s.{} AS {}").format(*[sql.Identifier(target.columns[0])] * 2), *columns]),
                _name("stage", model),
                sql.SQL("").join(joins),
            )
        )
        self._prepare("rows", model, "staged")

    def _translate_objects(self, model: Model) -> None:
        """Let generic links (content type and key) lead to the rows that the target has."""
        if not has_generic_link(model):
            return
        kind = sql.SQL("bigint" if isinstance(model._meta.get_field("object_id"), models.IntegerField) else "text")
        for linked in self.done:
            if linked in self.staged and has_integer_key(linked):
                self._run(
                    sql.SQL(
                        "UPDATE {} r SET object_id = k.id::{} FROM {} k, {} c WHERE r.content_type_id = c.id"
                        " AND c.app_label = {} AND c.model = {} AND r.object_id = k.staged::{}"
                    ).format(
                        *(_name("rows", model), kind, _name("keys", linked), _table(ContentType)),
                        *(sql.Literal(linked._meta.app_label), sql.Literal(linked._meta.model_name), kind),
                    )
                )

    def _refuse_hanging(self, target: Target) -> list[Refusal]:
        """Return the rows whose required parent could not join the target; what may be without one loses it."""
        model = target.model
        refusals: list[Refusal] = []
        for column, parent in self._staged_parents(model, own=False).items():
            if parent not in self._lost:
                continue
            hanging = sql.SQL("FROM {} s JOIN {} r ON r.staged = s.{} WHERE s.{} IS NOT NULL AND r.{} IS NULL").format(
                _name("stage", model),
                _name("rows", model),
                *map(sql.Identifier, (target.columns[0], column, column)),
            )
            rows = self._rows(
                sql.SQL("SELECT r.staged, r.{}, s.{} {} ORDER BY 1").format(
                    sql.Identifier(self._known_by(model)), sql.Identifier(column), hanging
                )
            )
            becomes_null = may_lose_parent(foreign_keys(model)[column])
            refusals += [self._hanging(model, column, parent, *row, becomes_null=becomes_null) for row in rows]
            if becomes_null and rows:
                self._lost.add(model)
                self._run(
                    sql.SQL("UPDATE {} SET {} = NULL WHERE {} = ANY({})").format(
                        _name("stage", model),
                        *map(sql.Identifier, (column, target.columns[0])),
                        sql.Literal([number for number, _, _ in rows]),
                    )
                )
        return refusals

    def _refuse_hanging_on_own(self, model: Model) -> list[Refusal]:
        """Return the rows whose parent in the same table could not join the target."""
        refusals: list[Refusal] = []
        for column in self._staged_parents(model, own=True):
            rows = self._rows(
                sql.SQL(
                    "SELECT r.staged, r.{known}, r.{column} FROM {rows} r WHERE r.{column} IS NOT NULL"
                    " AND NOT EXISTS (SELECT FROM {keys} k WHERE k.staged = r.{column}) ORDER BY 1"
                ).format(
                    known=sql.Identifier(self._known_by(model)),
                    column=sql.Identifier(column),
                    rows=_name("rows", model),
                    keys=_name("keys", model),
                )
            )
            refusals += [self._hanging(model, column, model, *row, becomes_null=False) for row in rows]
        return refusals

    def _hanging(
        self, model: Model, column: str, parent: Model, number: int, known: Any, value: Any, *, becomes_null: bool
    ) -> Refusal:
        table = self.names.get(model, model._meta.db_table)
        column, value = self._in_source(table, column, number, value)
        because_of = f"{self.names.get(parent, parent._meta.db_table)} {value}"
        message = f"{because_of} is not moved" + ("; moved without it" if becomes_null else "")
        outcome: Literal["note", "bad"] = "note" if becomes_null else "bad"
        return Refusal(
            number,
            Finding(outcome, table, str(known), column, "parent_not_moved", message, value, because_of=because_of),
        )

    def _in_source(self, table: str, column: str, number: int, value: Any) -> tuple[str, Any]:
        """Return what the source calls a column, and what it holds there; as it is where the source has no such one."""
        for _, name, *_ in self.source.execute("SELECT * FROM pragma_table_info(?)", [table]):
            if name.lower() == column.replace("_", "").lower() or name == column:
                query = f'SELECT "{name}" FROM "{table}" WHERE rowid = ?'  # noqa: S608 - the source's own names
                row = self.source.execute(query, [number]).fetchone()
                return (name, row[0]) if row else (column, value)
        return column, value

    def _find_keys(self, target: Target) -> None:
        """Make `keys_T`: the target's key of each staged row, found by natural key or new."""
        model = target.model
        key = sql.Identifier(target.columns[0])
        # Not from the sequence itself, which would not forget the keys if all is taken back. Nobody else can take
        # them either: the table is locked, and the sequence is moved on before it is let go.
        fresh = sql.SQL("{} + row_number() OVER (PARTITION BY found IS NULL ORDER BY staged)").format(
            sql.Literal(self._highest_key(model))
        )
        self._run(
            sql.SQL(
                "CREATE TEMP TABLE {} ON COMMIT DROP AS"
                " SELECT staged, found IS NULL AS is_new, COALESCE(found, {}) AS id FROM ("
                " SELECT r.staged, t.found FROM ({}) r LEFT JOIN ({}) t USING (natural_key, turn)) m"
            ).format(
                sql.Identifier(f"keys_{model._meta.db_table}"),
                fresh if has_integer_key(model) else sql.SQL("staged"),
                self._natural(model, _name("rows", model), sql.Identifier("staged"), sql.Identifier("staged")),
                self._natural(model, _table(model), key, sql.Identifier("found")),
            )
        )
        self._prepare("keys", model, "staged", "id")

    def _natural(self, model: Model, table: sql.Composable, key: sql.Composable, name: sql.Identifier) -> sql.Composed:
        columns = natural_key(model)
        values = sql.SQL(", ").join(map(sql.Identifier, columns))
        whole = values if columns == ("public_id",) else sql.SQL("ROW({})::text").format(values)
        # Where nothing tells two rows apart, the first of one side is the first of the other.
        turn = sql.SQL("1" if columns == ("public_id",) else "row_number() OVER (PARTITION BY {} ORDER BY {})").format(
            *([] if columns == ("public_id",) else [whole, key])
        )
        return sql.SQL("SELECT {} AS {}, {} AS natural_key, {} AS turn FROM {}").format(key, name, whole, turn, table)

    def _refuse_taken(self, model: Model) -> list[Refusal]:
        """Return the rows that break a unique rule together with a row of the target that is another one."""
        refusals: dict[int, Refusal] = {}
        key, known = sql.Identifier(str(model._meta.pk.column)), sql.Identifier(self._known_by(model))
        for rule in unique_rules(model, self.connection):
            values = sql.SQL(", ".join(f"{part} AS v{place}" for place, part in enumerate(rule.expressions)))
            where = sql.SQL(f" WHERE {rule.condition}" if rule.condition else "")
            shared = sql.SQL(", ".join(f"v{place}" for place in range(len(rule.expressions))))
            rows = self._rows(
                sql.SQL(
                    "SELECT r.staged, r.known, t.known, {} FROM (SELECT staged, {} AS known, {} FROM {}{}) r"
                    " JOIN (SELECT {} AS id, {} AS known, {} FROM {}{}) t USING ({})"
                    " WHERE NOT EXISTS (SELECT FROM {} k WHERE k.id = t.id) ORDER BY 1"
                ).format(
                    *(shared, known, values, _name("rows", model), where),
                    *(key, known, values, _table(model), where, shared, _name("keys", model)),
                )
            )
            for number, name, other, *parts in rows:
                message = f"{model._meta.db_table} {other} of the target has the same {', '.join(rule.columns)}"
                value = parts[0] if len(parts) == 1 else dict(zip(rule.columns, parts, strict=False))
                table = self.names.get(model, model._meta.db_table)
                finding = Finding("bad", table, str(name), ", ".join(rule.columns), "taken", message, value)
                refusals.setdefault(number, Refusal(number, finding))
        return list(refusals.values())

    def _forget_refused(self, model: Model, refusals: list[Refusal]) -> None:
        numbers = [refusal.number for refusal in refusals if refusal.finding.outcome == "bad"]
        if not numbers:
            return
        self._lost.add(model)
        for kind in ("rows", "keys"):
            self._run(sql.SQL("DELETE FROM {} WHERE staged = ANY({})").format(_name(kind, model), sql.Literal(numbers)))
        key = sql.Identifier(str(model._meta.pk.column))
        self._run(sql.SQL("DELETE FROM {} WHERE {} = ANY({})").format(_name("stage", model), key, sql.Literal(numbers)))

    def _resolve_own_parents(self, model: Model) -> None:
        for column in self._staged_parents(model, own=True):
            self._run(
                sql.SQL(
                    "UPDATE {rows} r SET {column} = k.id FROM {rows} o LEFT JOIN {keys} k ON k.staged = o.{column}"
                    " WHERE o.staged = r.staged AND o.{column} IS NOT NULL"
                ).format(rows=_name("rows", model), column=sql.Identifier(column), keys=_name("keys", model))
            )

    def _change(self, target: Target) -> int:
        columns = [column for column in target.columns[1:] if column not in target.defaulted]
        if not columns:
            return 0
        ours, theirs = (
            sql.SQL(", ").join([sql.SQL("{}.{}").format(sql.SQL(alias), sql.Identifier(column)) for column in columns])
            for alias in ("t", "r")
        )
        return self._run(
            sql.SQL(
                "UPDATE {} t SET ({}) = ROW({}) FROM {} r JOIN {} k USING (staged)"
                " WHERE t.{} = k.id AND NOT k.is_new AND ROW({}) IS DISTINCT FROM ROW({})"
            ).format(
                _table(target.model),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                theirs,
                _name("rows", target.model),
                _name("keys", target.model),
                sql.Identifier(target.columns[0]),
                ours,
                theirs,
            )
        )

    def _create(self, target: Target) -> int:
        columns = target.columns[1:]
        return self._run(
            sql.SQL(
                "INSERT INTO {} ({}) SELECT {} FROM {} r JOIN {} k USING (staged) WHERE k.is_new ORDER BY staged"
            ).format(
                _table(target.model),
                sql.SQL(", ").join(map(sql.Identifier, target.columns)),
                sql.SQL(", ").join(
                    [sql.SQL("k.id"), *(sql.SQL("r.{}").format(sql.Identifier(column)) for column in columns)]
                ),
                _name("rows", target.model),
                _name("keys", target.model),
            )
        )

    def _remove_others(self, model: Model) -> None:
        self._run(
            sql.SQL("DELETE FROM {} t WHERE NOT EXISTS (SELECT FROM {} k WHERE k.id = t.id)").format(
                _table(model), _name("keys", model)
            )
        )

    # The proof.

    def _expected(self, loaded: Loaded, *, refused: bool) -> tuple[int, str]:
        if not refused:
            return loaded.checksum.rows, loaded.checksum.hexdigest()
        model = loaded.target.model
        left = read_back(
            self.session, content_query(loaded.target, f"stage_{model._meta.db_table}"), new_checksum(model)
        )
        return left.rows, left.hexdigest()

    def _told_in_source_keys(self, target: Target) -> sql.Composable:
        """Return the query for the target's rows as the source would tell them, so that the lines are those sent."""
        model = target.model
        parents = self._staged_parents(model, own=True) | self._staged_parents(model, own=False)
        joins: list[sql.Composable] = []
        columns: list[sql.Composable] = [sql.SQL("k.staged")]
        for place, column in enumerate(target.columns[1:]):
            name = sql.Identifier(column)
            if column in parents:
                joins.append(
                    sql.SQL(" LEFT JOIN {} b{} ON b{}.id = t.{}").format(
                        _name("keys", parents[column]), *[sql.Literal(place)] * 2, name
                    )
                )
                columns.append(sql.SQL("b{}.staged").format(sql.Literal(place)))
            elif column == "object_id" and has_generic_link(model):
                same = sql.SQL("CASE WHEN t.{} IS NOT DISTINCT FROM r.{} THEN s.{} END").format(name, name, name)
                columns.append(same)
            elif column in target.defaulted:
                columns.append(sql.SQL("CASE WHEN k.is_new THEN t.{} ELSE s.{} END").format(name, name))
            else:
                columns.append(sql.SQL("t.{}").format(name))
        key = sql.Identifier(target.columns[0])
        query = sql.SQL(
            "SELECT {} FROM {} k JOIN {} t ON t.{} = k.id JOIN {} r ON r.staged = k.staged"
            " JOIN {} s ON s.{} = k.staged{}"
        ).format(
            sql.SQL(", ").join(columns),
            *(_name("keys", model), _table(model), key, _name("rows", model), _name("stage", model), key),
            sql.SQL("").join(joins),
        )
        return query + sql.SQL(" ORDER BY k.staged") if has_integer_key(model) else query

    # Small things.

    def _prepare(self, kind: str, model: Model, *keys: str) -> None:
        """Let the planner see how many rows a full table has, and find them by each of its keys."""
        for key in keys:
            self._run(sql.SQL("CREATE UNIQUE INDEX ON {} ({})").format(_name(kind, model), sql.Identifier(key)))
        # Nothing analyzes temporary tables by itself, and where few rows are expected many are joined one by one.
        self._run(sql.SQL("ANALYZE {}").format(_name(kind, model)))

    def _staged_parents(self, model: Model, *, own: bool) -> dict[str, Model]:
        return {
            column: parent
            for column, parent in _parents(model).items()
            if column in self._columns[model]
            and parent in self.staged
            and has_integer_key(parent)
            and (parent is model) == own
        }

    def _known_by(self, model: Model) -> str:
        columns = {str(column.column) for column in model._meta.concrete_fields}
        return "public_id" if "public_id" in columns else str(model._meta.pk.column)

    def _highest_key(self, model: Model) -> int:
        """Return the highest key that is taken or was given out by the table's sequence."""
        found = 0
        for table, column, sequence in sequences(self.connection, [model]):
            ((found,),) = self._rows(
                sql.SQL(
                    "SELECT GREATEST((SELECT max({}) FROM {}),"
                    " (SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM {}))"
                ).format(sql.Identifier(column), sql.Identifier(table), sql.SQL(sequence))
            )
        return int(found)

    def _count(self, table: sql.Composable) -> int:
        return int(self._rows(sql.SQL("SELECT count(*) FROM {}").format(table))[0][0])

    def _run(self, statement: sql.Composed) -> int:
        with self.session.cursor() as cursor:
            return cursor.execute(statement).rowcount

    def _rows(self, statement: sql.Composed) -> list[tuple[Any, ...]]:
        with self.session.cursor() as cursor:
            return cursor.execute(statement).fetchall()


def _table(model: Model) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)
