"""Leads, with their notes and their timeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db import connections
from django.utils.html import format_html, format_html_join

from accounts.models.users import Role
from config.db.errors import Refused
from config.db.estimates import expected_rows
from config.staff.actions import service_action
from config.staff.admin import RecordedAdmin, StaffAdmin
from config.staff.columns import EMPTY, badge, change_url, computed_once, link_to
from config.staff.filters import AutocompleteSelectFilter, ChoicesCheckboxFilter, RangeDateFilter, RangeNumericFilter
from config.staff.inlines import RelatedListInline, StaffStackedInline
from config.staff.searching import Names, Through, Words
from config.staff.site import person
from leads.models import Lead, LeadActivity, LeadNote
from leads.models.leads import MANUAL_ACTIVITIES, LeadPriority, LeadStatus
from leads.queries import earlier_leads_of
from leads.scoring import current_rules, quality_label
from leads.search import LEADS, NOTES
from leads.services import (
    add_lead_note,
    assign_lead,
    change_lead_priority,
    change_lead_status,
    create_lead,
    delete_lead,
    record_lead_activity,
    rescore_lead,
    restore_lead,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User

LEAD_COLOURS = {
    LeadStatus.NEW: "primary",
    LeadStatus.CONTACTED: "info",
    LeadStatus.QUALIFIED: "info",
    LeadStatus.NEGOTIATING: "warning",
    LeadStatus.CONVERTED: "success",
    LeadStatus.SPAM: "danger",
}
ACTOR = link_to("actor", otherwise="actor_label")
# So many are looked up one by one within some tens of milliseconds; rows of more are not far apart in any order.
FEW_LEADS = 10_000
PRIORITY_COLOURS = {LeadPriority.URGENT: "danger", LeadPriority.HIGH: "warning", LeadPriority.MEDIUM: "info"}


def give_to(*, lead: Lead, assigned_to: User | None, actor: User) -> Lead:
    if lead.assigned_to == assigned_to:
        raise Refused(f"{lead} is assigned to {assigned_to or 'nobody'} already.")
    return assign_lead(lead=lead, assignee=assigned_to, actor=actor)


def give_priority(*, lead: Lead, priority: str, actor: User) -> Lead:
    return change_lead_priority(lead=lead, priority=LeadPriority(int(priority)), actor=actor)


# What staff type in when a request reached them by telephone or in person.
CREATION_FIELDS = ("name", "email", "phone", "message", "source", "car", "part", "seller", "user")


class StatusForm(forms.Form):
    status = forms.ChoiceField(choices=LeadStatus.choices)


class PriorityForm(forms.Form):
    priority = forms.ChoiceField(choices=LeadPriority.choices)


class ActivityForm(forms.Form):
    type = forms.ChoiceField(choices=[(each.value, each.label) for each in MANUAL_ACTIVITIES], label="What you did")
    description = forms.CharField(widget=forms.Textarea, required=False, max_length=1000)


class NoteForm(forms.Form):
    text = forms.CharField(widget=forms.Textarea, max_length=2000, label="Note")


class NoteInline(StaffStackedInline):
    model = LeadNote
    fields = ("text", ("author_label", "created_at"))
    readonly_fields = ("author_label", "created_at")


class TimelineInline(RelatedListInline):
    model = LeadActivity
    fields = ("description", ACTOR, "created_at")
    verbose_name_plural = "timeline"

    @admin.display(description="What")
    def record(self, row: LeadActivity) -> str:
        address = change_url(row, row)
        words = row.get_type_display()
        return format_html('<a class="staff-link" href="{}">{}</a>', address, words) if address else words


@admin.register(Lead)
class LeadAdmin(StaffAdmin):
    list_display = (
        "name",
        "subject_label",
        badge("status", LEAD_COLOURS),
        badge("priority", PRIORITY_COLOURS),
        "score",
        link_to("assigned_to"),
        "email",
        "created_at",
    )
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("priority", ChoicesCheckboxFilter),
        ("assigned_to", AutocompleteSelectFilter),
        ("score", RangeNumericFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("name", "email", "message")
    searches_by = (Words(LEADS),)
    date_hierarchy = "created_at"
    readonly_fields = (
        "status",
        "priority",
        "score",
        "quality",
        "reasons",
        "assigned_to",
        "subject_label",
        "earlier_leads",
        "responded_at",
        "closed_at",
        "ip_address",
        "user_agent",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "email", "phone"),
                    "message",
                    ("status", "priority", "assigned_to"),
                    ("responded_at", "closed_at"),
                    "earlier_leads",
                )
            },
        ),
        (
            "About",
            {"classes": ["tab"], "fields": ("subject_label", ("car", "part"), ("seller", "user"))},
        ),
        (
            "Origin",
            {"classes": ["tab"], "fields": ("source", ("score", "quality"), "reasons", "ip_address", "user_agent")},
        ),
    )
    inlines = (NoteInline, TimelineInline)

    assign = service_action(
        "Assign",
        give_to,
        argument="lead",
        done=lambda given: "assigned" if given["assigned_to"] else "unassigned",
        ask=("assigned_to",),
        icon="person_add",
    )
    change_status = service_action(
        "Change status",
        change_lead_status,
        argument="lead",
        done="moved on",
        form=StatusForm,
        choice="status",
        icon="trending_up",
    )
    set_priority = service_action(
        "Set priority",
        give_priority,
        argument="lead",
        done="given the priority",
        form=PriorityForm,
        choice="priority",
        icon="flag",
    )
    add_note = service_action("Add note", add_lead_note, argument="lead", done="noted", form=NoteForm, icon="note_add")
    record_activity = service_action(
        "Record activity", record_lead_activity, argument="lead", done="recorded", form=ActivityForm, icon="event_note"
    )
    rescore = service_action("Score again", rescore_lead, argument="lead", done="scored again", icon="calculate")

    @admin.display(description="Quality")
    def quality(self, lead: Lead) -> str:
        # Without factors nothing was scored.
        return quality_label(lead.score, current_rules()) if lead.score_factors else EMPTY

    @admin.display(description="Why this score")
    def reasons(self, lead: Lead) -> str:
        points = [(factor.replace("_", " "), value) for factor, value in (lead.score_factors or {}).items()]
        return format_html_join("", "<div>{}: +{}</div>", points) or EMPTY

    @admin.display(description="Earlier leads of the same person")
    @computed_once
    def earlier_leads(self, lead: Lead) -> str:
        request = getattr(lead, "_staff_request", None)
        if request is None or lead.pk is None:
            return EMPTY
        earlier = earlier_leads_of(lead, user=person(request))
        links = [(change_url(lead, each), each, each.get_status_display()) for each in earlier]
        return format_html_join("", '<div><a class="staff-link" href="{}">{}</a> ({})</div>', links) or EMPTY

    def save_model(self, request: HttpRequest, obj: Lead, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = create_lead(
            **{name: form.cleaned_data[name] for name in form.cleaned_data if name in CREATION_FIELDS},
            actor=person(request),
        )
        self.leave_to_service(request)
        obj.pk, obj.public_id = made.pk, made.public_id
        obj.refresh_from_db()

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        if formset.model is not LeadNote:
            super().save_formset(request, form, formset, change)
            return
        lead, actor = form.instance, person(request)
        self.save_one_by_one(request, formset, lambda note: add_lead_note(lead=lead, text=note.text, actor=actor))

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_lead(lead=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_lead(lead=row, actor=person(request))


class OfLeadAdmin(StaffAdmin):
    """What belongs to leads: of an administrator's it is found from the leads on, if these are few."""

    def scope(self, request: HttpRequest, queryset: Any) -> Any:
        user = person(request)
        # A search has other beginnings.
        if user.role != Role.ADMIN or request.GET.get(SEARCH_VAR):
            return super().scope(request, queryset)
        leads = Lead.all_objects.visible_to(user)
        known = request.__dict__
        if "_leads_are_few" not in known:
            is_known = connections[leads.db].vendor == "postgresql"
            known["_leads_are_few"] = is_known and expected_rows(leads) <= FEW_LEADS
        return queryset.of_leads(leads) if known["_leads_are_few"] else super().scope(request, queryset)


@admin.register(LeadNote)
class LeadNoteAdmin(OfLeadAdmin):
    list_display = ("text", link_to("lead"), "author_label", "created_at")
    list_filter = (("created_at", RangeDateFilter),)
    search_fields = ("text", "author_label", "lead__name")
    searches_by = (Words(NOTES), Through("lead", Names(LEADS)))
    date_hierarchy = "created_at"
    readonly_fields = ("author_label", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else (*readonly, "lead")

    def save_model(self, request: HttpRequest, obj: LeadNote, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.leave_to_service(request)
        note = add_lead_note(lead=obj.lead, text=obj.text, actor=person(request))
        obj.pk = note.pk


@admin.register(LeadActivity)
class LeadActivityAdmin(OfLeadAdmin, RecordedAdmin):
    list_display = (
        "created_at",
        badge(
            "type",
            {"CREATED": "primary", "STATUS_CHANGED": "warning", "ASSIGNED": "info", "TEST_DRIVE": "success"},
        ),
        link_to("lead"),
        "description",
        ACTOR,
    )
    list_filter = (("type", ChoicesCheckboxFilter), ("created_at", RangeDateFilter))
    search_fields = ("lead__name", "lead__email")
    searches_by = (Through("lead", Names(LEADS)),)
    date_hierarchy = "created_at"
    readonly_fields = (ACTOR, "created_at")
    fieldsets = ((None, {"fields": (("lead", "type"), "description", readonly_fields, "metadata")}),)
