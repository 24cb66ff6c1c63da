"""How the database finds what the marketplace asks for, with actual times, and the first page of the staff's lists."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.db import DEFAULT_DB_ALIAS, DatabaseError, transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.models.users import Role
from config.cache import uncached
from config.ops.health.look import Look
from config.ops.health.reads import NAMED_READS, Usual, usual
from config.ops.health.report import Column, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.db.models import Model

# What reads a whole table: the words of PostgreSQL and of SQLite.
_WHOLE_TABLE = re.compile(r"Seq Scan on (\w+)|SCAN (\w+)(?! USING)(?:\n|$)")
_COST = re.compile(r"cost=[\d.]+\.\.([\d.]+)")
_TOOK = re.compile(r"(?:Planning|Execution) Time: ([\d.]+) ms")
_BLOCKS = re.compile(r"^ *Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?", re.MULTILINE)
_SHORT_NAME = re.compile(r'(?:FROM|JOIN) "?(\w+)"? (?:AS )?"?(\w+)"?')
_QUESTION = re.compile(r"\s*(?:SELECT|WITH)\b", re.IGNORECASE)
LONGEST_MS = 30_000


def plans(look: Look) -> Section:
    """List the plans of all reads and lists, or show the whole plan of the one that `look.explain` names."""
    section = Section("plans")
    if look.explain in NAMED_READS:
        _tell_reads(look, section, [look.explain])
    elif look.explain:
        _tell_lists(look, section, [look.explain])
    else:
        _tell_reads(look, section, list(NAMED_READS))
        _tell_lists(look, section, list_names())
    section.notes.append("A small table is read as a whole because that is quicker than any index.")
    return section


class Explainable:
    """The names of what can be explained, looked up when somebody gives one: the pages of staff are loaded for it."""

    def __iter__(self) -> Iterator[str]:
        return iter([*NAMED_READS, *list_names()])

    def __contains__(self, name: object) -> bool:
        return name in [*self]


# The marketplace's reads


@dataclass(slots=True)
class Watch:
    """Explains every question that goes through a connection, as its wrapper of statements."""

    look: Look
    plans: list[str] = field(default_factory=list)
    milliseconds: float = 0.0

    def __call__(self, execute: Callable[..., Any], sql: Any, parameters: Any, many: bool, context: Any) -> Any:
        if not isinstance(sql, str) or not _QUESTION.match(sql):
            return execute(sql, parameters, many, context)
        ask = self._on_sqlite if self.look.on_sqlite else self._on_postgresql
        return ask(execute, sql, parameters, many, context)

    def _on_postgresql(self, execute: Callable[..., Any], sql: str, parameters: Any, *rest: Any) -> Any:
        # On a cursor of its own: through ours it would be explained as well.
        with self.look.connection.wrap_database_errors, self.look.connection.connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", parameters or None)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        self.plans.append(plan)
        self.milliseconds += sum(map(float, _TOOK.findall(plan)))
        return execute(sql, parameters, *rest)

    def _on_sqlite(self, execute: Callable[..., Any], sql: str, parameters: Any, *rest: Any) -> Any:
        cursor = self.look.connection.create_cursor()
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", parameters or None)
        plan = "\n".join(row[3] for row in cursor.fetchall())
        known = dict(map(reversed, _SHORT_NAME.findall(sql)))
        self.plans.append(re.sub(r"\b(SCAN|SEARCH) (\w+)", lambda found: _with_table(found, known), plan))
        begin = time.perf_counter()
        answer = execute(sql, parameters, *rest)
        self.milliseconds += (time.perf_counter() - begin) * 1000
        return answer


def _with_table(found: re.Match[str], known: dict[str, str]) -> str:
    return f"{found[1]} {known.get(found[2], found[2])}"


def _tell_reads(look: Look, section: Section, names: list[str]) -> None:
    if look.connection.alias != DEFAULT_DB_ALIAS:
        section.notes.append("The marketplace reads the default database: its reads are told without --database.")
        return
    source = "EXPLAIN QUERY PLAN" if look.on_sqlite else "EXPLAIN (ANALYZE, BUFFERS)"
    rows, lines = [], []
    typical = usual(look.now)
    for name in names:
        watch, problem = _watched(look, name, typical)
        if problem:
            section.notes.append(f"{name} was given up: {problem}")
        plan = "\n".join(watch.plans)
        blocks = sum(int(number or 0) for each in watch.plans for number in _topmost_blocks(each))
        taken = None if problem else round(watch.milliseconds, 2)
        rows.append((name, len(watch.plans), taken, blocks or None, _whole_tables(plan)))
        lines += [line for each in watch.plans for line in (*each.splitlines(), "")]
    columns = (
        Column("read", "Read"), Column("statements", "Statements"), Column("time", "Planned and run", "ms"),
        Column("blocks", "Blocks of 8 kB"), Column("whole", "Tables read as a whole"),
    )  # fmt: skip
    section.table("reads", "Plans of the marketplace's reads", columns, rows, source=source)
    if look.explain:
        _tell_lines(section, look.explain, lines[:-1], source)


def _watched(look: Look, name: str, typical: Usual) -> tuple[Watch, str]:
    """Ask a read in a transaction that changes nothing and is given up after a while; return its plans."""
    watch = Watch(look)
    try:
        with transaction.atomic(), uncached():
            if not look.on_sqlite:
                with look.connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
                    cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_MS}")
            with look.connection.execute_wrapper(watch):
                NAMED_READS[name](typical)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return watch, " ".join(str(error).split())
    return watch, ""


def _topmost_blocks(plan: str) -> tuple[str | None, ...]:
    # A node's blocks are those of all below it as well.
    found = _BLOCKS.search(plan)
    return found.groups() if found else ()


# The staff's lists


def list_names() -> list[str]:
    """Return the names of the lists that can be explained."""
    admin.autodiscover()
    return sorted(model._meta.label_lower for model in admin.site._registry)


def _tell_lists(look: Look, section: Section, names: list[str]) -> None:
    found = {name: _plan(look, apps.get_model(name)) for name in names}
    source = "EXPLAIN of the list's first page, as a super administrator sees it"
    rows = [(name, _cost(plan), _whole_tables(plan)) for name, plan in found.items()]
    columns = (Column("list", "List"), Column("cost", "Cost"), Column("whole", "Tables read as a whole"))
    section.table("plans", "Plans of the lists", columns, rows, source=source)
    if look.explain:
        _tell_lines(section, look.explain, found[look.explain].splitlines(), source)


def _plan(look: Look, model: type[Model]) -> str:
    request: Any = HttpRequest()
    request.method = "GET"
    request.user = User(role=Role.SUPER_ADMIN, is_superuser=True, is_staff=True, is_active=True)
    changes = admin.site.get_model_admin(model).get_changelist_instance(request)
    return str(changes.queryset.using(look.connection.alias)[: changes.list_per_page].explain())


def _cost(plan: str) -> float | None:
    found = _COST.search(plan)
    return float(found[1]) if found else None


# Both


def _whole_tables(plan: str) -> str:
    known = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    found = {name for pair in _WHOLE_TABLE.findall(plan) for name in pair}
    return ", ".join(sorted(found & known))


def _tell_lines(section: Section, name: str, lines: list[str], source: str) -> None:
    rows = [(line,) for line in lines]
    section.table("lines", f"Plan of {name}", (Column("line", "Line"),), rows, source=source)
