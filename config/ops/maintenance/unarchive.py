"""Bringing rows back out of an archive, with their keys: all of them or, where one cannot come, none."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, router, transaction
from django.db.models import NOT_PROVIDED, SET_NULL, ForeignKey

from config.db import bulk
from config.db.errors import Refused
from config.ops.maintenance.archives import MANIFEST, Archive, TableFile, checked_lines, model_of, read_archive

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from django.db.models import Field, Model

BATCH_ROWS = 1000
MOST_PROBLEMS = 20

Row = dict[str, Any]


@dataclass(slots=True)
class Returned:
    """What came back of one table: rows written, rows that were there, and links emptied because their row is gone."""

    table: str
    written: int = 0
    there: int = 0
    emptied: Counter[str] = field(default_factory=Counter)


def find_archive(path: Path) -> tuple[Archive, tuple[TableFile, ...]]:
    """Return the archive that a folder, a manifest or the file of one table belongs to, and which tables are meant."""
    if path.is_dir() or path.name == MANIFEST:
        archive = read_archive(path if path.is_dir() else path.parent)
        return archive, archive.manifest.tables
    if not path.exists():
        raise Refused(f"{path} is not there: give the folder of an archive, or a file in it.")
    archive = read_archive(path.parent)
    tables = tuple(table for table in archive.manifest.tables if table.file == path.name)
    if not tables:
        raise Refused(f"{path} is not in the manifest beside it: give the folder of an archive, or a file in it.")
    return archive, tables


def unarchive(
    path: Path, *, returned: Mapping[str, Callable[[list[int]], None]], dry_run: bool = False
) -> list[Returned]:
    """Write the rows of an archive that are not in the database, in one transaction; return what came of each table.

    `path` is the archive's folder, or the file of one table. `returned` has by step what is to be called with the keys
    of rows that came back into its first table. Links that the database would have emptied when their row went are
    empty. Raises Refused, with the names of the rows, where another link leads nowhere or a rule of the database
    forbids a row; then nothing was written.
    """
    archive, tables = find_archive(path)
    problems: list[str] = []
    results = []
    try:
        with transaction.atomic():
            for table in tables:
                is_first = table is archive.manifest.tables[0]
                after = returned.get(archive.manifest.step) if is_first else None
                results.append(_bring_back(archive, table, problems, after))
            if problems:
                raise Refused(_refusal(archive, problems))
            if dry_run:
                transaction.set_rollback(True)
    except IntegrityError as error:
        raise Refused(f"{archive.folder}: nothing was written: {' '.join(str(error).split())}") from error
    return results


def _refusal(archive: Archive, problems: list[str]) -> str:
    more = len(problems) - MOST_PROBLEMS
    shown = "; ".join(problems[:MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
    return f"{archive.folder}: nothing was written, because rows refer to what is gone: {shown}. Bring that back first."


def _bring_back(
    archive: Archive, table: TableFile, problems: list[str], after: Callable[[list[int]], None] | None
) -> Returned:
    model = model_of(table)
    fields = _fields(model, table)
    using = router.db_for_write(model)
    result = Returned(table.table)
    lines = checked_lines(archive.path(table), table)
    while lines_of_batch := list(islice(lines, BATCH_ROWS)):
        rows = [json.loads(line) for line in lines_of_batch]
        there = set(model._base_manager.filter(pk__in=[row["id"] for row in rows]).values_list("pk", flat=True))
        missing = [row for row in rows if row["id"] not in there]
        result.there += len(rows) - len(missing)
        _mend_links(model, missing, fields, result, problems)
        if problems:
            # Only looking on: the transaction will be undone.
            continue
        cells = ([each.to_python(row[each.attname]) for each in fields] for row in missing)
        result.written += bulk.load(model, [each.attname for each in fields], cells, using=using)
        if after and missing:
            after([row["id"] for row in missing])
    if result.written:
        bulk.advance_keys(model, using=using)
    return result


def _fields(model: type[Model], table: TableFile) -> list[Field[Any, Any]]:
    """Return the model's fields in the order of the file. Raises Refused where they do not fit each other."""
    by_name = {each.attname: each for each in model._meta.concrete_fields}
    unknown = [name for name in table.columns if name not in by_name]
    absent = [name for name, each in by_name.items() if name not in table.columns and not _fills_itself(each)]
    if unknown or absent:
        words = [f"has {', '.join(unknown)}"] if unknown else []
        words += [f"lacks {', '.join(absent)}"] if absent else []
        raise Refused(
            f"{table.file} {' and '.join(words)}, unlike {table.table} now: bring it back with the version of the "
            "manifest, then migrate."
        )
    return [by_name[name] for name in table.columns]


def _fills_itself(each: Field[Any, Any]) -> bool:
    return each.null or each.db_default is not NOT_PROVIDED


def _mend_links(
    model: type[Model], rows: list[Row], fields: list[Field[Any, Any]], result: Returned, problems: list[str]
) -> None:
    for link in fields:
        if not isinstance(link, ForeignKey):
            continue
        wanted = {row[link.attname] for row in rows} - {None}
        target: Any = link.remote_field.model
        found = target._base_manager.filter(**{f"{link.target_field.attname}__in": wanted})
        gone = wanted - set(found.values_list(link.target_field.attname, flat=True))
        for row in rows if gone else ():
            if row[link.attname] not in gone:
                continue
            name = f"{target._meta.db_table} {row[link.attname]}"
            if link.null and link.remote_field.on_delete is SET_NULL:
                result.emptied[link.attname] += 1
                row[link.attname] = None
            else:
                problems.append(f"{model._meta.db_table} {row['id']} needs {name} ({link.name})")
