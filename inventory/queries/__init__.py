"""What is asked about the stock.

Lists come a page at a time, without long texts, and each costs the same few queries however long the page is.
"""

from __future__ import annotations

from inventory.queries.cars import (
    CAR_SORTS,
    CarAtSlug,
    CarCard,
    CarDetails,
    CarFilters,
    car_by_id,
    car_by_slug,
    car_cards,
    car_list,
    cars_per_segment,
    featured_cars,
    makes_in_stock,
    public_cars,
    related_cars,
)
from inventory.queries.categories import CategoryNode, category_tree
from inventory.queries.facets import PartFacets, part_facets
from inventory.queries.featured import featured_parts
from inventory.queries.parts import (
    PART_SORTS,
    PartCard,
    PartDetails,
    PartFilters,
    Suggestions,
    part_by_id,
    part_cards,
    part_list,
    public_parts,
    suggestions,
)
from inventory.queries.pictures import Picture
from inventory.queries.stock import SellerProfile, SellerStock, seller_with_stock, sellers_with_stock, stock_counts
from inventory.queries.vins import vin_warnings

__all__ = [
    "CAR_SORTS",
    "PART_SORTS",
    "CarAtSlug",
    "CarCard",
    "CarDetails",
    "CarFilters",
    "CategoryNode",
    "PartCard",
    "PartDetails",
    "PartFacets",
    "PartFilters",
    "Picture",
    "SellerProfile",
    "SellerStock",
    "Suggestions",
    "car_by_id",
    "car_by_slug",
    "car_cards",
    "car_list",
    "cars_per_segment",
    "category_tree",
    "featured_cars",
    "featured_parts",
    "makes_in_stock",
    "part_by_id",
    "part_cards",
    "part_facets",
    "part_list",
    "public_cars",
    "public_parts",
    "related_cars",
    "seller_with_stock",
    "sellers_with_stock",
    "stock_counts",
    "suggestions",
    "vin_warnings",
]
