"""The admin class of people who sign in: Django's own password pages in the staff site's look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.admin import UserAdmin
from django.http import HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.forms import AdminPasswordChangeForm, UserCreationForm

from config.audit import announce
from config.staff.admin import StaffAdmin
from config.staff.forms import StaffModelForm
from config.staff.site import person

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

__all__ = ["StaffPersonAdmin", "UserCreationForm"]


class StaffPersonAdmin(StaffAdmin, UserAdmin):  # type: ignore[misc,type-arg]  # the theme has no types
    """Admin class of the user model; an app gives it `add_form`, `add_fieldsets` and `fieldsets`."""

    form = StaffModelForm
    change_password_form = AdminPasswordChangeForm
    add_form_template = None
    filter_horizontal: Any = ()  # type: ignore[misc]  # a class attribute there as well
    ordering: Any = None  # type: ignore[misc]  # a class attribute there as well

    actions_detail = ("set_password",)

    @action(description="Set password", permissions=("change",), icon="password")  # type: ignore[untyped-decorator]
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to the page on which a person gets a password."""
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:auth_user_password_change", args=(object_id,)))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        # The page of the password logs its change, but has no form of the row's fields.
        if request.resolver_match and request.resolver_match.url_name == "auth_user_password_change":
            announce("update", obj, event_type="PASSWORD_CHANGED", actor=person(request), description=str(obj))
            self.password_was_set(request, obj)
        return super().log_change(request, obj, message)

    def password_was_set(self, request: HttpRequest, user: Any) -> None:
        """Hear that a person got another password; an app overrides this to end the person's sessions."""
