"""Form parts whose relation fields search instead of listing, and name the chosen row without a query."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import NON_FIELD_ERRORS, FieldDoesNotExist, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.forms.fields import InvalidJSONInput
from django.forms.utils import pretty_name
from django.utils.html import format_html
from unfold import widgets
from unfold.forms import PaginationInlineFormSet

from config.moments import validate_year
from config.staff.columns import list_url, tell_reader
from config.staff.fields import deletes_softly, is_key, is_text
from config.staff.names import fetch_names
from config.staff.overwriting import OverwritingRefused

if TYPE_CHECKING:
    from collections.abc import Sequence


_MOST_LEVELS = 50
_TOO_DEEP = f"This is too deeply nested: use at most {_MOST_LEVELS} levels."
_UNSTORABLE_NUMBER = "A number in it is too large, or none at all such as NaN: write one such as 12.5, or a text."
_UNSTORABLE_TEXT = "A text in it holds a NUL character or half a character, which cannot be stored: remove it."
# So many rows of a table within a form can be saved at once; far more take minutes to show.
MOST_INLINE_ROWS = 100
_MOST_PAGE_DIGITS = 6
CHOOSE_AGAIN = "Choose the file again: a page that is shown again keeps none."


class SearchSelect(AutocompleteSelect):
    """A searching select that takes the chosen row's label from `known` where the form has the row already."""

    known: dict[str, str] = {}

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        if len(value) == 1 and value[0] in self.known:
            blank = [] if self.is_required else [self.create_option(name, "", "", False, 0)]
            chosen = self.create_option(name, value[0], self.known[value[0]], True, len(blank))
            return [(None, [*blank, chosen], 0)]
        return super().optgroups(name, _keys(self, value), attr)


class SearchSelectMultiple(AutocompleteSelectMultiple):
    """A searching select of several rows."""

    def optgroups(self, name: str, value: Sequence[str], attr: Any = None) -> Any:
        return super().optgroups(name, _keys(self, value), attr)


def _keys(widget: Any, values: Sequence[str]) -> list[str]:
    """Leave out what no row can have for its key: an address or a form carries anything."""
    key = widget.choices.queryset.model._meta.get_field(_key_name(widget))
    return [value for value in values if is_key(key, value)]


def _key_name(widget: Any) -> str:
    name = getattr(widget.field.remote_field, "field_name", None)
    return str(name or widget.choices.queryset.model._meta.pk.name)


class RowsFormField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # generic in the stubs alone
    """Several rows, chosen by their keys; what no row can have for its key is an error before a database sees it."""

    def _check_values(self, value: Any) -> Any:
        queryset: Any = self.queryset
        key = queryset.model._meta.pk
        for each in value:
            if not is_key(key, each):
                raise ValidationError(self.error_messages["invalid_pk_value"], "invalid_pk_value", {"pk": each})
        return super()._check_values(value)  # type: ignore[misc]  # the stubs leave it out


class _FiniteDecoder(json.JSONDecoder):
    """Reads numbers that JSON and databases have; Python has infinite ones as well. Raises ValueError for others."""

    def __init__(self) -> None:
        super().__init__(parse_float=_finite, parse_constant=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


class JSONFormField(forms.JSONField):
    """JSON that both databases store, of as many levels as a person can follow; far more exhaust who reads it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decoder = self.decoder or _FiniteDecoder

    def to_python(self, value: Any) -> Any:
        try:
            read = super().to_python(value)
        except RecursionError:
            raise ValidationError(_TOO_DEEP) from None
        except ValueError:
            raise ValidationError(_UNSTORABLE_NUMBER) from None
        _refuse_unstorable(read)
        return read

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            read = super().bound_data(data, initial)
            _refuse_unstorable(read)
        except (RecursionError, ValueError, ValidationError):
            return InvalidJSONInput(data)
        return read


def _refuse_unstorable(value: Any) -> None:
    """Raise ValidationError if objects and lists lie too deep within each other, or hold text that is none."""
    level = [value]
    for _ in range(_MOST_LEVELS + 1):
        if not all(is_text(each) for each in level if isinstance(each, str)):
            raise ValidationError(_UNSTORABLE_TEXT)
        objects = [each for each in level if isinstance(each, dict)]
        lists = [each for each in level if isinstance(each, list)]
        if not objects and not lists:
            return
        level = [part for each in objects for part in (*each, *each.values())]
        level += [part for each in lists for part in each]
    raise ValidationError(_TOO_DEEP)


class StaffModelForm(OverwritingRefused, forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """Model form of the staff site. Offers live rows only, and the row that is already chosen though it be deleted."""

    # Why the form's rows were not saved although its fields are in order; set by StaffAdmin.
    refusal = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if not isinstance(field, forms.ModelChoiceField) or field.queryset is None:
                continue
            current = self._chosen(name)
            if deletes_softly(field.queryset.model):
                field.queryset = field.queryset.filter(Q(deleted_at__isnull=True) | Q(pk=current))
            widget = getattr(field.widget, "widget", field.widget)
            if isinstance(widget, SearchSelect):
                widget.known = self._known(name, current)
        _prepare_dates_and_times(self)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.refusal:
            raise ValidationError(self.refusal)
        self.refuse_overwriting()
        return cleaned

    def _update_errors(self, errors: ValidationError) -> None:
        """Say above the form what a rule has against a field that the form does not show."""
        found: dict[str, list[ValidationError]] = {}
        by_field = errors.error_dict if hasattr(errors, "error_dict") else {NON_FIELD_ERRORS: errors.error_list}
        for name, messages in by_field.items():
            found.setdefault(name if name in self.fields else NON_FIELD_ERRORS, []).extend(messages)
        super()._update_errors(ValidationError(found))  # type: ignore[misc]  # the stubs leave it out

    def _post_clean(self) -> None:
        """Check the rules that read fields beyond the form as well: a unique VIN is one among the live rows."""
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out
        form: Any = self
        unseen = {field.name for field in self.instance._meta.concrete_fields} - set(self.fields)
        try:
            self.instance.validate_constraints(exclude=form._get_validation_exclusions() - unseen)
        except ValidationError as error:
            told = {sentence for sentences in self.errors.values() for sentence in sentences}
            self.add_error(None, [sentence for sentence in error.messages if sentence not in told])

    def _chosen(self, name: str) -> Any:
        try:
            field = self.instance._meta.get_field(name)
        except FieldDoesNotExist:
            return None
        return None if field.many_to_many else getattr(self.instance, field.attname)

    def _known(self, name: str, current: Any) -> dict[str, str]:
        field = self.instance._meta.get_field(name)
        if current is None or not field.is_cached(self.instance):
            return {}
        return {str(current): str(getattr(self.instance, name))}


class StaffInlineFormSet(PaginationInlineFormSet):  # type: ignore[misc]  # the theme has no types
    """Inline rows by the page; a first page that holds all rows needs no count."""

    default_error_messages = {
        "too_many_forms": f"Save at most {MOST_INLINE_ROWS} rows of this table at once; the others were left out."
    }
    # Who reads the rows, and on which site; set by the inline.
    reader: tuple[Any, Any] = (None, None)

    def get_page_num(self) -> int:
        key = self.get_pagination_key()
        text = self.request.GET.get(key) or self.request.POST.get(key) or ""
        is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_PAGE_DIGITS
        return max(int(text), 1) if is_number else 1

    def get_page(self, paginator: Any, page: int) -> Any:
        rows = self.queryset if self.queryset.ordered else self.queryset.order_by("pk")
        start = (page - 1) * self.per_page
        found = list(rows[start : start + self.per_page + 1])
        for row in found:
            self.fk.set_cached_value(row, self.instance)
            tell_reader(row, *self.reader)
        fetch_names(found)
        if page == 1 and len(found) <= self.per_page:
            paginator.count = len(found)
        shown = super().get_page(paginator, page)
        shown.object_list = found[: self.per_page]
        return shown

    @property
    def all_rows_url(self) -> str:
        return list_url(self.model, f"{self.fk.name}:is:{self.instance.pk}")


# For a line of text on a form that is not made from a model.
TextInput = widgets.UnfoldAdminTextInputWidget


@dataclass(frozen=True, slots=True)
class LostUpload:
    """A file that came along with a page which was shown again: no page sends it a second time."""


class UploadWidget(widgets.UnfoldAdminImageSmallFieldWidget):  # type: ignore[misc]  # the theme has no types
    """For a file field on a row of an inline. A page that is shown again says so, and tells when it comes back."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        upload = super().value_from_datadict(data, files, name)
        return LostUpload() if upload is None and f"{name}-lost" in data else upload

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        shown: str = super().render(name, value, attrs, renderer)
        if not isinstance(value, UploadedFile | LostUpload):
            return shown
        again = '{}<input type="hidden" name="{}-lost" value="1"><p class="staff-again">{}</p>'
        return format_html(again, shown, name, CHOOSE_AGAIN)


class UploadField(forms.FileField):
    """A file on a row of an inline: one that a page lost is asked for again instead of being forgotten."""

    widget = UploadWidget

    def clean(self, data: Any, initial: Any = None) -> Any:
        if isinstance(data, LostUpload):
            raise ValidationError(CHOOSE_AGAIN)
        return super().clean(data, initial)

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data or initial


_WIDGETS: dict[type[forms.Field], type[forms.Widget]] = {
    forms.IntegerField: widgets.UnfoldAdminIntegerFieldWidget,
    forms.DecimalField: widgets.UnfoldAdminDecimalFieldWidget,
    forms.DateField: widgets.UnfoldAdminSingleDateWidget,
    forms.SplitDateTimeField: widgets.UnfoldAdminSplitDateTimeWidget,
    forms.EmailField: widgets.UnfoldAdminEmailInputWidget,
    forms.BooleanField: widgets.UnfoldBooleanSwitchWidget,
    forms.FileField: widgets.UnfoldAdminFileFieldWidget,
}


def dress(form: forms.BaseForm) -> None:
    """Give the fields of a plain form the widgets of the staff site."""
    for field in form.fields.values():
        if isinstance(field.widget, forms.Textarea):
            field.widget = widgets.UnfoldAdminTextareaWidget()
        elif isinstance(field, forms.ModelChoiceField):
            continue
        elif isinstance(field, forms.ChoiceField):
            field.widget = widgets.UnfoldAdminSelectWidget()
            field.widget.choices = field.choices
        elif type(field) in _WIDGETS:
            field.widget = _WIDGETS[type(field)]()
        elif type(field) is forms.CharField:
            field.widget = widgets.UnfoldAdminTextInputWidget()
        field.widget.is_required = field.required
    _prepare_dates_and_times(form)


def _prepare_dates_and_times(form: forms.BaseForm) -> None:
    """Take years that people mean, and let both inputs of a moment say whose they are: their label is of neither."""
    for name, field in form.fields.items():
        if isinstance(field, forms.DateField | forms.DateTimeField | forms.SplitDateTimeField):
            field.validators.append(validate_year)
        if isinstance(field.widget, forms.SplitDateTimeWidget):
            label = field.label or pretty_name(name)
            for widget, part in zip(field.widget.widgets, ("date", "time"), strict=True):
                widget.attrs["aria-label"] = f"{label}: {part}"
