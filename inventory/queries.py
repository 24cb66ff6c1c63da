"""What is asked about the stock.

Lists come as querysets without long texts and with their seller's name, so that a page of any length costs one query;
slice them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Case, Count, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from inventory.models import Car, CarSlugHistory, Part, Vehicle
from inventory.models.cars import Segment
from inventory.vin import has_valid_check_digit

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from accounts.models.sellers import SellerQuerySet
    from inventory.models.cars import CarQuerySet
    from inventory.models.parts import PartQuerySet

FEATURED_LIMIT = 6
RELATED_LIMIT = 3

CAR_LIST_COLUMNS = (
    *("id", "public_id", "slug", "name", "make", "model", "trim", "year", "price", "currency", "mileage_km", "color"),
    *("fuel_type", "transmission", "drivetrain", "engine_size", "power_hp", "condition", "segment", "status"),
    *("is_featured", "published_at", "created_at", "seller", "seller__public_id", "seller__name"),
)
PART_LIST_COLUMNS = (
    *("id", "public_id", "name", "part_number", "condition", "price", "currency", "status", "created_at"),
    *("seller", "seller__public_id", "seller__name", "category", "category__name"),
    *("vehicle", "vehicle__public_id", "vehicle__make", "vehicle__model", "vehicle__trim", "vehicle__year"),
)


def public_cars(*, now: datetime, make: str = "", segment: str = "") -> CarQuerySet:
    """Return the cars that the marketplace shows at `now`, newest first; of one make (any case) or segment if given."""
    cars = Car.objects.public(now=now).select_related("seller").only(*CAR_LIST_COLUMNS)
    if make:
        cars = cars.filter(make__iexact=make)
    if segment:
        cars = cars.filter(segment=segment)
    return cars.order_by("-created_at", "-id")


def featured_cars(*, now: datetime, limit: int = FEATURED_LIMIT) -> CarQuerySet:
    """Return the newest featured cars."""
    return public_cars(now=now).filter(is_featured=True)[:limit]


def related_cars(car: Car, *, now: datetime, limit: int = RELATED_LIMIT) -> CarQuerySet:
    """Return other public cars: of the same make first, then of the same segment, then any, newest first in each."""
    nearness = Case(
        When(make__iexact=car.make, then=Value(0)),
        When(segment=car.segment, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return public_cars(now=now).exclude(pk=car.pk).order_by(nearness, "-created_at", "-id")[:limit]


@dataclass(frozen=True, slots=True)
class CarAtSlug:
    """The car that an address leads to; with `moved` its own address is another one now."""

    car: Car
    moved: bool


def car_by_slug(slug: str, *, now: datetime) -> CarAtSlug | None:
    """Return the public car at a slug or former slug, with all its columns; None if there is none."""
    cars = Car.objects.public(now=now).select_related("seller")
    car = cars.filter(slug=slug).first()
    if car is not None:
        return CarAtSlug(car, moved=False)
    former = CarSlugHistory.objects.filter(slug=slug).values("car")
    car = cars.filter(pk__in=former).first()
    return CarAtSlug(car, moved=True) if car is not None else None


def makes_in_stock(*, now: datetime) -> list[str]:
    """Return the makes of the public cars, in order."""
    cars = Car.objects.public(now=now).order_by("make")
    return list(cars.values_list("make", flat=True).distinct())


def cars_per_segment(*, now: datetime) -> dict[str, int]:
    """Return how many public cars each segment has, the empty ones included."""
    cars = Car.objects.public(now=now).order_by().values_list("segment")
    return dict.fromkeys(Segment.values, 0) | dict(cars.annotate(Count("pk")))


def public_parts() -> PartQuerySet:
    """Return the parts that the marketplace shows, newest first."""
    parts = Part.objects.public().select_related("seller", "category", "vehicle").only(*PART_LIST_COLUMNS)
    return parts.order_by("-created_at", "-id")


def with_stock_counts(sellers: SellerQuerySet) -> SellerQuerySet:
    """Add to each seller `vehicle_count`, and `part_count`: the parts that the marketplace shows."""
    return sellers.annotate(
        vehicle_count=_count_per_seller(Vehicle.objects.all()),
        part_count=_count_per_seller(Part.objects.public()),
    )


def _count_per_seller(rows: QuerySet[Any]) -> Coalesce:
    """Return a subquery; two joins in one query would multiply each other."""
    counts = rows.filter(seller=OuterRef("pk")).order_by().values("seller").annotate(number=Count("pk"))
    return Coalesce(Subquery(counts.values("number")), Value(0))


def vin_warnings(row: Car | Vehicle) -> list[str]:
    """Return what staff should look at in a VIN; nothing of it forbids the row.

    The check digit is wrong, which is common in Europe, where there is none; or the same VIN stands in the other
    table, though neither was made of the other.
    """
    if row.vin is None:
        return []
    warnings = []
    if not has_valid_check_digit(row.vin):
        warnings.append(
            f"The VIN {row.vin} has a wrong check digit: a European VIN has none, any other has a typing error."
        )
    if isinstance(row, Car):
        other: Car | Vehicle | None = Vehicle.objects.filter(vin=row.vin).exclude(source_car=row.pk).first()
        place = "among the donor vehicles"
    else:
        other = Car.objects.filter(~Q(pk=row.source_car_id), vin=row.vin).first()
        place = "among the cars for sale"
    if other is not None:
        warnings.append(f"The VIN {row.vin} stands {place} as well: {other}.")
    return warnings
