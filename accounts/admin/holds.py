"""Holding rows that maintenance would archive or anonymize, from their lists and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from accounts.services import lift_hold, place_hold
from config.db.base import Hold
from config.staff.actions import service_action
from config.staff.admin import StaffAdmin
from config.staff.site import person

if TYPE_CHECKING:
    from django.http import HttpRequest


class HoldForm(forms.Form):
    hold = forms.ChoiceField(choices=Hold.choices)
    reason = forms.CharField(max_length=500, help_text="For the audit log, such as the number of the case.")


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500, help_text="For the audit log.")


class HoldsRows(StaffAdmin):
    """Adds holding and letting go; for those who look after others, not for sellers themselves."""

    place_hold = service_action(
        "Hold",
        place_hold,
        argument="row",
        done="held",
        permission="hold",
        form=HoldForm,
        confirm="Maintenance keeps it, however old it is, until the hold is lifted.",
        when=lambda row: not row.hold,
        icon="lock",
    )
    lift_hold = service_action(
        "Lift hold",
        lift_hold,
        argument="row",
        done="no longer held",
        permission="hold",
        form=ReasonForm,
        confirm="Maintenance treats it by its age again, from its next run on.",
        when=lambda row: bool(row.hold),
        icon="lock_open",
    )

    def has_hold_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person may decide what is kept."""
        return bool(person(request).sees_everything) and bool(self.has_change_permission(request, obj))
