"""Filters: any readable field with the operators of its type, kept in the address as ``?f=price:between:1000..5000``.

A condition is ``<field>:<operator>:<value>``; several are joined by "and". The list of fields comes from the model and
from what the person may see, so an address cannot ask about anything else. An address that cannot be understood shows
an empty list and says why: an action on "all rows" must never meet more rows than its author meant.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import connections, models, router
from django.db.models import Q
from django.db.models.functions import Cast
from django.db.models.lookups import IContains
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.text import capfirst
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    BooleanRadioFilter,
    ChoicesCheckboxFilter,
    RadioFilter,
)
from unfold.contrib.filters.admin import RangeDateFilter as ThemeRangeDateFilter
from unfold.contrib.filters.admin import RangeNumericFilter as ThemeRangeNumericFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm
from unfold.utils import parse_date_str

from config.staff.fields import ReadableField, kind_of, readable_fields, visible_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from django.http import HttpRequest

__all__ = [
    "AutocompleteSelectFilter",
    "BooleanRadioFilter",
    "ChoicesCheckboxFilter",
    "DeletedFilter",
    "FieldFilters",
    "RangeDateFilter",
    "RangeNumericFilter",
    "ValuesFilter",
]

PARAMETER = "f"
# So many values fit into a filter.
_MOST_VALUES = 40
_PRESENCE = {"empty": "is empty", "filled": "is not empty"}
OPERATORS: dict[str, dict[str, str]] = {
    "text": {"has": "contains", "is": "equals", "exact": "is exactly", "starts": "starts with", **_PRESENCE},
    "number": {"between": "is between", "is": "equals", **_PRESENCE},
    "date": {"between": "is between", "last": "in the last (days)", **_PRESENCE},
    "datetime": {"between": "is between", "last": "in the last (days)", **_PRESENCE},
    "choice": {"any": "is any of", "none": "is none of", **_PRESENCE},
    "boolean": {"is": "is", **_PRESENCE},
    "relation": {"is": "is", **_PRESENCE},
    "json": {"has": "contains", "key": "has the key", **_PRESENCE},
    "other": _PRESENCE,
}
_TEXT_LOOKUPS = {"has": "icontains", "is": "iexact", "exact": "exact", "starts": "istartswith"}
_TEXT = forms.CharField(max_length=500)
_NUMBER = forms.DecimalField(min_value=-(10**15), max_value=10**15, max_digits=24)
_WHOLE = forms.IntegerField(min_value=-(10**15), max_value=10**15)
_DATE = forms.DateField(input_formats=["%Y-%m-%d"])
_DAYS = forms.IntegerField(min_value=0, max_value=36_500)


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the address; with a `problem` it cannot be applied."""

    raw: str
    field: ReadableField | None = None
    operator: str = ""
    value: str = ""
    query: Q | None = None
    shown: str = ""
    problem: str = ""

    @property
    def operator_label(self) -> str:
        if self.field is None:
            return ""
        if self.operator == "between" and self.shown.startswith(("from", "up to")):
            return "is"
        return OPERATORS[self.field.kind][self.operator].removesuffix(" (days)")


def operators_of(readable: ReadableField) -> dict[str, str]:
    """Return the operators that make sense for the field: whether it is empty can only be asked where it may be."""
    operators = dict(OPERATORS[readable.kind])
    if not _is_text(readable.field):
        # Ids and IP addresses have one spelling only, and no other text can be compared with them.
        operators.pop("exact", None)
    if readable.field.null or _is_text(readable.field) or "." in readable.key:
        return operators
    return {operator: label for operator, label in operators.items() if operator not in _PRESENCE}


def conditions_of(request: HttpRequest, model_admin: Any) -> list[Condition]:
    """Return the conditions of the request's address, each understood or with the reason why not."""
    raw_conditions = [raw for raw in request.GET.getlist(PARAMETER) if raw]
    if not raw_conditions:
        return []
    readable = readable_fields(request, model_admin)
    return [_understand(raw, readable, request, model_admin) for raw in raw_conditions]


def _understand(raw: str, readable: dict[str, ReadableField], request: HttpRequest, model_admin: Any) -> Condition:
    key, _, rest = raw.partition(":")
    operator, _, value = rest.partition(":")
    field = readable.get(key)
    if field is None:
        return Condition(raw, problem=f"There is no field “{key}” that you can filter by.")
    if operator not in operators_of(field):
        return Condition(raw, problem=f"{field.full_label} cannot be filtered by “{operator}”.")
    try:
        query, shown = _build(field, operator, value)
    except ValidationError as error:
        return Condition(raw, problem=f"{field.full_label}: {' '.join(error.messages)}")
    for part, model in _models_on_the_way(field):
        rows = visible_rows(request, model_admin.admin_site, model)
        if rows is not None and rows.query.where:
            query &= Q(**{f"{part}__in": rows}) | Q(**{f"{part}__isnull": True})
    return Condition(raw, field, operator, value, query, shown)


def _models_on_the_way(field: ReadableField) -> Iterator[tuple[str, Any]]:
    root, _, leaf = field.path.partition("__")
    if leaf:
        yield root, field.field.model
    if field.kind == "relation":
        yield field.path, field.field.related_model


def _build(field: ReadableField, operator: str, value: str) -> tuple[Q, str]:
    """Return the condition and its value in words. Raises ValidationError where the value does not fit the field."""
    path = field.path
    if operator in _PRESENCE:
        empty = Q(**{f"{path}__isnull": True})
        if _is_text(field.field):
            empty |= Q(**{path: ""})
        return (empty if operator == "empty" else ~empty), ""
    if field.kind == "text":
        text = _TEXT.clean(value)
        return Q(**{f"{path}__{_TEXT_LOOKUPS[operator]}": text}), f"“{text}”"
    if field.kind == "number":
        return _number(field, operator, value)
    if field.kind in {"date", "datetime"}:
        return _period(field, operator, value)
    if field.kind == "choice":
        return _choice(field, operator, value)
    if field.kind == "boolean":
        if value not in {"yes", "no"}:
            raise ValidationError("write yes or no.")
        return Q(**{path: value == "yes"}), value
    if field.kind == "json":
        return _json(path, operator, _TEXT.clean(value))
    identifier = field.field.target_field.formfield(required=True) or forms.IntegerField(
        min_value=0, max_value=2**63 - 1
    )
    return Q(**{path: identifier.clean(value)}), ""


def _number(field: ReadableField, operator: str, value: str) -> tuple[Q, str]:
    form_field = _WHOLE if isinstance(field.field, models.IntegerField) else _NUMBER
    if operator == "is":
        number = form_field.clean(value)
        return Q(**{field.path: number}), _figure(field, number)
    low, high = (form_field.clean(end) if end else None for end in _ends(value))
    shown = (None if end is None else _figure(field, end) for end in (low, high))
    return _range(field.path, low, high), _range_in_words(*shown)


def _figure(field: ReadableField, number: Decimal | int) -> str:
    if field.field.primary_key or field.field.name == "year":
        return str(number)
    return number_format(number if isinstance(number, int) else number.normalize() + 0, force_grouping=True)


def _period(field: ReadableField, operator: str, value: str) -> tuple[Q, str]:
    today = timezone.localdate()
    first: date | None
    last: date | None
    if operator == "last":
        days = _DAYS.clean(value)
        first, last, shown = today - timedelta(days=days), today, f"{days} days"
    else:
        first, last = (_DATE.clean(end) if end else None for end in _ends(value))
        shown = _range_in_words(*(None if day is None else date_format(day, "DATE_FORMAT") for day in (first, last)))
    return _days(field.path, field.kind, first, last), shown


def _days(path: str, kind: str, first: date | None, last: date | None) -> Q:
    """Return the condition of lying within whole days, in our own time zone; None is an open end."""
    if kind == "date":
        return _range(path, first, last)
    query = Q()
    if first is not None:
        query &= Q(**{f"{path}__gte": _midnight(first)})
    if last is not None and last < date.max:
        query &= Q(**{f"{path}__lt": _midnight(last + timedelta(days=1))})
    return query


def _choice(field: ReadableField, operator: str, value: str) -> tuple[Q, str]:
    labels = {str(code): (code, str(label)) for code, label in field.field.flatchoices}
    chosen = [labels[code] for code in value.split(",") if code in labels]
    if not chosen or len(chosen) != len(value.split(",")):
        raise ValidationError(f"“{value}” is not one of its values.")
    query = Q(**{f"{field.path}__in": [code for code, _ in chosen]})
    if operator == "none":
        query = ~query
    return query, ", ".join(label for _, label in chosen)


def _json(path: str, operator: str, text: str) -> tuple[Q, str]:
    if operator == "key":
        return Q(**{f"{path}__has_key": text}), f"“{text}”"
    # SQLite keeps JSON as it was written, with other letters than ASCII escaped; PostgreSQL keeps the letters.
    as_text = Cast(path, models.TextField())
    return Q(IContains(as_text, text)) | Q(IContains(as_text, json.dumps(text)[1:-1])), f"“{text}”"


def _ends(value: str) -> tuple[str, str]:
    low, separator, high = value.partition("..")
    if not separator or not (low or high):
        raise ValidationError("give a first value, a last one, or both.")
    return low.strip(), high.strip()


def _range(path: str, low: Any, high: Any) -> Q:
    query = Q()
    if low is not None:
        query &= Q(**{f"{path}__gte": low})
    if high is not None:
        query &= Q(**{f"{path}__lte": high})
    return query


def _range_in_words(low: str | None, high: str | None) -> str:
    if low is None:
        return f"up to {high}"
    return f"from {low}" if high is None else f"{low} and {high}"


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _is_text(field: Any) -> bool:
    return isinstance(field, (models.CharField, models.TextField, models.FileField))


class FieldFilters(admin.ListFilter):
    """The builder of conditions at the end of the filter drawer, and what it does to the list."""

    title = "Conditions"
    template = "staff/field_filters.html"
    # The theme loads the scripts that this form names; the builder searches related rows with them.
    form_class = AutocompleteDropdownForm

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        params.pop(PARAMETER, None)
        self.request = request
        self.model_admin = model_admin
        self.conditions: list[Condition] = model_admin.conditions(request)
        self.used_parameters[PARAMETER] = [condition.raw for condition in self.conditions]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [PARAMETER]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        for condition in self.conditions:
            if condition.query is None:
                return queryset.none()
            queryset = queryset.filter(condition.query)
        return queryset

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {
            "catalogue": [
                _for_the_browser(field) for field in readable_fields(self.request, self.model_admin).values()
            ],
            "rows": [
                {
                    "field": condition.field.key,
                    "operator": condition.operator,
                    "value": condition.value,
                    "label": label_of(condition, changelist),
                }
                for condition in self.conditions
                if condition.field is not None
            ],
            "autocomplete": reverse(f"{self.model_admin.admin_site.name}:autocomplete"),
        }


def _for_the_browser(field: ReadableField) -> dict[str, Any]:
    described: dict[str, Any] = {
        "key": field.key,
        "label": field.label,
        "group": field.group,
        "kind": field.kind,
        "operators": list(operators_of(field).items()),
    }
    if field.kind == "choice":
        described["choices"] = [[str(code), str(label)] for code, label in field.field.flatchoices]
    if field.kind == "relation":
        meta = field.field.model._meta
        described["source"] = [meta.app_label, meta.model_name, field.field.name]
    return described


def label_of(condition: Condition, changelist: Any) -> str:
    """Return a condition's value in words; a related row is named from the rows shown, or else read once."""
    known: dict[str, str] = changelist.__dict__.setdefault("condition_labels", {})
    if condition.raw not in known:
        known[condition.raw] = _label(condition, changelist)
    return known[condition.raw]


def _label(condition: Condition, changelist: Any) -> str:
    if condition.field is None or condition.field.kind != "relation" or condition.operator != "is":
        return condition.shown
    for row in list(changelist.result_list)[:1]:
        return str(reduce(getattr, condition.field.key.split("."), row))
    rows = visible_rows(changelist.request, changelist.model_admin.admin_site, condition.field.field.related_model)
    found = None if rows is None else rows.filter(pk=condition.value).first()
    return str(found) if found else "a row that you cannot see"


def chips_of(changelist: Any) -> list[dict[str, str]]:
    """Return the conditions in words, each with the address of the list without it."""
    conditions = changelist.model_admin.conditions(changelist.request)
    chips = []
    for position, condition in enumerate(conditions):
        others = [other.raw for index, other in enumerate(conditions) if index != position]
        chips.append(
            {
                "field": condition.field.full_label if condition.field else "",
                "operator": condition.operator_label,
                "value": label_of(condition, changelist),
                "problem": condition.problem,
                "without": changelist.get_query_string({PARAMETER: others or None}),
            }
        )
    return chips


class _NamedEnds:
    """Mixin of filters from one value to another: both inputs say what they are of, which the theme leaves out."""

    title: Any
    parameter_name: Any

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        for choice in super().choices(changelist):  # type: ignore[misc]  # the mixin stands before a filter
            for end in ("from", "to"):
                widget = choice["form"].fields[f"{self.parameter_name}_{end}"].widget
                widget.attrs["aria-label"] = f"{capfirst(self.title)} {end}"
            yield choice


class RangeDateFilter(_NamedEnds, ThemeRangeDateFilter):  # type: ignore[misc]  # the theme has no types
    """From one day to another, both of them whole."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        typed = [self.used_parameters.get(f"{self.parameter_name}_{end}") for end in ("from", "to")]
        days = [parse_date_str(each) if each else None for each in typed]
        if any(each and day is None for each, day in zip(typed, days, strict=True)):
            return queryset.none()
        return queryset.filter(_days(self.parameter_name, kind_of(self.field), *days))


class RangeNumericFilter(_NamedEnds, ThemeRangeNumericFilter):  # type: ignore[misc]  # the theme has no types
    """From one number to another."""

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        found = super().queryset(request, queryset)
        return queryset.none() if found is None else found


class ValuesFilter(ChoicesCheckboxFilter):  # type: ignore[misc]  # the theme has no types
    """The values that a column has, which need no table of their own: found by its index, one after the other."""

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.model = model

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {
            "form": self.form_class(
                label=f" By {self.title} ",
                name=self.lookup_kwarg,
                choices=[(value, value) for value in values_of(self.model, self.field.name)],
                data={self.lookup_kwarg: self.value()},
            )
        }


def values_of(model: Any, name: str) -> list[str]:
    """Return the first values of a column that leads an index, other than nothing, with one query."""
    connection = connections[router.db_for_read(model)]
    table, column = (
        connection.ops.quote_name(each) for each in (model._meta.db_table, model._meta.get_field(name).column)
    )
    sql = f"""
        WITH RECURSIVE found (value, number) AS (
            SELECT MIN({column}), 1 FROM {table} WHERE {column} > ''
            UNION ALL
            SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value), number + 1
              FROM found WHERE value IS NOT NULL AND number < {_MOST_VALUES}
        )
        SELECT value FROM found WHERE value IS NOT NULL
    """  # noqa: S608  # names of a model
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [value for (value,) in cursor.fetchall()]


class DeletedFilter(RadioFilter):  # type: ignore[misc]  # the theme has no types
    """Live, deleted or all rows of a table with soft delete; lists open on the live ones."""

    title = "state of the record"
    parameter_name = "deleted"
    all_option: ClassVar[list[str]] = ["", "Live"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("only", "Deleted"), ("all", "Live and deleted")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() == "all":
            return queryset
        return queryset.filter(deleted_at__isnull=self.value() != "only")
