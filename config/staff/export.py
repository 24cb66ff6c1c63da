"""A filtered list as CSV or JSON, streamed row by row, with the columns that were picked."""

from __future__ import annotations

import csv
import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from config.audit import announce
from config.staff.fields import ReadableField, readable_fields
from config.staff.names import fetch_names
from config.staff.secrets import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

COLUMN, FORMAT = "column", "format"
FORMATS = {"csv": "CSV", "excel": "CSV for Excel", "json": "JSON"}
_CHUNK = 2000
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
# Excel takes the list separator of its country, such as a semicolon, for the end of a cell even within quotes.
_FORMULA_WITHIN = re.compile(r"(?<=[;\t\r\n])(?=[=+\-@])")
_BYTE_ORDER_MARK = "\ufeff"


class _Line:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def export_view(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """Show which columns there are, or stream the rows where `format` says how."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    asked = request.GET.copy()
    chosen, form = asked.pop(COLUMN, []), asked.pop(FORMAT, [""])[-1]
    request.GET = asked  # type: ignore[assignment]  # a request's own is merely an immutable one
    meta = model_admin.opts
    back = reverse(f"{model_admin.admin_site.name}:{meta.app_label}_{meta.model_name}_changelist")
    try:
        changelist = model_admin.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(f"{back}?e=1")
    fields = readable_fields(request, model_admin)
    columns = [fields[key] for key in chosen if key in fields]
    if form in FORMATS and columns:
        return _download(model_admin, request, changelist, columns, form)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Export {meta.verbose_name_plural}",
        "opts": meta,
        "cl_count": changelist.result_count,
        "groups": _groups(fields.values(), {column.key for column in columns}),
        "formats": FORMATS,
        "chosen_format": form if form in FORMATS else "csv",
        "nothing_chosen": form in FORMATS,
        "kept": [(name, value) for name, values in asked.lists() for value in values],
        "chips": model_admin.chips(changelist),
        "back": f"{back}?{asked.urlencode()}",
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "staff/export.html", context)


def _groups(fields: Iterable[ReadableField], chosen: set[str]) -> list[tuple[str, list[tuple[ReadableField, bool]]]]:
    groups: dict[str, list[tuple[ReadableField, bool]]] = {}
    for field in fields:
        ticked = field.key in chosen if chosen else not field.group
        groups.setdefault(field.group, []).append((field, ticked))
    return list(groups.items())


def _download(
    model_admin: Any, request: HttpRequest, changelist: Any, columns: list[ReadableField], form: str
) -> StreamingHttpResponse:
    rows = _rows(changelist.get_queryset(request), columns)
    stream = _json(rows, columns) if form == "json" else _csv(rows, columns, for_excel=form == "excel")
    kind = "application/json" if form == "json" else "text/csv; charset=utf-8"
    name = f"{model_admin.opts.model_name}-{timezone.localtime():%Y%m%d-%H%M}.{'json' if form == 'json' else 'csv'}"
    announce(
        "other",
        event_type="EXPORT_DATA",
        actor=request.user,
        description=f"Exported {changelist.result_count} {model_admin.opts.verbose_name_plural}",
        metadata={
            "model": model_admin.opts.label,
            "format": form,
            "columns": [column.key for column in columns],
            "filters": dict(request.GET.lists()),
            "count": changelist.result_count,
        },
    )
    return StreamingHttpResponse(
        stream,
        content_type=kind,
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _rows(queryset: Any, columns: list[ReadableField]) -> Iterator[list[Any]]:
    relations = {column.path for column in columns if column.kind == "relation"}
    relations |= {column.path.rpartition("__")[0] for column in columns if column.group}
    queryset = queryset.select_related(None)
    if relations:
        queryset = queryset.select_related(*relations)
    waiting = queryset.iterator(chunk_size=_CHUNK)
    while rows := list(islice(waiting, _CHUNK)):
        fetch_names(rows)
        for row in rows:
            yield [_value(row, column) for column in columns]


def _value(row: Any, column: ReadableField) -> Any:
    value = row
    for step in column.key.split("."):
        if step in getattr(value, "secret_fields", ()):
            return HIDDEN
        value = getattr(value, step)
        if value is None:
            return None
    if column.kind == "relation":
        return str(value)
    if column.kind == "text" or column.kind == "other":
        return str(value)
    return value


def _csv(rows: Iterator[list[Any]], columns: list[ReadableField], *, for_excel: bool) -> Iterator[str]:
    writer: Any = csv.writer(_Line(), quoting=csv.QUOTE_ALL if for_excel else csv.QUOTE_MINIMAL)
    cell = _excel_cell if for_excel else _cell
    yield (_BYTE_ORDER_MARK if for_excel else "") + writer.writerow([cell(column.full_label) for column in columns])
    for row in rows:
        yield writer.writerow([cell(value) for value in row])


def _excel_cell(value: Any) -> Any:
    """Return a cell of which no spreadsheet takes the end for a formula either."""
    cell = _cell(value)
    return _FORMULA_WITHIN.sub("'", cell) if isinstance(cell, str) else cell


def _cell(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _json(rows: Iterator[list[Any]], columns: list[ReadableField]) -> Iterator[str]:
    encoder = DjangoJSONEncoder(ensure_ascii=False)
    keys = [column.key for column in columns]
    yield "["
    separator = "\n"
    for row in rows:
        yield separator + encoder.encode(dict(zip(keys, row, strict=True)))
        separator = ",\n"
    yield "\n]\n"
