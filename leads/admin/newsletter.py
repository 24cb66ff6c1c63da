"""The newsletter's list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from config.db.errors import Refused
from config.staff.actions import service_action
from config.staff.admin import StaffAdmin
from config.staff.columns import badge
from config.staff.filters import ChoicesCheckboxFilter, RangeDateFilter
from config.staff.searching import Words
from leads.models import NewsletterSubscriber
from leads.models.newsletter import SubscriberStatus
from leads.search import SUBSCRIBERS
from leads.services import unsubscribe

if TYPE_CHECKING:
    from accounts.models import User


def sign_off(*, subscriber: NewsletterSubscriber, actor: User) -> NewsletterSubscriber:
    if subscriber.status == SubscriberStatus.UNSUBSCRIBED:
        raise Refused(f"{subscriber} is off the list already.")
    return unsubscribe(subscriber=subscriber, actor=actor)


@admin.register(NewsletterSubscriber)
class NewsletterSubscriberAdmin(StaffAdmin):
    list_display = (
        "email",
        "name",
        badge("status", {"ACTIVE": "success", "UNSUBSCRIBED": "info", "BOUNCED": "danger"}),
        "source",
        "subscribed_at",
        "unsubscribed_at",
        "last_email_at",
    )
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("subscribed_at", RangeDateFilter),
    )
    search_fields = ("email", "name")
    searches_by = (Words(SUBSCRIBERS),)
    date_hierarchy = "subscribed_at"

    sign_off = service_action(
        "Unsubscribe",
        sign_off,
        argument="subscriber",
        done="unsubscribed",
        when=lambda subscriber: subscriber.status == SubscriberStatus.ACTIVE,
        icon="unsubscribe",
    )
