"""Whether what is counted and derived in the stock says what the rows say, and putting it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Seller
from config.audit import announce
from inventory.models import Car, Category, Part, Vehicle
from inventory.models.parts import PartStatus

if TYPE_CHECKING:
    from django.db.models import QuerySet


def sellers_with_right_sales() -> QuerySet[Seller]:
    """Return all sellers with `right`, how often they sold: parts that are sold, and those that lie in archives."""
    sold = Part.all_objects.filter(seller=OuterRef("pk"), status=PartStatus.SOLD).order_by().values("seller")
    number = Subquery(sold.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return Seller.all_objects.annotate(right=Coalesce(number, 0) + F("archived_sales"))


def vehicles_that_are_cars() -> QuerySet[Vehicle]:
    """Return the vehicles whose VIN a car has as well, though they were not made of it."""
    cars = Car.objects.filter(~Q(pk=Coalesce(OuterRef("source_car"), 0)), vin=OuterRef("vin"))
    return Vehicle.objects.filter(Exists(cars), vin__isnull=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a category stands in the tree: as stored, and as its parents say."""

    category: int
    stored: tuple[int, str]
    right: tuple[int, str]


def misplaced_categories() -> tuple[list[Place], list[int]]:
    """Return the categories whose level or path is wrong, parents first, and the keys of those that form rings."""
    rows = {
        key: (parent, slug, (level, path))
        for key, parent, slug, level, path in Category.all_objects.values_list("pk", "parent", "slug", "level", "path")
    }
    children: dict[int | None, list[int]] = {}
    for key, (parent, _, _) in rows.items():
        children.setdefault(parent if parent in rows else None, []).append(key)
    places: dict[int | None, tuple[int, str]] = {None: (0, "")}
    waiting: list[int | None] = [None]
    while waiting:
        parent = waiting.pop()
        level, path = places[parent]
        for key in children.get(parent, []):
            places[key] = (level + 1, f"{path}{rows[key][1]}/")
            waiting.append(key)
    wrong = [
        Place(key, rows[key][2], right) for key, right in places.items() if key is not None and rows[key][2] != right
    ]
    # Whoever is not reached from the roots goes in circles.
    return wrong, sorted(set(rows) - set(places))


@transaction.atomic
def correct_places() -> int:
    """Give every category the level and path that its parents say; return how many were wrong."""
    # As moving a category does: nobody moves one meanwhile.
    roots = Category.all_objects.filter(parent__isnull=True).order_by("pk")
    list(roots.select_for_update().values_list("pk"))
    wrong, _ = misplaced_categories()
    for place in wrong:
        level, path = place.right
        Category.all_objects.filter(pk=place.category).update(level=level, path=path)
        announce(
            "update",
            Category.all_objects.get(pk=place.category),
            event_type="COUNTER_CORRECTED",
            changes={"level": [place.stored[0], level], "path": [place.stored[1], path]},
        )
    return len(wrong)
