"""The parts that the marketplace shows first: those of the best sellers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models.functions import Coalesce

from accounts.models import Seller
from config.cache import cached, families
from inventory.models import Part
from inventory.queries.parts import PartCard, part_cards, public_parts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inventory.models.parts import PartQuerySet

FEATURED_LIMIT = 8
LARGEST_LIMIT = 20
FEATURED_RATING = Decimal("4.0")
# Sellers with many parts have enough among so many of the newest; those with few are read from end to end.
_NEWEST = 5000


def featured_parts(*, limit: int = FEATURED_LIMIT) -> list[PartCard]:
    """Return parts of sellers rated 4.0 or better, best rating first, then newest, at most 20."""
    few = min(limit, LARGEST_LIMIT)
    return cached(families.PARTS_FEATURED, few, lambda: part_cards(_of_the_best(few)))


def _of_the_best(limit: int) -> list[int]:
    keys: list[int] = []
    # In one order of ratings and dates the database would have to read the parts of all good sellers.
    for rating in _ratings():
        keys += _newest(public_parts().filter(seller__rating=rating), limit - len(keys))
        if len(keys) == limit:
            break
    return keys


def _ratings() -> Iterator[Decimal]:
    """Yield the good ratings that sellers have, best first, each found by index."""
    rated = Seller.objects.public().order_by("-rating").values_list("rating", flat=True)
    rating = rated.filter(rating__gte=FEATURED_RATING).first()
    while rating is not None:
        yield rating
        rating = rated.filter(rating__gte=FEATURED_RATING, rating__lt=rating).first()


def _newest(parts: PartQuerySet, limit: int) -> list[int]:
    newest = Part.all_objects.order_by("-created_at").values("created_at")[_NEWEST : _NEWEST + 1]
    recent = parts.filter(created_at__gte=newest).order_by("-created_at", "-pk")
    keys = list(recent.values_list("pk", flat=True)[:limit])
    if len(keys) == limit:
        return keys
    # An expression, because an index in that order would tempt the planner to go through the whole table.
    ordered = parts.order_by(Coalesce("created_at", "created_at").desc(), "-pk")
    return list(ordered.values_list("pk", flat=True)[:limit])
