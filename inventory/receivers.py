"""What inventory must do when something happens in an app below, and what writes to its own tables end in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.signals import user_removing
from config.cache import families, warms, watch
from inventory import queries
from inventory.models import (
    Car,
    CarFeature,
    CarImage,
    CarSlugHistory,
    CarSpecification,
    Category,
    Part,
    PartImage,
    SellerCategory,
    Vehicle,
)
from inventory.services.removal import remove_stock

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from accounts.models import Seller


def remove_stock_with_its_owner(*, sellers: list[Seller], **kwargs: Any) -> Counter[str]:
    """Remove the stock of sellers whose owner goes for good."""
    return remove_stock(sellers=sellers)


def _names_of_car(car: Car) -> tuple[str, ...]:
    return families.CAR.row_name(car.public_id), families.CAR_BY_SLUG.row_name(car.slug)


def _names_of_cars(keys: list[int]) -> Iterator[str]:
    """Yield the cached pages of cars, those under former slugs included."""
    for public_id, slug in Car.all_objects.filter(pk__in=keys).order_by().values_list("public_id", "slug"):
        yield families.CAR.row_name(public_id)
        yield families.CAR_BY_SLUG.row_name(slug)
    for slug in CarSlugHistory.objects.filter(car__in=keys).order_by().values_list("slug", flat=True):
        yield families.CAR_BY_SLUG.row_name(slug)


def _names_of_former_slug(former: CarSlugHistory) -> tuple[str]:
    return (families.CAR_BY_SLUG.row_name(former.slug),)


def _names_of_part(part: Part) -> tuple[str]:
    return (families.PART.row_name(part.public_id),)


def _names_of_parts(keys: list[int]) -> list[str]:
    ids = Part.all_objects.filter(pk__in=keys).order_by().values_list("public_id", flat=True)
    return [families.PART.row_name(public_id) for public_id in ids]


def watch_tables() -> None:
    """Tell which cached answers end with writes to which table."""
    watch(Car, lists=("cars",), rows=("car",), key=lambda car: car.pk, names=_names_of_cars, names_of=_names_of_car)
    for model in (CarImage, CarFeature, CarSpecification):
        watch(model, lists=("cars",), rows=("car",), key=lambda row: row.car_id, names=_names_of_cars)
    watch(CarSlugHistory, rows=("car",), names_of=_names_of_former_slug)
    watch(Part, lists=("parts",), rows=("part",), names_of=_names_of_part)
    watch(PartImage, lists=("parts",), rows=("part",), key=lambda image: image.part_id, names=_names_of_parts)
    # Parts show the vehicle that they come from.
    watch(Vehicle, lists=("parts", "part"))
    watch(Category, lists=("categories",))
    watch(SellerCategory, lists=("sellers", "seller"))


def warm_pages() -> None:
    """Name what visitors ask first."""
    warms("cars", lambda now: queries.car_list(now=now))
    warms("cars_featured", lambda now: queries.featured_cars(now=now))
    warms("makes", lambda now: queries.makes_in_stock(now=now))
    warms("segments", lambda now: queries.cars_per_segment(now=now))
    warms("parts", lambda now: queries.part_list())
    warms("parts_featured", lambda now: queries.featured_parts())
    warms("part_facets", lambda now: queries.part_facets())
    warms("categories", lambda now: queries.category_tree())


def connect() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    watch_tables()
    warm_pages()
    user_removing.connect(remove_stock_with_its_owner, dispatch_uid="inventory.remove_stock_with_its_owner")
