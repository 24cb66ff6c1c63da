"""The admin class of people who sign in: Django's own password pages in the staff site's look."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.admin import UserAdmin
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from config.staff.admin import StaffAdmin
from config.staff.forms import StaffModelForm

__all__ = ["StaffPersonAdmin", "UserCreationForm"]


class StaffPersonAdmin(StaffAdmin, UserAdmin):  # type: ignore[misc]  # the theme has no types
    """Admin class of the user model; an app gives it `add_form`, `add_fieldsets` and `fieldsets`."""

    form = StaffModelForm
    change_password_form = AdminPasswordChangeForm
    add_form_template = None
    filter_horizontal: Any = ()
    ordering: Any = None
