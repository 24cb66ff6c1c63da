"""What ends kept answers: every write to a watched table, once it is committed.

Nobody has to remember to say so. Statements are seen where they go to the database, so `save`, `update`, bulk methods,
cascades and SQL of one's own count alike; COPY, which is no statement of a cursor, is told by `config.db.bulk`. A
statement tells the table and how many rows, and the signals of `save` and `delete` tell which rows: where they account
for all of them, the answers about other rows live on.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import Error, connections, transaction
from django.db.backends.signals import connection_created
from django.db.models.signals import post_delete, post_save

from config.cache import debt
from config.cache.families import NAMESPACES
from config.cache.statements import written_tables
from config.db.replicas.reads import on_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models import Model

# Where so many rows are written to, all answers about single rows end: that costs less than naming them.
MANY_ROWS = 500
NAMES_PER_ROW = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What writes to one table end.

    `lists` end with every write, `rows` with a write to rows that nobody named. `key` returns which row an instance
    belongs to, or None (a picture belongs to its car), and `names` the namespaces of rows by their keys, asked after
    the commit. `names_of` returns those that only an instance knows, as it may be gone by then.
    """

    lists: tuple[str, ...]
    rows: tuple[str, ...]
    key: Callable[[Any], int | None]
    names: Callable[[list[int]], Iterable[str]]
    names_of: Callable[[Any], Iterable[str]] | None


def _no_key(instance: Any) -> None:
    return None


def _no_names(keys: list[int]) -> Iterable[str]:
    return ()


_watches: dict[str, Watch] = {}
_narrowed: ContextVar[tuple[str, ...] | None] = ContextVar("narrowed", default=None)


def watch(
    model: type[Model],
    *,
    lists: tuple[str, ...] = (),
    rows: tuple[str, ...] = (),
    key: Callable[[Any], int | None] = _no_key,
    names: Callable[[list[int]], Iterable[str]] = _no_names,
    names_of: Callable[[Any], Iterable[str]] | None = None,
) -> None:
    """Let writes to the model's table end what depends on it (see `Watch`); called once, when the apps are ready.

    Where there are `rows`, Django reads each row that is removed first: not for tables that lose millions.
    """
    unknown = {*lists, *rows} - NAMESPACES
    if unknown:
        raise LookupError(f"No family of config.cache.families depends on {', '.join(sorted(unknown))}.")
    _watches[model._meta.db_table] = Watch(lists=lists, rows=rows, key=key, names=names, names_of=names_of)
    if rows:
        for signal in (post_save, post_delete):
            signal.connect(_account, sender=model, dispatch_uid="config.cache.writes")


def invalidate(*namespaces: str, using: str = "default") -> None:
    """End what depends on these namespaces, once the transaction is committed; for what no watched table shows."""
    ledger = _ledger(connections[using])
    ledger.names.update(namespaces)
    ledger.settle_later()


def rows_loaded(model: type[Model], connection: BaseDatabaseWrapper) -> None:
    """Count a write that goes past the connection's cursors, as COPY does."""
    _ledger(connection).note(model._meta.db_table, 1)


def row_written(row: Model) -> None:
    """Say which row the last statement wrote to, after an `update` of that row and no other."""
    _account(sender=type(row), instance=row, using=row._state.db or "default")


@contextmanager
def touching(*namespaces: str) -> Iterator[None]:
    """Let writes in the block end no more than these namespaces; for columns that few answers show."""
    token = _narrowed.set(namespaces)
    try:
        yield
    finally:
        _narrowed.reset(token)


def concerns(connection: BaseDatabaseWrapper, namespaces: tuple[str, ...]) -> bool:
    """Whether what depends on these namespaces may not be taken from the cache here and now.

    That is so in a transaction that wrote to it, and while the cache server has not heard of a write of this process.
    """
    return debt.debt.is_open or _ledger(connection).concerns(namespaces)


class Ledger:
    """The writes of one connection since its last commit. Django calls it with every statement."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self.connection = connection
        # How many rows of a table were written to and not accounted for.
        self.tables: Counter[str] = Counter()
        self.keys: dict[str, set[int]] = {}
        self.names: set[str] = set()
        self._hooks: list[Any] | None = None

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        for table in written_tables(sql):
            self.note(table, self._number(context["cursor"].rowcount, sql))
        return result

    def _number(self, rowcount: int, sql: Any) -> int:
        # SQLite counts neither many statements at once, nor rows that it returns before they are fetched.
        is_unknown = rowcount < 0 or (self.connection.vendor == "sqlite" and "RETURNING" in str(sql))
        return max(rowcount, 1) if is_unknown else rowcount

    def note(self, table: str, number: int) -> None:
        """Count rows that a statement wrote to."""
        if table not in _watches or not number:
            return
        narrowed = _narrowed.get()
        if narrowed is None:
            self.tables[table] += number
        else:
            self.names.update(narrowed)
        self.settle_later()

    def account(self, table: str, instance: Any) -> None:
        """Say which row one of the counted ones is."""
        # In autocommit mode the statement has settled already.
        if table not in self.tables or not self.connection.in_atomic_block:
            return
        keys = self.keys.setdefault(table, set())
        if len(keys) >= MANY_ROWS or len(self.names) >= NAMES_PER_ROW * MANY_ROWS:
            return
        known = _watches[table]
        # Of rows that somebody else removed first there are fewer than are told.
        self.tables[table] = max(0, self.tables[table] - 1)
        if known.names_of:
            self.names.update(known.names_of(instance))
        key = known.key(instance)
        if key is not None:
            keys.add(key)

    def settle_later(self) -> None:
        """Settle after the commit; at once where every statement commits."""
        # The connection starts a new list of hooks whenever ours may have gone with a rollback.
        if not self.connection.in_atomic_block:
            self.settle()
        elif self._hooks is not self.connection.run_on_commit:
            transaction.on_commit(self.settle, using=self.connection.alias)
            self._hooks = self.connection.run_on_commit

    def settle(self) -> None:
        """End what the writes since the last time concern."""
        tables, keys, names = self.tables, self.keys, self.names
        self.tables, self.keys, self.names = Counter(), {}, set()
        for table, number in tables.items():
            names.update(_watches[table].lists)
            if number > 0:
                names.update(_watches[table].rows)
        for table, some in keys.items():
            names.update(self._names(_watches[table], some))
        debt.end(names)

    def _names(self, known: Watch, keys: set[int]) -> Iterable[str]:
        try:
            # A replica may not know yet what was committed a moment ago.
            with on_time():
                return list(known.names(sorted(keys)))
        except Error:
            # The commit stands, and whoever made it must not hear of this.
            return known.rows

    def concerns(self, namespaces: tuple[str, ...]) -> bool:
        if not (self.tables or self.names):
            return False
        if not self.connection.in_atomic_block:
            # Rolled back, or committed a moment ago and not settled yet: settling is right in both cases.
            self.settle()
            return False
        written = set(self.names)
        for table in self.tables:
            written.update(_watches[table].lists, _watches[table].rows)
        return not written.isdisjoint(namespaces)


def _account(*, sender: type[Model], instance: Any, using: str, **kwargs: Any) -> None:
    if _narrowed.get() is None:
        _ledger(connections[using]).account(sender._meta.db_table, instance)


def _ledger(connection: Any) -> Ledger:
    for wrapper in connection.execute_wrappers:
        if isinstance(wrapper, Ledger):
            return wrapper
    ledger = Ledger(connection)
    # Ahead of those that come and go around single statements, which are removed from the end.
    connection.execute_wrappers.insert(0, ledger)
    return ledger


def _open_ledger(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    _ledger(connection)


def start() -> None:
    """Watch every connection from now on; called once, when the apps are ready."""
    connection_created.connect(_open_ledger, dispatch_uid="config.cache.writes")
    debt.start()
