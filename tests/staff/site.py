"""A staff site for the adapter's tests: real tables, and admin classes that use every part of the adapter."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import OuterRef, Subquery

from accounts.models import Seller, SellerLocation, User, UserIdentity
from config.admin import StaffSite
from config.db.errors import Refused
from config.staff.actions import service_action
from config.staff.admin import StaffAdmin
from config.staff.columns import badge, link_to, money, related_count, thumbnail
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeNumericFilter
from config.staff.inlines import RelatedListInline, StaffStackedInline, StaffTabularInline
from inventory.models import Car, CarFeature, CarImage, Category, Part, Vehicle
from leads.models import Lead, LeadNote

site = StaffSite(name="admin")


def list_part(*, part: Part, actor: User) -> None:
    if part.status == "SOLD":
        raise Refused("a sold part cannot be listed.")
    part.is_listed = True
    part.save()


def price_part(*, part: Part, amount: int) -> None:
    part.price = amount
    part.save()


def grade_part(*, part: Part) -> None:
    if part.price is not None and part.price >= 100:
        raise Refused(f"{part} costs {part.price}: too much for a grade.")
    raise Refused(f"{part} has no grade.")


def assign_lead(*, lead: Lead, assigned_to: User | None, actor: User) -> None:
    lead.assigned_to = assigned_to
    lead.save()


class PriceForm(forms.Form):
    amount = forms.IntegerField()


class UserAdmin(StaffAdmin):
    list_display = ["email", "name", badge("role", {"SUPER_ADMIN": "primary"}), related_count("sellers", "Sellers")]
    search_fields = ["email", "name"]


class GroupAdmin(StaffAdmin):
    search_fields = ["name"]


class UserIdentityAdmin(StaffAdmin):
    list_display = ["provider", link_to("user")]
    search_fields = ["provider_account_id"]


class LocationInline(StaffTabularInline):
    model = SellerLocation


class VehicleInline(RelatedListInline):
    model = Vehicle
    fields = ("make", "model", "year", "vin", "condition")


class SellerAdmin(StaffAdmin):
    list_display = [
        "name",
        badge("business_type", {"DEALER": "primary", "DISMANTLER": "info"}),
        "city",
        "is_verified",
        related_count("vehicles", "Vehicles"),
        related_count("parts", "Parts"),
        link_to("owner"),
    ]
    list_filter = [("business_type", ChoicesCheckboxFilter), ("is_verified", BooleanRadioFilter)]
    search_fields = ["name", "city"]
    inlines = [LocationInline, VehicleInline]
    fieldsets = [
        (None, {"fields": ["name", "owner", ("business_type", "plan"), ("phone", "email"), "description"]}),
        ("Address", {"fields": ["street", ("city", "postal_code"), ("province", "country")], "classes": ["tab"]}),
    ]


class VehicleAdmin(StaffAdmin):
    list_display = ["make", "model", "year", link_to("seller"), related_count("parts", "Parts")]
    search_fields = ["make", "model", "vin"]


class CategoryAdmin(StaffAdmin):
    list_display = ["name", link_to("parent"), related_count("parts", "Parts")]
    search_fields = ["name"]


class PartAdmin(StaffAdmin):
    list_display = [
        "name",
        badge("status", {"AVAILABLE": "success", "RESERVED": "warning", "SOLD": "info"}),
        money("price"),
        link_to("vehicle"),
        link_to("seller"),
        link_to("category"),
        "is_listed",
    ]
    list_filter = [("status", ChoicesCheckboxFilter), ("price", RangeNumericFilter)]
    search_fields = ["name", "part_number"]
    date_hierarchy = "created_at"

    list_parts = service_action("List", list_part, argument="part", done="listed", icon="storefront")
    grade_parts = service_action("Grade", grade_part, argument="part", done="graded")
    price_parts = service_action("Set price", price_part, argument="part", done="priced", form=PriceForm)


class CarImageInline(StaffTabularInline):
    model = CarImage


class CarFeatureInline(StaffStackedInline):
    model = CarFeature


class CarAdmin(StaffAdmin):
    list_display = [
        thumbnail("picture"),
        "name",
        "year",
        badge("status", {"AVAILABLE": "success", "RESERVED": "warning", "SOLD": "info"}),
        money("price"),
        related_count("leads", "Leads"),
    ]
    list_display_links = ["name"]
    search_fields = ["name", "make", "model", "vin"]
    inlines = [CarImageInline, CarFeatureInline]

    def visible_rows(self, request: Any) -> Any:
        return super().visible_rows(request).annotate(picture=first_picture())


def first_picture() -> Any:
    return Subquery(CarImage.objects.filter(car=OuterRef("pk")).order_by("position").values("url")[:1])


class NoteInline(StaffTabularInline):
    model = LeadNote


class LeadAdmin(StaffAdmin):
    list_display = ["name", badge("status", {"NEW": "primary"}), link_to("car"), link_to("assigned_to"), "created_at"]
    search_fields = ["name", "email"]
    inlines = [NoteInline]

    assign_leads = service_action(
        "Assign", assign_lead, argument="lead", done="assigned", ask=("assigned_to",), icon="person_add"
    )


site.register(User, UserAdmin)
site.register(Group, GroupAdmin)
site.register(UserIdentity, UserIdentityAdmin)
site.register(Seller, SellerAdmin)
site.register(Vehicle, VehicleAdmin)
site.register(Category, CategoryAdmin)
site.register(Part, PartAdmin)
site.register(Car, CarAdmin)
site.register(Lead, LeadAdmin)
