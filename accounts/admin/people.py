"""People and what they prefer."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.html import format_html_join
from django.utils.text import camel_case_to_spaces

from accounts.admin.credentials import IdentityInline, SessionInline
from accounts.admin.holds import HoldsRows
from accounts.models import User, UserPreference
from accounts.models.users import Role, UserStatus
from accounts.search import USERS
from accounts.services import (
    ban_user,
    delete_user,
    end_all_sessions,
    reactivate_user,
    remove_user_for_good,
    restore_user,
    set_role,
    suspend_user,
    verify_email,
)
from config.staff.actions import service_action
from config.staff.admin import RecordedAdmin, StaffAdmin
from config.staff.columns import badge, computed_once, link_to, related_count
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter
from config.staff.forms import TextInput
from config.staff.people import StaffPersonAdmin, UserCreationForm
from config.staff.searching import Through, Words
from config.staff.site import person

if TYPE_CHECKING:
    from django.http import HttpRequest


class PersonCreationForm(UserCreationForm):  # type: ignore[misc]  # the theme has no types
    """A new account: a full name, an address, a role, and a password or none."""

    name = forms.CharField(max_length=200, label="Full name", widget=TextInput)

    class Meta:
        model = User
        fields = ("name", "email", "role")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["usable_password"]
        choice.label = "Sign-in by password"
        choice.help_text = "Disabled: they cannot sign in here until a password is set on their page."


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


def _is_closed(user: User) -> bool:
    return user.status in {UserStatus.SUSPENDED, UserStatus.BANNED}


def _is_somebody_else(user: User, person: User) -> bool:
    return user.pk != person.pk


def _can_be_closed(user: User, person: User) -> bool:
    return user.deleted_at is None and not _is_closed(user) and _is_somebody_else(user, person)


def _is_unverified(user: User) -> bool:
    return not user.is_verified


@admin.register(User)
class UserAdmin(HoldsRows, StaffPersonAdmin):  # type: ignore[misc]  # the theme has no types
    add_form = PersonCreationForm
    add_fieldsets = (
        (None, {"fields": ("name", "email", "role")}),
        ("Password", {"fields": ("usable_password", "password1", "password2")}),
    )
    list_display = (
        "name",
        "email",
        badge("role", {"SUPER_ADMIN": "danger", "ADMIN": "primary", "VIEWER": "info", "SELLER": "success"}),
        badge("status", {"active": "success", "unconfirmed": "info", "suspended": "warning", "banned": "danger"}),
        "is_verified",
        related_count("sellers", "Sellers"),
        "last_login",
        "created_at",
    )
    list_display_links = ("name", "email")
    list_filter = (
        ("role", ChoicesCheckboxFilter),
        ("status", ChoicesCheckboxFilter),
        ("is_verified", BooleanRadioFilter),
        ("last_login", RangeDateFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("name", "email", "phone")
    searches_by = (Words(USERS),)
    date_hierarchy = "created_at"
    readonly_fields = (
        "role",
        "status",
        "is_verified",
        "email_verified_at",
        "last_login",
        "is_active",
        "is_staff",
        "anonymized_at",
        "email_before_delete",
        "hold",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    ("first_name", "last_name"),
                    "email",
                    ("phone", "phone_verified"),
                    ("role", "status"),
                    "date_of_birth",
                    "avatar_url",
                )
            },
        ),
        (
            "Access",
            {
                "classes": ["tab"],
                "fields": (
                    ("is_active", "is_staff"),
                    ("is_verified", "email_verified_at"),
                    "last_login",
                    ("anonymized_at", "email_before_delete"),
                    "hold",
                ),
            },
        ),
    )
    inlines = (SessionInline, IdentityInline)
    deletion = "They can no longer sign in, their sessions end, and what they sell disappears from the marketplace."

    suspend = service_action(
        "Suspend",
        suspend_user,
        argument="user",
        done="suspended",
        confirm="They cannot sign in until they are reactivated, and their open sessions end at once.",
        when=_can_be_closed,
        icon="pause_circle",
    )
    ban = service_action(
        "Ban",
        ban_user,
        argument="user",
        done="banned",
        confirm="They cannot sign in any more, and their open sessions end at once.",
        when=_can_be_closed,
        icon="block",
        danger=True,
    )
    reactivate = service_action(
        "Reactivate", reactivate_user, argument="user", done="reactivated", when=_is_closed, icon="play_circle"
    )
    change_role = service_action(
        "Change role",
        set_role,
        argument="user",
        done="given the role",
        form=RoleForm,
        choice="role",
        when=_is_somebody_else,
        icon="admin_panel_settings",
    )
    verify_address = service_action(
        "Verify e-mail", verify_email, argument="user", done="verified", when=_is_unverified, icon="mark_email_read"
    )
    end_sessions = service_action(
        "End sessions", end_all_sessions, argument="user", done="signed out everywhere", icon="logout"
    )

    def password_was_set(self, request: HttpRequest, user: User) -> None:
        end_all_sessions(user=user, actor=person(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return readonly if obj is not None else tuple(name for name in readonly if name != "role")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            # Who registers is unconfirmed, but here somebody vouches for the person.
            obj.status = UserStatus.ACTIVE
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whether the person may delete people: never the account they are signed in with."""
        is_own = obj is not None and not _is_somebody_else(obj, person(request))
        return not is_own and bool(super().has_delete_permission(request, obj))

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_user(user=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_user(user=row, actor=person(request))

    def purge_row(self, request: HttpRequest, row: Any) -> None:
        remove_user_for_good(user=row, actor=person(request))


@admin.register(UserPreference)
class UserPreferenceAdmin(StaffAdmin):
    list_display = (
        link_to("user"),
        badge("theme", {"dark": "primary"}),
        link_to("language"),
        "notifications_enabled",
        "updated_at",
    )
    list_display_links = ("updated_at",)
    list_filter = (("theme", ChoicesCheckboxFilter), ("notifications_enabled", BooleanRadioFilter))
    search_fields = ("user__name", "user__email")
    searches_by = (Through("user", Words(USERS)),)
    ordering = ("-id",)


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(RecordedAdmin):
    """The roles' permissions, to look at: they are declared in `accounts.roles` and made by a migration."""

    is_small = True
    list_display = ("name",)
    search_fields = ("name",)
    fields = ("name", "allowed")
    readonly_fields = ("allowed",)

    @admin.display(description="May")
    @computed_once
    def allowed(self, group: Group) -> str:
        """Return a line per table with what the role may do there."""
        actions: dict[Any, list[str]] = {}
        for permission in group.permissions.select_related("content_type").order_by("content_type", "id"):
            action, _, _ = permission.codename.partition("_")
            actions.setdefault(permission.content_type, []).append(action)
        names = Counter(kind.name for kind in actions)
        lines = ((_name_of(kind) if names[kind.name] > 1 else kind.name, ", ".join(actions[kind])) for kind in actions)
        return format_html_join("", "<div>{}: {}</div>", lines)


def _name_of(kind: Any) -> str:
    """Return what only this table is called."""
    model = kind.model_class()
    return camel_case_to_spaces(model.__name__) if model is not None else str(kind.model)
