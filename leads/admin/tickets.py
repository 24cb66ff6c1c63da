"""The help desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from accounts.search import USERS
from config.db.errors import Refused
from config.staff.actions import service_action
from config.staff.admin import StaffAdmin
from config.staff.columns import badge, link_to
from config.staff.filters import AutocompleteSelectFilter, BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter
from config.staff.inlines import StaffStackedInline
from config.staff.searching import Through, Words
from config.staff.site import person
from leads.models import SupportTicket, TicketComment
from leads.models.tickets import TicketStatus
from leads.search import COMMENTS, TICKETS
from leads.services import assign_ticket, change_ticket_status, comment_ticket

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User


AUTHOR = link_to("author", otherwise="author_label")


def give_to(*, ticket: SupportTicket, assignee: User | None, actor: User) -> SupportTicket:
    if ticket.assignee == assignee:
        raise Refused(f"{ticket} is assigned to {assignee or 'nobody'} already.")
    return assign_ticket(ticket=ticket, assignee=assignee, actor=actor)


class StatusForm(forms.Form):
    status = forms.ChoiceField(choices=TicketStatus.choices)


class CommentInline(StaffStackedInline):
    model = TicketComment
    readonly_fields = (AUTHOR, "created_at")
    fields = ("text", "is_internal", readonly_fields)


@admin.register(SupportTicket)
class SupportTicketAdmin(StaffAdmin):
    list_display = (
        "number",
        "title",
        badge(
            "status",
            {
                "open": "primary",
                "assigned": "info",
                "in_progress": "info",
                "waiting_customer": "warning",
                "waiting_internal": "warning",
                "resolved": "success",
            },
        ),
        badge("priority", {3: "warning", 4: "danger", 5: "danger"}),
        link_to("user"),
        link_to("assignee"),
        "due_at",
        "created_at",
    )
    list_display_links = ("number", "title")
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("priority", ChoicesCheckboxFilter),
        ("type", ChoicesCheckboxFilter),
        ("assignee", AutocompleteSelectFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("number", "title", "user__email")
    searches_by = (Words(TICKETS), Through("user", Words(USERS)))
    date_hierarchy = "created_at"
    readonly_fields = ("number", "status", "assignee", "first_response_at", "resolved_at")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "number",
                    "title",
                    "user",
                    "description",
                    ("type", "priority"),
                    "due_at",
                    ("status", "assignee"),
                    ("first_response_at", "resolved_at"),
                )
            },
        ),
    )
    inlines = (CommentInline,)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the number of a ticket that is not there yet: each form would show another one."""
        (first, *others) = super().get_fieldsets(request, obj)
        if obj is not None:
            return [first, *others]
        title, options = first
        return [(title, {**options, "fields": [name for name in options["fields"] if name != "number"]}), *others]

    assign = service_action(
        "Assign",
        give_to,
        argument="ticket",
        done=lambda given: "assigned" if given["assignee"] else "unassigned",
        ask=("assignee",),
        icon="person_add",
    )
    change_status = service_action(
        "Change status",
        change_ticket_status,
        argument="ticket",
        done="moved on",
        form=StatusForm,
        choice="status",
        icon="trending_up",
    )

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        self.save_one_by_one(
            request,
            formset,
            lambda comment: comment_ticket(
                ticket=form.instance, text=comment.text, is_internal=comment.is_internal, actor=person(request)
            ),
        )


@admin.register(TicketComment)
class TicketCommentAdmin(StaffAdmin):
    list_display = ("text", link_to("ticket"), AUTHOR, "is_internal", "created_at")
    list_filter = (("is_internal", BooleanRadioFilter), ("created_at", RangeDateFilter))
    search_fields = ("text", "ticket__number")
    searches_by = (Words(COMMENTS), Through("ticket", Words(TICKETS)))
    date_hierarchy = "created_at"
    readonly_fields = ("author", "author_label")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is None else (*readonly, "ticket")

    def save_model(self, request: HttpRequest, obj: TicketComment, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        self.leave_to_service(request)
        comment = comment_ticket(ticket=obj.ticket, text=obj.text, is_internal=obj.is_internal, actor=person(request))
        obj.pk = comment.pk
