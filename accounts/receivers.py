"""What writes to the tables of people, sellers and texts end in the cache."""

from __future__ import annotations

from accounts.models import Language, Seller, SellerLocation, Translation, User
from config.cache import families, watch


def _names_of_seller(seller: Seller) -> tuple[str]:
    return (families.SELLER.row_name(seller.public_id),)


def connect() -> None:
    """Tell which cached answers end with writes to which table; called once, when the apps are ready."""
    watch(Seller, lists=("sellers", "traders"), rows=("seller",), names_of=_names_of_seller)
    watch(SellerLocation, lists=("sellers",))
    watch(Translation, lists=("texts",))
    watch(Language, lists=("texts",))
    watch(User, lists=("users",))
