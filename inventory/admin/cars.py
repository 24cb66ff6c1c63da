"""Cars for sale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR
from django.db.models import OuterRef, Subquery

from config.db.errors import Refused
from config.staff.actions import service_action
from config.staff.admin import RecordedAdmin, StaffAdmin
from config.staff.columns import badge, figure, link_to, money, related_count, thumbnail
from config.staff.filters import BooleanRadioFilter, ChoicesCheckboxFilter, RangeDateFilter, RangeNumericFilter
from config.staff.forms import StaffModelForm
from config.staff.inlines import RelatedListInline, StaffTabularInline
from config.staff.searching import Names, Through, Whole, Words
from config.staff.site import person
from inventory.admin.pictures import PictureForm, PictureInline
from inventory.admin.positions import PositionForm
from inventory.models import Car, CarFeature, CarImage, CarSlugHistory, CarSpecification
from inventory.models.cars import CarStatus
from inventory.queries import vin_warnings
from inventory.search import CARS
from inventory.services import (
    delete_car,
    dismantle_car,
    feature_car,
    keep_one_primary,
    publish_car,
    release_car,
    remove_car_for_good,
    reserve_car,
    restore_car,
    return_car,
    sell_car,
    set_primary_image,
    unfeature_car,
    unpublish_car,
)

if TYPE_CHECKING:
    from django.http import HttpRequest

    from accounts.models import Seller, User
    from inventory.models import Vehicle

CAR_COLOURS = {
    CarStatus.AVAILABLE: "success",
    CarStatus.RESERVED: "warning",
    CarStatus.SOLD: "primary",
    CarStatus.COMING_SOON: "info",
    CarStatus.UNDER_MAINTENANCE: "danger",
}


class CarPictureForm(PictureForm):
    """A car's picture; ticking another one as primary moves the mark, which the database allows only once a car."""

    make_primary = forms.BooleanField(required=False, label="Primary")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["make_primary"].initial = self.instance.is_primary

    @property
    def takes_the_mark(self) -> bool:
        return bool(self.cleaned_data.get("make_primary")) and not self.instance.is_primary


class CarPictureInline(PictureInline):
    model = CarImage
    form = CarPictureForm
    fields = ("preview", "upload", "url", "alt_text", "make_primary", "position")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        may_change = self.has_change_permission(request, obj)
        return fields if may_change else ["is_primary" if name == "make_primary" else name for name in fields]


class FeatureInline(StaffTabularInline):
    model = CarFeature
    form = PositionForm
    ordering_field = "position"


class SpecificationInline(StaffTabularInline):
    model = CarSpecification
    form = PositionForm
    ordering_field = "position"


class FormerSlugInline(RelatedListInline):
    model = CarSlugHistory
    fields = ("created_at",)


def dismantle(*, car: Car, seller: Seller | None, actor: User) -> Vehicle:
    if seller is None:
        raise Refused("choose the seller whose yard breaks it.")
    return dismantle_car(car=car, seller=seller, actor=actor)


class CarForm(StaffModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "mileage_km" in self.fields:
            # Vehicles to be broken may lack it, cars for sale may not.
            self.fields["mileage_km"].required = True


@admin.register(Car)
class CarAdmin(StaffAdmin):
    form = CarForm
    list_display = (
        thumbnail("picture_url"),
        "name",
        "year",
        money("price"),
        figure("mileage_km", description="Mileage (km)"),
        badge("status", CAR_COLOURS),
        badge("segment", {}),
        "is_featured",
        link_to("seller"),
        related_count("leads", "Leads"),
        "published_at",
    )
    list_display_links = ("name",)
    list_filter = (
        ("status", ChoicesCheckboxFilter),
        ("segment", ChoicesCheckboxFilter),
        ("fuel_type", ChoicesCheckboxFilter),
        ("transmission", ChoicesCheckboxFilter),
        ("condition", ChoicesCheckboxFilter),
        ("is_featured", BooleanRadioFilter),
        ("price", RangeNumericFilter),
        ("year", RangeNumericFilter),
        ("mileage_km", RangeNumericFilter),
        ("created_at", RangeDateFilter),
    )
    search_fields = ("name", "make", "model", "vin", "slug")
    searches_by = (Words(CARS),)
    date_hierarchy = "created_at"
    readonly_fields = ("status", "sold_at", "is_featured", "engine_cc")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("make", "model", "trim"),
                    ("year", "mileage_km"),
                    ("price", "currency"),
                    ("segment", "condition"),
                    ("status", "sold_at", "is_featured"),
                    ("seller", "published_at"),
                    "description",
                )
            },
        ),
        (
            "Technical",
            {
                "classes": ["tab"],
                "fields": (
                    "vin",
                    ("fuel_type", "transmission", "drivetrain"),
                    ("engine_size", "engine_cc", "power_hp"),
                    "color",
                    "condition_note",
                ),
            },
        ),
        (
            "Page",
            {
                "classes": ["tab"],
                "fields": (("name", "slug"), "paragraphs", "meta_title", "meta_description"),
            },
        ),
    )
    inlines = (CarPictureInline, FeatureInline, SpecificationInline, FormerSlugInline)

    publish = service_action(
        "List",
        publish_car,
        argument="car",
        done="listed",
        when=lambda car: car.published_at is None or car.status in {CarStatus.COMING_SOON, CarStatus.UNDER_MAINTENANCE},
        icon="storefront",
    )
    unpublish = service_action(
        "Unlist",
        unpublish_car,
        argument="car",
        done="taken off the marketplace",
        when=lambda car: car.published_at is not None,
        icon="visibility_off",
    )
    reserve = service_action(
        "Reserve",
        reserve_car,
        argument="car",
        done="reserved",
        when=lambda car: car.status == CarStatus.AVAILABLE,
        icon="bookmark_add",
    )
    release = service_action(
        "Release",
        release_car,
        argument="car",
        done="released",
        when=lambda car: car.status == CarStatus.RESERVED,
        icon="bookmark_remove",
    )
    sell = service_action(
        "Mark as sold",
        sell_car,
        argument="car",
        done="marked as sold",
        when=lambda car: car.status != CarStatus.SOLD,
        icon="sell",
    )
    take_back = service_action(
        "Take back",
        return_car,
        argument="car",
        done="taken back",
        confirm="The sale is undone and its date removed.",
        when=lambda car: car.status == CarStatus.SOLD,
        icon="undo",
    )
    feature = service_action(
        "Feature",
        feature_car,
        argument="car",
        done="featured",
        when=lambda car: not car.is_featured and car.status != CarStatus.SOLD,
        icon="star",
    )
    unfeature = service_action(
        "Stop featuring",
        unfeature_car,
        argument="car",
        done="no longer featured",
        when=lambda car: car.is_featured,
        icon="star_border",
    )
    break_for_parts = service_action(
        "Dismantle",
        dismantle,
        argument="car",
        done="taken off sale to be dismantled",
        ask=("seller",),
        when=lambda car: car.status != CarStatus.SOLD,
        icon="car_repair",
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        pictures = CarImage.objects.filter(car=OuterRef("pk")).order_by("-is_primary", "position", "id")
        return super().get_queryset(request).annotate(picture_url=Subquery(pictures.values("url")[:1]))

    def save_model(self, request: HttpRequest, obj: Car, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if IS_POPUP_VAR not in request.POST:
            # A popup closes at once, and its message would stand on whichever page comes next.
            for warning in vin_warnings(obj):
                messages.warning(request, warning)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        for formset in formsets:
            if formset.model is CarImage:
                marked = [each.instance for each in formset.forms if each.instance.pk and each.takes_the_mark]
                for image in marked[-1:]:
                    set_primary_image(image=image, actor=person(request))
        keep_one_primary(car=form.instance)

    def soft_delete_row(self, request: HttpRequest, row: Any) -> None:
        delete_car(car=row, actor=person(request))

    def restore_row(self, request: HttpRequest, row: Any) -> None:
        restore_car(car=row, actor=person(request))

    def purge_row(self, request: HttpRequest, row: Any) -> None:
        remove_car_for_good(car=row, actor=person(request))


@admin.register(CarSlugHistory)
class CarSlugHistoryAdmin(RecordedAdmin):
    deletable = True
    list_display = ("slug", link_to("car"), "created_at")
    list_filter = (("created_at", RangeDateFilter),)
    search_fields = ("slug", "car__name")
    searches_by = (Whole("slug"), Through("car", Names(CARS)))
    date_hierarchy = "created_at"
