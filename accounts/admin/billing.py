"""Paid plans and the messages of payment providers."""

from __future__ import annotations

from django.contrib import admin

from accounts.models import PaymentEvent, Subscription
from accounts.search import USERS
from config.staff.admin import RecordedAdmin, StaffAdmin
from config.staff.columns import badge, link_to
from config.staff.filters import ChoicesCheckboxFilter, RangeDateFilter, ValuesFilter
from config.staff.searching import Through, Whole, Words


@admin.register(Subscription)
class SubscriptionAdmin(StaffAdmin):
    list_display = (
        link_to("user"),
        link_to("seller"),
        "provider",
        "product_id",
        badge(
            "status",
            {
                "active": "success",
                "trialing": "info",
                "past_due": "warning",
                "unpaid": "danger",
                "incomplete": "warning",
            },
        ),
        "start_date",
        "end_date",
    )
    list_display_links = ("product_id", "start_date")
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("provider", ValuesFilter),
        ("end_date", RangeDateFilter),
    )
    search_fields = ("user__name", "user__email", "external_id")
    searches_by = (Whole("external_id"), Through("user", Words(USERS)))
    date_hierarchy = "created_at"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("user", "seller"),
                    ("provider", "product_id"),
                    "status",
                    ("start_date", "end_date"),
                    ("current_period_start", "current_period_end"),
                    ("trial_end", "cancelled_at"),
                    "cancel_at_period_end",
                )
            },
        ),
        (
            "At the provider",
            {"classes": ["tab"], "fields": ("external_id", ("customer_id", "price_id"), "metadata")},
        ),
    )


@admin.register(PaymentEvent)
class PaymentEventAdmin(RecordedAdmin):
    list_display = ("received_at", "provider", "type", "event_id", "processed_at", "error")
    list_filter = (("provider", ValuesFilter), ("received_at", RangeDateFilter))
    search_fields = ("event_id",)
    searches_by = (Whole("event_id"),)
    date_hierarchy = "received_at"
