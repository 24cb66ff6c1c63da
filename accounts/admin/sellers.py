"""Sellers and where they are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from accounts.admin.texts import KeyedTextsAdmin
from accounts.models import Seller, SellerLocation
from accounts.models.sellers import ONE_SELLER_PER_USER, Plan, may_own_another_seller
from accounts.search import SELLERS
from accounts.services import (
    change_plan,
    create_seller,
    delete_seller,
    restore_seller,
    set_seller_open,
    unverify_seller,
    verify_seller,
)
from accounts.validators import WEEKDAYS
from config.staff.actions import service_action
from config.staff.admin import RecordedAdmin
from config.staff.columns import badge, link_to, related_count
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter, RangeNumericFilter
from config.staff.forms import StaffModelForm
from config.staff.inlines import RelatedListInline
from config.staff.searching import Names, Through, Words
from config.staff.site import person

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import User


_OPEN, _HALF_DAY = ({"isOpen": True, "openTime": "08:00", "closeTime": end} for end in ("17:00", "13:00"))
_WEEK = {**dict.fromkeys(WEEKDAYS[:5], _OPEN), "saturday": _HALF_DAY, "sunday": {"isOpen": False}}


class SellerForm(StaffModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "business_hours" in self.fields:
            self.fields[
                "business_hours"
            ].help_text = f"Empty: unknown. Else all seven days, such as {json.dumps(_WEEK)}"

    def clean_owner(self) -> User:
        """Return the owner. Refuses a new one who may not own another seller."""
        owner: User = self.cleaned_data["owner"]
        if self.instance.pk and "owner" in self.changed_data and not may_own_another_seller(owner.pk):
            raise forms.ValidationError(ONE_SELLER_PER_USER)
        return owner


class PlanForm(forms.Form):
    plan = forms.ChoiceField(choices=Plan.choices)


class LocationInline(RelatedListInline):
    model = SellerLocation
    fields = ("recorded_at", "accuracy_m", "source")


def open_seller(*, seller: Seller, actor: User) -> Seller:
    return set_seller_open(seller=seller, is_open=True, actor=actor)


def close_seller(*, seller: Seller, actor: User) -> Seller:
    return set_seller_open(seller=seller, is_open=False, actor=actor)


@admin.register(Seller)
class SellerAdmin(KeyedTextsAdmin):
    form = SellerForm
    text_keys = ("name_key", "description_key")
    list_display = (
        "name",
        badge(
            "business_type",
            {"SCRAP_YARD": "warning", "DISMANTLER": "info", "DEALER": "primary", "MOBILE_VENDOR": "success"},
        ),
        "city",
        badge("plan", {"PROFESSIONAL": "info", "ENTERPRISE": "primary"}),
        "is_verified",
        "is_open",
        "rating",
        related_count("vehicles", "Vehicles"),
        related_count("parts", "Parts"),
        related_count("vouchers", "Vouchers"),
        link_to("owner"),
    )
    list_filter = (
        ("business_type", ChoicesCheckboxFilter),
        ("plan", ChoicesCheckboxFilter),
        ("is_verified", BooleanRadioFilter),
        ("is_active", BooleanRadioFilter),
        ("is_open", BooleanRadioFilter),
        ("rating", RangeNumericFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("name", "city", "email", "phone")
    searches_by = (Words(SELLERS),)
    date_hierarchy = "created_at"
    readonly_fields = ("is_verified", "verified_at", "total_sales", "last_latitude", "last_longitude", "last_seen_at")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "owner"),
                    ("business_type", "plan"),
                    ("is_verified", "verified_at"),
                    ("is_open", "is_active"),
                    ("rating", "total_sales"),
                    "description",
                    "primary_image_url",
                )
            },
        ),
        ("Contact", {"classes": ["tab"], "fields": (("phone", "whatsapp"), ("email", "website"))}),
        (
            "Address",
            {
                "classes": ["tab"],
                "fields": (
                    "street",
                    ("postal_code", "city"),
                    ("province", "country"),
                    ("latitude", "longitude"),
                    ("last_latitude", "last_longitude", "last_seen_at"),
                    "service_area",
                ),
            },
        ),
        ("Hours", {"classes": ["tab"], "fields": ("timezone", "business_hours")}),
        ("Translation", {"classes": ["tab"], "fields": text_keys}),
    )
    # `inventory.admin.sellers` adds the stock.
    inlines: tuple[type[RelatedListInline], ...] = (LocationInline,)

    verify = service_action(
        "Verify",
        verify_seller,
        argument="seller",
        permission="judge",
        done="verified",
        when=lambda seller: not seller.is_verified,
        icon="verified",
    )
    unverify = service_action(
        "Withdraw verification",
        unverify_seller,
        argument="seller",
        permission="judge",
        done="no longer verified",
        confirm="Their stock disappears from the marketplace, and the owner is told by mail.",
        when=lambda seller: seller.is_verified,
        icon="unpublished",
    )
    give_plan = service_action(
        "Change plan",
        change_plan,
        argument="seller",
        permission="judge",
        done="moved to the plan",
        form=PlanForm,
        icon="workspace_premium",
    )
    open_for_buyers = service_action(
        "Open", open_seller, argument="seller", done="opened", when=lambda seller: not seller.is_open, icon="door_open"
    )
    close_for_buyers = service_action(
        "Close", close_seller, argument="seller", done="closed", when=lambda seller: seller.is_open, icon="door_front"
    )

    def has_judge_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether the person decides about sellers instead of being one."""
        return bool(person(request).sees_everything) and bool(self.has_change_permission(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        kept = () if obj is None else ("plan",)
        judged = () if self.has_judge_permission(request, obj) else ("plan", "owner", "rating", "is_active")
        return tuple(dict.fromkeys((*readonly, *kept, *judged)))

    def save_model(self, request: HttpRequest, obj: Seller, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made = create_seller(**form.cleaned_data, actor=person(request))
        self.leave_to_service(request)
        obj.pk, obj.public_id = made.pk, made.public_id
        obj.refresh_from_db()

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_seller(seller=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_seller(seller=row, actor=person(request))


@admin.register(SellerLocation)
class SellerLocationAdmin(RecordedAdmin):
    deletable = True
    list_display = (
        link_to("seller"),
        "latitude",
        "longitude",
        "recorded_at",
        "accuracy_m",
        badge("source", {"gps": "success", "manual": "info"}),
    )
    list_display_links = ("recorded_at",)
    list_filter = (("recorded_at", RangeDateFilter),)
    search_fields = ("seller__name",)
    searches_by = (Through("seller", Names(SELLERS)),)
    date_hierarchy = "recorded_at"
