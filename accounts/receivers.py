"""What writes to the tables of people, sellers and texts end in the cache."""

from __future__ import annotations

from accounts.models import Language, Seller, SellerLocation, Translation, User
from accounts.queries import cities, provinces
from config.cache import families, warms, watch


def _names_of_seller(seller: Seller) -> tuple[str]:
    return (families.SELLER.row_name(seller.public_id),)


def connect() -> None:
    """Tell which cached answers end with writes to which table, and what is asked first; called once at the start."""
    watch(Seller, lists=("sellers", "traders"), rows=("seller",), names_of=_names_of_seller)
    watch(SellerLocation, lists=("sellers",))
    watch(Translation, lists=("texts",))
    watch(Language, lists=("texts",))
    watch(User, lists=("users",))
    warms("provinces", lambda now: provinces())
    warms("cities", lambda now: cities())
