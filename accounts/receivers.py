"""What writes to the tables of people, sellers and texts end in the cache, and what begins with a sign-in."""

from __future__ import annotations

from django.contrib.auth.signals import user_logged_in

from accounts.models import Language, Seller, SellerLocation, Translation
from accounts.queries import cities, provinces
from accounts.session_limits import start_session
from config.cache import families, warms, watch


def _names_of_seller(seller: Seller) -> tuple[str]:
    return (families.SELLER.row_name(seller.public_id),)


def connect() -> None:
    """Tell which cached answers end with writes to which table, and what is asked first; called once at the start.

    Sessions begin when people sign in.
    """
    watch(Seller, lists=("sellers", "traders"), rows=("seller",), names_of=_names_of_seller)
    watch(SellerLocation, lists=("sellers",))
    watch(Translation, lists=("texts",))
    watch(Language, lists=("texts",))
    warms("provinces", lambda now: provinces())
    warms("cities", lambda now: cities())
    user_logged_in.connect(start_session, dispatch_uid="accounts.start_session")
