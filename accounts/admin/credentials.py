"""Identities, sessions and one-time tokens: to look at, and to end."""

from __future__ import annotations

from django.contrib import admin

from accounts.models import OneTimeToken, UserIdentity, UserSession
from accounts.search import USERS
from accounts.services import end_session
from config.staff.actions import service_action
from config.staff.admin import RecordedAdmin
from config.staff.columns import badge, link_to
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter
from config.staff.inlines import RelatedListInline
from config.staff.searching import Through, Whole, Words


class IdentityInline(RelatedListInline):
    model = UserIdentity
    fields = ("type", "is_email_verified", "last_login_at")


class SessionInline(RelatedListInline):
    model = UserSession
    fields = ("kind", "created_at", "last_seen_at", "ip_address", "expires_at", "revoked_at")


@admin.register(UserIdentity)
class UserIdentityAdmin(RecordedAdmin):
    deletable = True
    list_display = (
        "provider",
        "provider_account_id",
        link_to("user"),
        badge("type", {"oauth": "primary", "oidc": "info"}),
        "last_login_at",
        "expires_at",
    )
    list_filter = (
        ("type", ChoicesCheckboxFilter),
        ("is_email_verified", BooleanRadioFilter),
    )
    search_fields = ("provider_account_id", "user__email", "user__name")
    searches_by = (Whole("provider_account_id"), Through("user", Words(USERS)))
    date_hierarchy = "created_at"


def _is_open(session: UserSession) -> bool:
    return session.revoked_at is None


@admin.register(UserSession)
class UserSessionAdmin(RecordedAdmin):
    deletable = True
    list_display = (
        link_to("user"),
        badge("kind", {"web": "primary", "api": "info", "refresh": "warning"}),
        "created_at",
        "last_seen_at",
        "ip_address",
        "expires_at",
        "revoked_at",
    )
    list_display_links = ("created_at",)
    list_filter = (("kind", ChoicesCheckboxFilter), ("expires_at", RangeDateFilter))
    search_fields = ("user__email", "user__name")
    searches_by = (Through("user", Words(USERS)),)
    date_hierarchy = "created_at"

    end_sessions = service_action(
        "End session",
        end_session,
        argument="session",
        permission="delete",
        done="ended",
        when=_is_open,
        icon="logout",
    )


@admin.register(OneTimeToken)
class OneTimeTokenAdmin(RecordedAdmin):
    deletable = True
    list_display = (
        "email",
        badge("purpose", {"magic_link": "primary", "verify_email": "info", "reset_password": "warning"}),
        link_to("user"),
        "created_at",
        "expires_at",
        "used_at",
    )
    list_filter = (("purpose", ChoicesCheckboxFilter), ("expires_at", RangeDateFilter))
    search_fields = ("email", "user__email")
    searches_by = (Whole("email"), Through("user", Words(USERS)))
    date_hierarchy = "created_at"
