"""StaffAdmin: what every admin class of Forecourt starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters, ShowFacets
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import DataError, IntegrityError, models, transaction
from django.db.models import ProtectedError, RestrictedError
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.enums import ActionVariant

from config.audit import announce
from config.db.errors import Refused
from config.db.removal import refuse_held
from config.moments import validate_year
from config.staff.actions import CollectsActions, chose_too_many, reason_in_words, refuse_number, service_action
from config.staff.changes import changes_between, inline_changes, snapshot
from config.staff.columns import EMPTY, tell_reader
from config.staff.deletion import Released, consequences_of, in_words, names_of
from config.staff.export import export_view
from config.staff.fields import admin_of, deletes_softly, is_key
from config.staff.filters import DeletedFilter, FieldFilters, chips_of, conditions_of
from config.staff.forms import StaffModelForm
from config.staff.inlines import RelatedListInline
from config.staff.listing import StaffChangeList, misunderstood
from config.staff.names import fetch_names
from config.staff.orders import ordered_by_index
from config.staff.pages import PlainRows
from config.staff.relations import RelationFields
from config.staff.searching import search_rows, ways_of
from config.staff.secrets import is_secret
from config.staff.site import person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest, HttpResponse

_KEPT_BY_THE_PROGRAM = ("public_id", "created_at", "updated_at", "deleted_at")


_SOFT_DELETE_ACTIONS = ("delete_rows", "restore_rows", "delete_for_good")
_TIME = forms.DateTimeField(validators=[validate_year])
# More buttons than this do not fit beside a title; the rest go into a menu.
_MOST_BUTTONS = 4


# What an address may ask of a field besides the filters: never patterns, which can take a database for hours.
_LOOKUPS = {"exact", "in", "isnull", "gt", "gte", "lt", "lte"}


def _delete(*, row: Any, admin: Any, request: HttpRequest) -> None:
    admin.log_deletions(request, [row])
    admin.soft_delete_row(request, row)


def _restore(*, row: Any, admin: Any, request: HttpRequest) -> None:
    admin.restore_row(request, row)


def _purge(*, row: Any, admin: Any, request: HttpRequest) -> None:
    if row.deleted_at is None:
        raise Refused("it is live: delete it first.")
    admin.purge_row(request, row)


def _is_deleted(row: Any) -> bool:
    return getattr(row, "deleted_at", None) is not None


class StaffAdmin(CollectsActions, RelationFields, ModelAdmin):  # type: ignore[misc]  # the theme has no types
    """Model admin with searching relations, row isolation, filters for every field, export, and soft delete.

    What an app adds: `list_display` (with `config.staff.columns`), `search_fields` and `searches_by`, `list_filter` for
    the quick filters, `fieldsets`, `inlines`, and actions assigned in the class body with `service_action`.
    """

    form = StaffModelForm
    actions: Any = ()
    actions_detail: Any = ()
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    # Numbers beside the choices of a filter would each be counted.
    show_facets = ShowFacets.NEVER
    list_filter_submit = True
    list_fullwidth = True
    warn_unsaved_form = True
    # Labels above their fields: beside them, three fields in a row have no room.
    compressed_fields = False
    empty_value_display = EMPTY
    change_list_template = "staff/change_list.html"
    change_form_before_template = "staff/shown_values.html"
    delete_confirmation_template = "staff/delete.html"
    delete_selected_confirmation_template = "staff/delete.html"

    # The ways in which the search box finds rows, each by an index; see `config.staff.searching`. Without any, all rows
    # are looked through for a part of the text.
    searches_by: tuple[Any, ...] = ()
    # A table that stays small, however much is sold: sorted by any of its columns, whether an index has it or not.
    is_small = False
    # Relations that the row's own text reads: fetched wherever rows of this table are searched for or listed.
    search_needs: tuple[str, ...] = ()
    # What becomes of a row that is hidden, and can be restored.
    deletion = "It disappears from lists, and from the marketplace if it is there."
    # What `purge_row` does with rows that protect a row from an ordinary removal.
    purge_releases = Released()
    delete_rows = service_action(
        "Delete",
        _delete,
        argument="row",
        permission="delete",
        done="deleted",
        confirm="Deleted rows disappear from lists, and from the marketplace if they are there. They can be restored.",
        on=("list",),
        icon="delete",
        danger=True,
    )
    restore_rows = service_action(
        "Restore",
        _restore,
        argument="row",
        permission="delete",
        done="restored",
        when=_is_deleted,
        icon="restore_from_trash",
    )
    delete_for_good = service_action(
        "Delete for good",
        _purge,
        argument="row",
        permission="purge",
        done="deleted for good",
        confirm="This cannot be undone.",
        when=_is_deleted,
        icon="delete_forever",
        danger=True,
        takes_along=True,
    )

    def __init__(self, model: Any, admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self.deletes_softly = deletes_softly(model)
        left_out = () if self.deletes_softly else _SOFT_DELETE_ACTIONS
        self.actions = [*(self.actions or ()), *[name for name in self._list_actions if name not in left_out]]
        self.actions_detail = [*self.actions_detail, *[name for name in self._page_actions if name not in left_out]]

    # Rows

    def visible_rows(self, request: HttpRequest) -> Any:
        """Return the rows that the person may see, deleted ones included, without a list's annotations."""
        manager = getattr(self.model, "all_objects", self.model._default_manager)
        return self.scope(request, manager.get_queryset())

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = self.visible_rows(request)
        annotations = {
            name: expression(request, self)
            for column in self._columns(request)
            for name, expression in getattr(column, "annotations", {}).items()
        }
        ordering = self.get_ordering(request)
        rows = rows.annotate(**annotations) if annotations else rows
        return rows.order_by(*ordering) if ordering else rows

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Return the row, fetched once a request together with the rows it points at."""
        known = request.__dict__.setdefault("_staff_objects", {})
        key = (self.model, str(object_id), from_field)
        if key not in known:
            known[key] = self._fetch(request, object_id, from_field)
        return known[key]

    def _fetch(self, request: HttpRequest, object_id: str, from_field: str | None) -> Any:
        field = self.opts.get_field(from_field) if from_field else self.opts.pk
        relations = [each.name for each in self.opts.concrete_fields if each.remote_field is not None]
        needs = [need for column in self._columns(request) for need in getattr(column, "needs", ())]
        rows = self.get_queryset(request).select_related(*relations, *needs, *self.search_needs)
        if not is_key(field, object_id):
            return None
        try:
            row = rows.get(**{field.name: field.to_python(object_id)})
        except self.model.DoesNotExist:
            return None
        tell_reader(row, request, self.admin_site)
        fetch_names([row])
        row._staff_before = snapshot(row)
        return row

    def forget_objects(self, request: HttpRequest) -> None:
        """Read rows anew: a service changed them."""
        request.__dict__.pop("_staff_objects", None)

    def _columns(self, request: HttpRequest) -> list[Any]:
        """Return the columns of the list and the form, names resolved where they are this class's methods."""
        named = [*self.list_display, *self.readonly_fields]
        return [getattr(self, each, each) if isinstance(each, str) else each for each in named]

    # List

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return StaffChangeList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list of the address; where that asks for what cannot be, let the next page say what it was."""
        read = super().get_changelist_instance
        try:
            return read(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup) as error:
            messages.error(request, misunderstood(request, read))
            raise IncorrectLookupParameters(error) from error

    def get_sortable_by(self, request: HttpRequest) -> list[Any]:
        """Return the columns whose order an index knows: sorting by another would read the whole table."""
        return [column for column in super().get_sortable_by(request) if self._can_be_sorted_by(column)]

    def _can_be_sorted_by(self, column: Any) -> bool:
        shown = getattr(self, column, column) if isinstance(column, str) else column
        name = shown if isinstance(shown, str) else getattr(shown, "admin_order_field", None)
        if not isinstance(name, str):
            return False
        default = self.ordering or self.opts.ordering
        return self.is_small or ordered_by_index(self.model, name.lstrip("-"), list(default))

    def rows_found(self, request: HttpRequest, rows: Any, text: str) -> Any:
        """Return those of `rows`, filtered at most, that the search box finds."""
        if self.searches_by:
            ways = ways_of(self.searches_by, self.model, lambda model: self._may_view(request, model))
            return search_rows(ways, text, rows)
        return PlainRows(super().get_search_results(request, rows, text)[0])

    def _may_view(self, request: HttpRequest, model: Any) -> bool:
        related_admin = admin_of(self.admin_site, model)
        return related_admin is not None and bool(related_admin.has_view_permission(request))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        found = self.rows_found(request, queryset, search_term).queryset if search_term else queryset
        return found, False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        deleted = [DeletedFilter] if self.deletes_softly else []
        return [*deleted, *super().get_list_filter(request), FieldFilters]

    def get_list_select_related(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the relations that columns show, those filtered by (for their names), and the declared ones."""
        declared = self.list_select_related
        needed = set(declared) if isinstance(declared, (list, tuple)) else set()
        needed |= {*self.search_needs}
        for column in self.get_list_display(request):
            needed |= set(getattr(column, "needs", ()))
            if isinstance(column, str) and self._is_relation(column):
                needed.add(column)
        for condition in self.conditions(request):
            if condition.field is not None and condition.field.kind == "relation" and condition.operator == "is":
                needed.add(condition.field.path)
        return tuple(sorted(needed))

    def _is_relation(self, name: str) -> bool:
        try:
            field = self.opts.get_field(name)
        except FieldDoesNotExist:
            return False
        return bool(field.concrete and field.remote_field is not None)

    def conditions(self, request: HttpRequest) -> Any:
        """Return the field filters of the request's address, understood once per request."""
        known = request.__dict__.setdefault("_staff_conditions", {})
        key = (self.model, tuple(request.GET.getlist("f")))
        if key not in known:
            known[key] = conditions_of(request, self)
        return known[key]

    def chips(self, changelist: Any) -> list[dict[str, str]]:
        return chips_of(changelist)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Whether an address may ask this: of the row's own columns, or of others where a quick filter names them.

        Rows that point at it, such as leads, may be rows that the person does not see.
        """
        model: Any = self.model
        field: Any = None
        steps = lookup.split("__")
        filters = [each if isinstance(each, str) else each[0] for each in self.list_filter if not callable(each)]
        while steps and model is not None:
            try:
                field = model._meta.pk if steps[0] == "pk" else model._meta.get_field(steps[0])
            except FieldDoesNotExist:
                break
            if not field.concrete and field.name not in filters:
                return False
            if field.concrete and is_secret(field):
                return False
            steps.pop(0)
            model = field.related_model
        is_own = len(steps) <= 1 and (field is None or not steps or self._may_ask(lookup, field, steps[0]))
        return is_own and bool(super().lookup_allowed(lookup, value, request))

    def _may_ask(self, lookup: str, field: Any, last: str) -> bool:
        """Whether `last` may be asked of the field; the end of a filter's own parameter is not asked of it at all."""
        if lookup in {f"{self.date_hierarchy}__{part}" for part in ("year", "month", "day")}:
            return True
        is_known = getattr(field, "get_lookup", None) and (field.get_lookup(last) or field.get_transform(last))
        return last in _LOOKUPS or not is_known

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        export = reverse(f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_export")
        query = request.GET.urlencode()
        context = {"export_url": f"{export}?{query}" if query else export, "list_tools": self.list_tools(request)}
        context |= extra_context or {}
        response: HttpResponse = super().changelist_view(request, context)
        changelist = (getattr(response, "context_data", None) or {}).get("cl")
        if changelist is not None:
            changelist.chips = chips_of(changelist)
            for chip in changelist.chips:
                if chip["problem"]:
                    messages.error(request, f"This filter was not understood, so no rows are shown. {chip['problem']}")
        return response

    def response_action(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        """Run the action on the chosen rows; what is no key of a row chooses none."""
        chosen = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if not all(is_key(self.opts.pk, value) for value in chosen):
            self.message_user(request, "The chosen rows were not understood; nothing was changed.", messages.WARNING)
            return None
        if chose_too_many(request, queryset):
            refuse_number(self, request)
            return None
        response: HttpResponse | None = super().response_action(request, queryset)
        return response

    def list_tools(self, request: HttpRequest) -> list[dict[str, str]]:
        """Return further buttons of the list: title, icon and link of each."""
        return []

    def get_urls(self) -> list[Any]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}"
        own = [path("export/", self.admin_site.admin_view(self.export_view), name=f"{prefix}_export")]
        return [*own, *super().get_urls()]

    def export_view(self, request: HttpRequest) -> Any:
        return export_view(self, request)

    # Form

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Leave out lists of related rows where the row is not there yet."""
        inlines = super().get_inlines(request, obj)
        return [each for each in inlines if obj is not None or not issubclass(each, RelatedListInline)]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may change rows; a deleted one has to be restored first."""
        is_live = not (self.deletes_softly and _is_deleted(obj))
        return is_live and bool(super().has_change_permission(request, obj))

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the address fills in; a time that cannot be read is left out."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        times = {field.name for field in self.opts.concrete_fields if isinstance(field, models.DateTimeField)}
        for name in times & set(initial):
            try:
                initial[name] = _TIME.clean(initial[name])
            except ValidationError:
                del initial[name]
        return initial

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = request.__dict__.get("_staff_refusal", "")
        return type(form.__name__, (form,), {"refusal": refusal}) if refusal else form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Show or save the form; what a service or the database refuses is told above what was typed."""
        show = super().changeform_view
        if request.method != "POST":
            return show(request, object_id, form_url, extra_context)
        try:
            with transaction.atomic():
                self._lock(request, object_id)
                return show(request, object_id, form_url, extra_context)
        except (Refused, ValidationError, IntegrityError, DataError) as error:
            request.__dict__["_staff_refusal"] = reason_in_words(error, self.model)
            self.forget_objects(request)
            return show(request, object_id, form_url, extra_context)

    def _lock(self, request: HttpRequest, object_id: str | None) -> None:
        """Let services wait until the row is saved: the form writes back every column that it read."""
        row = self.get_object(request, unquote(object_id)) if object_id else None
        if row is not None:
            self.model._base_manager.select_for_update(no_key=True).filter(pk=row.pk).first()
            self.forget_objects(request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[Any, ...]:
        readonly = tuple(super().get_readonly_fields(request, obj))
        own = [field.name for field in self.opts.concrete_fields]
        kept = [name for name in _KEPT_BY_THE_PROGRAM if name in own and name not in readonly]
        return (*readonly, *kept, *self.closed_relations(request, readonly))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fieldsets = list(super().get_fieldsets(request, obj))
        own = {field.name for field in self.opts.concrete_fields}
        kept = [name for name in _KEPT_BY_THE_PROGRAM if name in own]
        if getattr(obj, "deleted_at", None) is None and "deleted_at" in kept:
            kept.remove("deleted_at")
        if not self.fieldsets:
            fieldsets = [
                (title, {**options, "fields": [name for name in options["fields"] if self._is_shown(name)]})
                for title, options in fieldsets
            ]
        placed = set(flatten_fieldsets(fieldsets))
        missing = [name for name in kept if name not in placed]
        if obj is None or not missing:
            return fieldsets
        times = tuple(name for name in missing if name.endswith("_at"))
        in_tabs = any("tab" in options.get("classes", ()) for _, options in fieldsets)
        rows = [*[name for name in missing if name not in times], *([times] if times else [])]
        return [*fieldsets, ("Record", {"fields": rows, "classes": ["tab"] if in_tabs else []})]

    def _is_shown(self, name: Any) -> bool:
        """Whether a form made from the model shows the field: no secrets, and what the program keeps comes last."""
        if not isinstance(name, str):
            return True
        try:
            field = self.opts.get_field(name)
        except FieldDoesNotExist:
            return True
        return name not in _KEPT_BY_THE_PROGRAM and not is_secret(field)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> Any:
        row = self.get_object(request, unquote(object_id))
        extra: dict[str, Any] = {}
        if row is not None:
            extra["show_history"] = bool(self.admin_site.history_url(request, row)) or self._has_own_history(row)
        if self.deletes_softly and _is_deleted(row):
            extra["show_delete"] = False
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Lead to what the audit log has of the row, or to Django's own history for those who may not read it."""
        row = self.get_object(request, unquote(object_id))
        may_see = row is not None and self.has_view_or_change_permission(request, row)
        address = self.admin_site.history_url(request, row) if may_see else ""
        return HttpResponseRedirect(address) if address else super().history_view(request, object_id, extra_context)

    def _has_own_history(self, row: Any) -> bool:
        kind = ContentType.objects.get_for_model(self.model)
        return LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).exists()

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the page's buttons: those that the person may use and that the row's state allows."""
        row = self.get_object(request, unquote(str(object_id)))
        if row is None:
            return []
        return [action for action in self._get_base_actions_detail() if self._offers(request, action.method, row)]

    def _offers(self, request: HttpRequest, method: Any, row: Any) -> bool:
        if self.deletes_softly and _is_deleted(row) and method.__name__ not in _SOFT_DELETE_ACTIONS:
            return False
        when: Callable[[Any, Any], bool] | None = getattr(method, "when", None)
        if when is not None and not when(row, person(request)):
            return False
        permissions = getattr(method, "allowed_permissions", ())
        return all(getattr(self, f"has_{permission}_permission")(request, row) for permission in permissions)

    def _get_actions_navigation(self, provided: Any, allowed: Any, object_id: str | None = None) -> list[Any]:
        buttons: list[Any] = super()._get_actions_navigation(provided, allowed, object_id)
        if object_id is None or len(buttons) <= _MOST_BUTTONS:
            return buttons
        # The theme's menus are for the mouse alone; these let the keyboard open them as well.
        attributes = {
            "role": "button",
            "tabindex": "0",
            "x-on:keydown.enter": "actionDropdownOpen = !actionDropdownOpen",
        }
        more = {"title": "More", "variant": ActionVariant.DEFAULT, "method_name": "more", "attrs": attributes}
        return [*buttons[: _MOST_BUTTONS - 1], {**more, "items": buttons[_MOST_BUTTONS - 1 :]}]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        wanted = f"{capfirst(str(opts.verbose_name))} {unquote(object_id)}"
        messages.warning(request, f"{wanted} is not there: perhaps it was deleted, or you may not see it.")
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:index"))

    # Audit

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        row = getattr(form, "instance", None)
        if row is not None:  # the page of a password has another kind of form
            before = {} if add else getattr(row, "_staff_before", {})
            changes = {**changes_between(before, row), **inline_changes(formsets or [])}
            request.__dict__["_staff_changes"] = changes
        return super().construct_change_message(request, form, formsets, add)

    def leave_to_service(self, request: HttpRequest) -> None:
        """Announce nothing about this save: the service that `save_model` called has done so."""
        request.__dict__["_staff_announced"] = True

    def save_one_by_one(self, request: HttpRequest, formset: Any, add: Callable[[Any], object]) -> None:
        """Save rows of an inline, announcing what each said before and says now; `add` is the service for new ones."""
        formset.is_announced = True
        formset.save(commit=False)
        before = {form.instance.pk: form.initial for form in formset.initial_forms}
        for row in formset.new_objects:
            add(row)
        for row, names in formset.changed_objects:
            row.save()
            changes = {name: [before[row.pk].get(name), getattr(row, name)] for name in names}
            announce("update", row, actor=person(request), description=str(row), changes=changes)
        for row in formset.deleted_objects:
            changes = {name: [value, None] for name, value in before[row.pk].items()}
            announce("delete", row, actor=person(request), description=str(row), changes=changes)
            row.delete()

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if not request.__dict__.pop("_staff_announced", False):
            self._announce("create", request, obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        if not request.__dict__.get("_staff_changes"):
            return None
        self._announce("update", request, obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for row in () if self.deletes_softly else queryset:
            announce("delete", row, actor=person(request), description=str(row))
        return super().log_deletions(request, queryset)

    def _announce(self, action: str, request: HttpRequest, row: Any) -> None:
        changes = request.__dict__.pop("_staff_changes", None)
        announce(action, row, actor=person(request), description=str(row), changes=changes)

    # Deletion

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        """Hide one row; an app overrides this to call its service, which then announces it. May raise Refused."""
        row.soft_delete(timezone.now())
        announce("delete", row, actor=person(request), description=str(row))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        """Show one row again; an app overrides this to call its service, which then announces it. May raise Refused."""
        row.restore()
        announce("update", row, event_type="RESTORED", actor=person(request), description=str(row))

    def purge_row(self, request: HttpRequest, row: Any) -> None:
        """Remove a deleted row and what hangs on it; an app overrides this to call its service. May raise Refused."""
        refuse_held(self.model._base_manager.filter(pk=row.pk))
        announce("delete", row, event_type="DELETED_FOR_GOOD", actor=person(request), description=str(row))
        try:
            row.delete()
        except (ProtectedError, RestrictedError) as error:
            raise Refused("other rows need it.") from error

    def has_purge_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may delete for good: superusers who may delete at all."""
        return bool(person(request).is_superuser) and bool(self.has_delete_permission(request, obj))

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if self.deletes_softly:
            actions.pop("delete_selected", None)
        return actions

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        extra = {"deletion": self.deletion if self.deletes_softly else "", **(extra_context or {})}
        try:
            return super().delete_view(request, object_id, extra)
        except (Refused, IntegrityError) as error:
            messages.error(request, f"Not deleted: {reason_in_words(error, self.model)}")
            return HttpResponseRedirect(
                reverse(
                    f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change", args=(object_id,)
                )
            )

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        if self.deletes_softly:
            self.soft_delete_row(request, obj)
        else:
            super().delete_model(request, obj)

    def get_deleted_objects(self, objs: Iterable[Any], request: HttpRequest) -> tuple[Any, Any, Any, Any]:
        """Return names and counts; Django's own would read every row that goes along into memory."""
        rows = list(objs)
        counts = in_words({self.model: len(rows)})
        if self.deletes_softly:
            return names_of(rows), counts, set(), []
        found = consequences_of(rows, request, self.admin_site)
        return names_of(rows), {**counts, **found.deleted}, found.missing_permissions, found.protected


class RecordedAdmin(StaffAdmin):
    """Rows that the program records: to look at, to filter and to export.

    Nobody adds or changes them here; `deletable` lets those delete them who may.
    """

    deletable = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.deletable and bool(super().has_delete_permission(request, obj))
