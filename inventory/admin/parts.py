"""Donor vehicles and their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from accounts.admin.holds import HoldsRows
from config.staff.actions import service_action
from config.staff.columns import badge, figure, link_to, money, related_count, thumbnail
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter, RangeNumericFilter
from config.staff.inlines import RelatedListInline
from config.staff.searching import Words
from config.staff.site import person
from inventory.admin.imports import ImportsStock
from inventory.admin.pictures import PictureInline
from inventory.models import Part, PartImage, Vehicle
from inventory.models.parts import PartStatus
from inventory.queries import vin_warnings
from inventory.search import PARTS, VEHICLES
from inventory.services import (
    delete_part,
    delete_vehicle,
    list_part,
    release_part,
    remove_part_for_good,
    remove_vehicle_for_good,
    reserve_part,
    restore_part,
    restore_vehicle,
    return_part,
    sell_part,
    unlist_part,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

PART_COLOURS = {PartStatus.AVAILABLE: "success", PartStatus.RESERVED: "warning", PartStatus.SOLD: "primary"}
GRADE_COLOURS = {"NEW": "primary", "EXCELLENT": "success", "FAIR": "warning", "POOR": "danger", "NEEDS_WORK": "danger"}


class PartInline(RelatedListInline):
    model = Part
    fields = ("part_number", "condition", "price", "currency", "status", "is_listed")


class PartPictureInline(PictureInline):
    model = PartImage


class ReservationForm(forms.Form):
    until = forms.SplitDateTimeField(
        required=False, help_text="The next maintenance after it releases the part. Empty: until it is released."
    )

    def clean_until(self) -> Any:
        until = self.cleaned_data["until"]
        if until is not None and until <= timezone.now():
            raise forms.ValidationError("Give a moment in the future.")
        return until


@admin.register(Vehicle)
class VehicleAdmin(HoldsRows, ImportsStock):
    import_kind = "vehicles"
    list_display = (
        "make",
        "model",
        "trim",
        "year",
        "vin",
        badge("condition", GRADE_COLOURS),
        badge("fuel_type", {}),
        figure("mileage_km", description="Mileage (km)"),
        link_to("seller"),
        related_count("parts", "Parts"),
        "acquired_at",
    )
    list_display_links = ("make", "model")
    list_filter = (
        ("condition", ChoicesCheckboxFilter),
        ("fuel_type", ChoicesCheckboxFilter),
        ("transmission", ChoicesCheckboxFilter),
        ("year", RangeNumericFilter),
        ("mileage_km", RangeNumericFilter),
        ("acquired_at", RangeDateFilter),
    )
    search_fields = ("make", "model", "vin")
    searches_by = (Words(VEHICLES),)
    date_hierarchy = "acquired_at"
    readonly_fields = ("engine_cc", "hold")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("make", "model", "trim"),
                    ("year", "vin"),
                    ("seller", "acquired_at"),
                    ("condition", "mileage_km"),
                    "description",
                )
            },
        ),
        (
            "Technical",
            {
                "classes": ["tab"],
                "fields": (
                    ("fuel_type", "transmission", "drivetrain"),
                    ("engine_size", "engine_cc", "power_hp"),
                    "color",
                    ("source_car", "hold"),
                ),
            },
        ),
    )
    inlines = (PartInline,)

    def save_model(self, request: HttpRequest, obj: Vehicle, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if IS_POPUP_VAR not in request.POST:
            # A popup closes at once, and its message would stand on whichever page comes next.
            for warning in vin_warnings(obj):
                messages.warning(request, warning)

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_vehicle(vehicle=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_vehicle(vehicle=row, actor=person(request))

    def purge_row(self, request: HttpRequest, row: Any) -> None:
        remove_vehicle_for_good(vehicle=row, actor=person(request))


@admin.register(Part)
class PartAdmin(HoldsRows, ImportsStock):
    import_kind = "parts"
    list_display = (
        thumbnail("picture_url"),
        "name",
        "part_number",
        money("price"),
        badge("condition", GRADE_COLOURS),
        badge("status", PART_COLOURS),
        "is_listed",
        link_to("vehicle"),
        link_to("category"),
        link_to("seller"),
        "created_at",
    )
    list_display_links = ("name",)
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("condition", ChoicesCheckboxFilter),
        ("is_listed", BooleanRadioFilter),
        ("price", RangeNumericFilter),
        ("created_at", RangeDateFilter),
        ("sold_at", RangeDateFilter),
    )
    search_fields = ("name", "part_number", "part_number_norm")
    searches_by = (Words(PARTS),)
    date_hierarchy = "created_at"
    readonly_fields = ("status", "is_listed", "reserved_until", "sold_at", "hold")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "part_number"),
                    ("vehicle", "seller"),
                    ("category", "condition"),
                    ("price", "currency"),
                    "yard_location",
                    ("status", "is_listed"),
                    ("reserved_until", "sold_at"),
                    "hold",
                    "description",
                )
            },
        ),
    )
    inlines = (PartPictureInline,)

    list_on_marketplace = service_action(
        "List",
        list_part,
        argument="part",
        done="listed",
        when=lambda part: not part.is_listed and part.status == PartStatus.AVAILABLE,
        icon="storefront",
    )
    unlist = service_action(
        "Unlist",
        unlist_part,
        argument="part",
        done="taken off the marketplace",
        when=lambda part: part.is_listed,
        icon="visibility_off",
    )
    reserve = service_action(
        "Reserve",
        reserve_part,
        argument="part",
        done="reserved",
        form=ReservationForm,
        when=lambda part: part.status == PartStatus.AVAILABLE,
        icon="bookmark_add",
    )
    release = service_action(
        "Release",
        release_part,
        argument="part",
        done="released",
        when=lambda part: part.status == PartStatus.RESERVED,
        icon="bookmark_remove",
    )
    sell = service_action(
        "Mark as sold",
        sell_part,
        argument="part",
        done="marked as sold",
        when=lambda part: part.status != PartStatus.SOLD,
        icon="sell",
    )
    take_back = service_action(
        "Take back",
        return_part,
        argument="part",
        done="taken back",
        confirm="The sale is undone and its date removed.",
        when=lambda part: part.status == PartStatus.SOLD,
        icon="undo",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        pictures = PartImage.objects.filter(part=OuterRef("pk")).order_by("position", "id")
        return super().get_queryset(request).annotate(picture_url=Subquery(pictures.values("url")[:1]))

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_part(part=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_part(part=row, actor=person(request))

    def purge_row(self, request: HttpRequest, row: Any) -> None:
        remove_part_for_good(part=row, actor=person(request))
