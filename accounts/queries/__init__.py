"""What is asked about people, sellers and texts."""

from __future__ import annotations

from accounts.queries.people import (
    administrators_with_known_password,
    known_password_warnings,
    user_by_identity,
)
from accounts.queries.sellers import (
    SellerCard,
    SellerDetails,
    SellerFilters,
    SellerName,
    SellerNear,
    cities,
    nearby_sellers,
    provinces,
    public_sellers,
    seller_by_id,
    seller_cards,
    seller_list,
    sellers_in,
    sellers_in_rectangle,
    sellers_named,
    sellers_serving,
    sellers_within,
)
from accounts.queries.texts import active_languages, language_for_request, resolve_texts, shown_in

__all__ = [
    "SellerCard",
    "SellerDetails",
    "SellerFilters",
    "SellerName",
    "SellerNear",
    "active_languages",
    "administrators_with_known_password",
    "cities",
    "known_password_warnings",
    "language_for_request",
    "nearby_sellers",
    "provinces",
    "public_sellers",
    "resolve_texts",
    "seller_by_id",
    "seller_cards",
    "seller_list",
    "sellers_in",
    "sellers_in_rectangle",
    "sellers_named",
    "sellers_serving",
    "sellers_within",
    "shown_in",
    "user_by_identity",
]
