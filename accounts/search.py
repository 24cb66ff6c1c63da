"""Sellers, found by what somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accounts.models import Seller
from accounts.models.files import FILE_TEXTS
from accounts.models.sellers import SELLER_NAMES, SELLER_TEXTS
from accounts.models.users import USER_NAMES, USER_TEXTS
from config.db.search import Found, Searched, search

if TYPE_CHECKING:
    from django.db.models import QuerySet

SELLERS = Searched(SELLER_NAMES, SELLER_TEXTS)
USERS = Searched(USER_NAMES, USER_TEXTS)
TRANSLATIONS = Searched(("value",), ("value",))
FILES = Searched(FILE_TEXTS, FILE_TEXTS)


def search_sellers(text: str, *, within: QuerySet[Seller] | None = None, limit: int = 20, offset: int = 0) -> Found:
    """Return the keys of a page of sellers: by name, then by place, address or description.

    `within` (live sellers) may be filtered only.
    """
    return search(SELLERS, text, Seller.objects.all() if within is None else within, limit=limit, offset=offset)
