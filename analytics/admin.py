"""How staff look at traffic, the audit log and the settings."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import BigIntegerField, Case, Exists, OuterRef, Q, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.db.models.lookups import Exact
from django.forms.fields import InvalidJSONInput
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst

from accounts.models.users import Role
from analytics.models import AuditLog, DailyMetric, Event, PageView, SystemSetting, WebVital
from analytics.models.audit import AUDIT_TEXTS
from analytics.models.traffic import EventType
from analytics.setting_keys import SETTINGS
from config.db.search import Searched
from config.staff.admin import RecordedAdmin, StaffAdmin
from config.staff.columns import EMPTY, badge, in_words, link_to, list_url
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter, RangeNumericFilter
from config.staff.forms import StaffModelForm, dress
from config.staff.searching import Beginning, Code, Whole, Words
from config.staff.site import person
from leads.models import Lead, LeadActivity, LeadNote

if TYPE_CHECKING:
    from django.http import HttpRequest


AUDIT_LOG = Searched(AUDIT_TEXTS, AUDIT_TEXTS)


@admin.register(Event)
class EventAdmin(RecordedAdmin):
    list_display = (
        "occurred_at",
        in_words("event_type", description="Type"),
        link_to("car"),
        link_to("part"),
        link_to("seller"),
        link_to("user"),
        "session_id",
        "is_bot",
    )
    list_filter = (("is_bot", BooleanRadioFilter), ("occurred_at", RangeDateFilter))
    search_fields = ("event_type", "session_id")
    searches_by = (Code("event_type"), Whole("session_id"))
    date_hierarchy = "occurred_at"

    def scope(self, request: HttpRequest, queryset: Any) -> Any:
        """Leave out the requests of people whose leads the person may not see."""
        rows, user = super().scope(request, queryset), person(request)
        if user.role != Role.ADMIN:
            return rows
        lead = KeyTextTransform("lead", OuterRef("metadata"))
        leads = _with("public_id", lead, Lead.all_objects.visible_to(user))
        return rows.exclude(Q(Q(event_type=EventType.LEAD_CREATED), ~Exists(leads)))


@admin.register(PageView)
class PageViewAdmin(RecordedAdmin):
    list_display = ("created_at", "path", "load_time_ms", "session_id", "ip_address", "is_bot")
    list_filter = (
        ("is_bot", BooleanRadioFilter),
        ("load_time_ms", RangeNumericFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("path",)
    searches_by = (Beginning("path"),)
    date_hierarchy = "created_at"


@admin.register(WebVital)
class WebVitalAdmin(RecordedAdmin):
    list_display = (
        "created_at",
        "name",
        "value",
        badge("rating", {"good": "success", "needs-improvement": "warning", "poor": "danger"}),
        "path",
    )
    list_filter = (
        ("name", ChoicesCheckboxFilter),
        ("rating", ChoicesCheckboxFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("path",)
    searches_by = (Beginning("path"),)
    date_hierarchy = "created_at"


@admin.register(DailyMetric)
class DailyMetricAdmin(RecordedAdmin):
    list_display = ("day", in_words("metric"), "counted_of", "value", "unique_sessions")
    list_filter = (("day", RangeDateFilter),)
    search_fields = ("metric",)
    searches_by = (Code("metric"),)
    date_hierarchy = "day"
    list_select_related = ("content_type",)

    @admin.display(description="Of")
    def counted_of(self, metric: DailyMetric) -> str:
        """Return the kind of row, or the row as a link."""
        kind = metric.content_type
        if kind is None:
            return EMPTY
        name = capfirst(kind.name)
        if metric.object_id is None:
            return name
        address = reverse(f"admin:{kind.app_label}_{kind.model}_change", args=(metric.object_id,))
        return format_html('<a class="staff-link" href="{}">{} {}</a>', address, name, metric.object_id)


@admin.register(AuditLog)
class AuditLogAdmin(RecordedAdmin):
    list_display = (
        "created_at",
        badge(
            "action",
            {
                "create": "success",
                "update": "info",
                "delete": "danger",
                "login": "primary",
                "logout": "primary",
                "status_change": "warning",
            },
        ),
        in_words("event_type", description="Event"),
        "entity",
        "who",
        "ip_address",
        "success",
    )
    list_display_links = ("created_at",)
    list_filter = (
        ("action", ChoicesCheckboxFilter),
        ("success", BooleanRadioFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("actor_label", "entity_label", "event_type", "entity_id")
    searches_by = (Words(AUDIT_LOG),)
    date_hierarchy = "created_at"
    list_select_related = ("actor",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("created_at", "action", "event_type"),
                    ("actor", "actor_label"),
                    ("entity", "seller"),
                    "description",
                    "changes",
                    "metadata",
                    ("success", "error_message"),
                )
            },
        ),
        ("Request", {"classes": ["tab"], "fields": (("ip_address", "request_id"), "user_agent")}),
    )

    def scope(self, request: HttpRequest, queryset: Any) -> Any:
        """Leave out what happened to leads that the person may not see."""
        user = person(request)
        if user.role != Role.ADMIN:
            return queryset
        leads = _with("public_id", OuterRef("entity_id"), Lead.all_objects.visible_to(user))
        hidden = Q(Q(entity_type="leads.lead"), ~Exists(leads))
        for model in (LeadNote, LeadActivity):
            rows: Any = model.objects
            is_one = Exact(OuterRef("entity_type"), Value(model._meta.label_lower))
            key: Any = Case(When(is_one, then=Cast(OuterRef("entity_id"), BigIntegerField())))
            hidden |= Q(Q(entity_type=model._meta.label_lower), ~Exists(_with("pk", key, rows.visible_to(user))))
        return queryset.exclude(hidden)

    @admin.display(description="Row", ordering="entity_label")
    def entity(self, entry: AuditLog) -> str:
        """Return the row's name, as a link to all that happened to it."""
        if not entry.entity_id:
            return entry.entity_label or "-"
        address = list_url(AuditLog, f"entity_type:exact:{entry.entity_type}", f"entity_id:exact:{entry.entity_id}")
        return format_html('<a class="staff-link" href="{}">{}</a>', address, entry.entity_label or entry.entity_type)

    @admin.display(description="Who", ordering="actor_label")
    def who(self, entry: AuditLog) -> str:
        return entry.actor_label or str(entry.actor or "the program")


def _with(column: str, value: Any, rows: Any) -> Any:
    """Return the row with this value, if it is among `rows`.

    Asked as a range: of an equal value PostgreSQL would first read all that the person may see.
    """
    return rows.filter(**{f"{column}__gte": value, f"{column}__lte": value})


class SystemSettingForm(StaffModelForm):
    """Offers the settings that nobody has changed yet, and their defaults for values.

    Shows of a secret its mask, which changes nothing when it is sent back.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["value"] = self.instance.shown_value
            return
        there = set(SystemSetting.objects.values_list("key", flat=True))
        missing = [(key, f"{key}: {setting.help}") for key, setting in SETTINGS.items() if key not in there]
        self.fields["key"] = forms.ChoiceField(choices=[("", "Select value"), *missing])
        self.fields["value"].required = False
        self.fields["value"].help_text = "Left empty it is the default, to be changed on the next page."
        # Else it would begin as null.
        self.initial["value"] = InvalidJSONInput("")
        dress(self)

    def clean_value(self) -> Any:
        value, key = self.cleaned_data["value"], self.cleaned_data.get("key")
        if self.instance.pk:
            unchanged = self.instance.is_secret and value == self.instance.shown_value
            return self.instance.value if unchanged else value
        return deepcopy(SETTINGS[key].default) if value is None and key in SETTINGS else value


@admin.register(SystemSetting)
class SystemSettingAdmin(StaffAdmin):
    is_small = True
    form = SystemSettingForm
    list_display = ("key", "shown_value", "description", link_to("updated_by"), "updated_at")
    search_fields = ("key", "description")
    list_filter = (("updated_at", RangeDateFilter),)
    fieldsets = ((None, {"fields": ("key", "value", "description", "updated_by")}),)
    readonly_fields = ("updated_by", "description")

    @admin.display(description="Value")
    def shown_value(self, setting: SystemSetting) -> str:
        value = setting.shown_value
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": ("key", "shown_value", "description", "updated_by")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else (*readonly, "key")

    def save_model(self, request: HttpRequest, obj: SystemSetting, form: Any, change: bool) -> None:
        obj.updated_by = person(request)
        obj.description = obj.description or SETTINGS[obj.key].help
        super().save_model(request, obj, form, change)
