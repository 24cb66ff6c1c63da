"""Columns for `list_display` and `readonly_fields`.

A column says what it needs: `needs` names the relations to fetch with the rows, `annotations` maps a name to a function
of (request, admin) that returns an expression. StaffAdmin fetches both with the list, so a column costs no query.
"""

from __future__ import annotations

from decimal import Decimal
from functools import wraps
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.admin.utils import quote
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import IntegerField, OuterRef, Subquery
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.text import capfirst
from unfold import forms as theme_forms
from unfold.fields import UnfoldAdminReadonlyField

from config.staff.fields import admin_of, deletes_softly, visible_rows

if TYPE_CHECKING:
    from collections.abc import Callable

# Currencies whose amounts are written without decimals (ISO 4217).
ZERO_DECIMAL = frozenset(
    {
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    }
)
EMPTY = "-"
# What a column counts of the rows that point at one.
_MOST_COUNTED = 1_000


class _Colours(dict[Any, str]):
    """Colours by code; a code without one is grey."""

    def __missing__(self, code: Any) -> str:
        return ""

    def __bool__(self) -> bool:
        # The theme takes an empty one for "no label".
        return True


def badge(field: str, colours: dict[Any, str], *, description: str | None = None) -> Callable[[Any], Any]:
    """Show a choice as a coloured label: `colours` maps a code to success, info, warning, danger or primary."""

    def show(row: Any) -> tuple[Any, str] | None:
        value = getattr(row, field)
        if value in {"", None}:
            return None
        return value, str(dict(row._meta.get_field(field).flatchoices).get(value, value))

    column = _column(show, field, description=description or _words(field), ordering=field)
    column.label = _Colours(colours)  # type: ignore[attr-defined]  # read by the theme's table
    return column


def money(field: str, currency: str = "currency", *, description: str | None = None) -> Callable[[Any], Any]:
    """Show an amount with its currency; `currency` names the field that holds the code."""

    def show(row: Any) -> str:
        return format_money(getattr(row, field), getattr(row, currency))

    return _column(show, field, description=description or _words(field), ordering=field)


def in_words(field: str, *, description: str | None = None) -> Callable[[Any], Any]:
    """Show a code of the program, such as PART_VIEW, in words: ``Part view``."""

    def show(row: Any) -> str:
        return str(getattr(row, field)).replace("_", " ").capitalize() or EMPTY

    return _column(show, field, description=description or _words(field), ordering=field)


def figure(field: str, *, description: str | None = None) -> Callable[[Any], Any]:
    """Show a number with its thousands apart, such as ``328,000``."""

    def show(row: Any) -> str:
        number = getattr(row, field)
        return EMPTY if number is None else number_format(number, force_grouping=True)

    return _column(show, field, description=description or _words(field), ordering=field)


def format_money(amount: Decimal | None, currency: str) -> str:
    """Return an amount as people read it, such as ``12,500.00 EUR`` or ``1,200 JPY``."""
    if amount is None:
        return EMPTY
    places = 0 if currency in ZERO_DECIMAL else 2
    return f"{number_format(amount, places, force_grouping=True)} {currency}"


def thumbnail(url: str, *, description: str = "Picture", needs: tuple[str, ...] = ()) -> Callable[[Any], Any]:
    """Show a picture: `url` names a field, or an annotation, with an address; other servers' pictures become links."""

    def show(row: Any) -> str:
        return picture(str(getattr(row, url) or ""))

    return _column(show, f"{url}_thumbnail", description=description, needs=needs)


def picture(address: str) -> str:
    """Return an image where it comes from our own server, and else a link: pages load nothing from elsewhere."""
    if not address:
        return EMPTY
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        if parts.scheme not in {"http", "https"}:
            return EMPTY
        link = '<a class="staff-link" href="{}" target="_blank" rel="noopener noreferrer">{} ↗</a>'
        return format_html(link, address, parts.netloc)
    source = address if address.startswith("/") else f"{settings.MEDIA_URL}{address}"
    return format_html('<img class="staff-thumbnail" src="{}" alt="" loading="lazy">', source)


def link_to(
    relation: str,
    *,
    description: str | None = None,
    ordering: str | None = None,
    otherwise: str = "",
    needs: tuple[str, ...] = (),
) -> Callable[[Any], Any]:
    """Show a related row as a link to its page, or as text where the person may not open it.

    `otherwise` names a field with the name as text, shown where the related row is gone. `needs` names what the related
    row's own text reads, `ordering` a column that the list is sorted by.
    """

    def show(row: Any) -> str:
        try:
            related = row
            for step in relation.split("__"):
                related = getattr(related, step)
                if related is None:
                    return (getattr(row, otherwise) if otherwise else "") or EMPTY
        except ObjectDoesNotExist:
            return EMPTY
        return _link(change_url(row, related), related)

    name = f"{relation}_link"
    return _column(
        show,
        name,
        description=description or _words(relation),
        ordering=ordering,
        needs=(relation, *needs),
    )


def _link(address: str, row: Any) -> str:
    return format_html('<a class="staff-link" href="{}">{}</a>', address, row) if address else str(row)


def change_url(row: Any, related: Any) -> str:
    """Return the address of `related`'s page, or nothing where the person reading `row` may not open it."""
    site, request = getattr(row, "_staff_site", None), getattr(row, "_staff_request", None)
    if site is not None:
        related_admin = admin_of(site, type(related))
        if related_admin is None or not related_admin.has_view_permission(request):
            return ""
    meta = related._meta
    try:
        return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=(quote(related.pk),))
    except NoReverseMatch:
        return ""


class ReadonlyField(UnfoldAdminReadonlyField):  # type: ignore[misc]  # the theme has no types
    """A value that is only shown: a related row as a link to its page, or as text where the person may not open it."""

    def get_admin_url(self, remote_field: Any, remote_obj: Any) -> str:
        return _link(change_url(self.form.instance, remote_obj), remote_obj)


# The theme makes the fields of its forms by this name and asks nobody which.
theme_forms.UnfoldAdminReadonlyField = ReadonlyField


def tell_reader(row: Any, request: Any, site: Any) -> None:
    """Tell `row` who reads it, so that its columns link only where the person may go."""
    row._staff_request, row._staff_site = request, site


class CountUpTo(Subquery):
    """The number of rows of a queryset that is sliced."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()


def related_count(relation: str, label: str) -> Callable[[Any], Any]:
    """Show how many rows point at this one, as a link to them; `relation` is the name of the reverse relation.

    Counts what the person may see, deleted rows left out, in the list's own query, and no further than people read.
    """
    name = f"staff_{relation}_count"

    def show(row: Any) -> str:
        count = getattr(row, name, None)
        field = row._meta.get_field(relation).field
        site, request = getattr(row, "_staff_site", None), getattr(row, "_staff_request", None)
        if count is None:
            return EMPTY
        shown = f"{_MOST_COUNTED:,}+" if count > _MOST_COUNTED else f"{count:,}"
        if request is None or site is None or visible_rows(request, site, field.model) is None:
            return shown
        address = list_url(field.model, f"{field.name}:is:{row.pk}")
        return format_html('<a class="staff-count" href="{}" aria-label="{} {}">{}</a>', address, shown, label, shown)

    def expression(request: Any, admin: Any) -> Any:
        field = admin.model._meta.get_field(relation).field
        rows = visible_rows(request, admin.admin_site, field.model)
        if rows is None:
            rows = field.model._default_manager.all()
        elif deletes_softly(field.model):
            rows = rows.filter(deleted_at__isnull=True)
        return CountUpTo(rows.filter(**{field.name: OuterRef("pk")}).order_by().values("pk")[: _MOST_COUNTED + 1])

    return _column(show, name, description=label, annotations={name: expression})


def computed_once(show: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Let an admin class's column cost its queries once per row: the theme's templates ask for it several times."""
    known = f"_staff_{show.__name__}"

    @wraps(show)
    def once(model_admin: Any, row: Any) -> Any:
        if known not in row.__dict__:
            row.__dict__[known] = show(model_admin, row)
        return row.__dict__[known]

    return once


def list_url(model: Any, *conditions: str) -> str:
    """Return the address of `model`'s list, filtered by conditions such as ``seller:is:5``."""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode([('f', condition) for condition in conditions])}" if conditions else address


def _column(
    show: Callable[[Any], Any],
    name: str,
    *,
    description: str,
    ordering: str | None = None,
    needs: tuple[str, ...] = (),
    annotations: dict[str, Callable[[Any, Any], Any]] | None = None,
) -> Callable[[Any], Any]:
    column: Any = show
    column.__name__ = name
    column.short_description = capfirst(description)
    column.needs = needs
    column.annotations = annotations or {}
    if ordering is not None:
        column.admin_order_field = ordering
    return show


def _words(field: str) -> str:
    return field.replace("__", " ").replace("_", " ")
