"""The sellers with how much each of them has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from accounts.models import Seller
from accounts.queries import SellerCard, SellerDetails, SellerFilters, seller_by_id, seller_list
from config.cache import cached, families
from config.db.reading import extended, fetch, one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.pages import Page, Wanted


@dataclass(frozen=True, slots=True)
class SellerStock(SellerCard):
    """A seller as lists show it, with its vehicles and the parts of it that the marketplace shows."""

    vehicle_count: int
    part_count: int


@dataclass(frozen=True, slots=True)
class SellerProfile(SellerDetails):
    """A seller as its page shows it, with its vehicles and the parts of it that the marketplace shows."""

    vehicle_count: int
    part_count: int


def sellers_with_stock(
    filters: SellerFilters | None = None, *, wanted: Wanted | None = None, language: str = ""
) -> Page[SellerStock]:
    """Return one page of the public list of sellers. Raises UnreadableCursor."""
    page: Page[Any] = seller_list(filters, wanted=wanted, language=language)
    counts = stock_counts([seller.public_id for seller in page.items])
    return replace(page, items=[extended(SellerStock, each, *counts[each.public_id]) for each in page.items])


def seller_with_stock(public_id: str, *, language: str = "") -> SellerProfile | None:
    """Return an active seller with everything on it; None if there is none."""
    seller = seller_by_id(public_id, language=language)
    if seller is None:
        return None
    return extended(SellerProfile, seller, *stock_counts([public_id])[public_id])


def stock_counts(sellers: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return how many vehicles, and parts on the marketplace, each seller with these public ids has; one query."""
    if not sellers:
        return {}
    return cached(families.STATISTICS, ("stock", *sellers), lambda: _stock_counts(sellers))


def _stock_counts(sellers: Sequence[str]) -> dict[str, tuple[int, int]]:
    wanted, parameters = one_of(Seller, "s.public_id", sellers)
    rows = fetch(Seller, f"{_COUNTS} WHERE {wanted}", parameters)
    return dict.fromkeys(sellers, (0, 0)) | {seller: (vehicles, parts) for seller, vehicles, parts in rows}


# Subqueries, because two joins in one query would multiply each other. The parts' rule is `PartQuerySet.public`.
_COUNTS = (
    "SELECT s.public_id,"
    " (SELECT count(*) FROM inventory_vehicle v WHERE v.seller_id = s.id AND v.deleted_at IS NULL),"
    " CASE WHEN s.is_verified AND s.is_active AND s.deleted_at IS NULL THEN"
    " (SELECT count(*) FROM inventory_part p WHERE p.seller_id = s.id AND p.is_listed AND p.status = 'AVAILABLE'"
    " AND p.deleted_at IS NULL) ELSE 0 END FROM accounts_seller s"
)
