"""What goes along when parts change hands: the count of their sales, and a word to the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F
from django.db.models.functions import Greatest

from accounts.models import Seller
from config.audit import announce
from config.cache import touching

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from inventory.models import Part, Vehicle

MOST_IDS = 1000


def hand_over(*, row: Part | Vehicle, parts: QuerySet[Part], sold: int, giver: int, taker: int) -> None:
    """Let the sales of `parts` count for the seller who has them now, and announce that they went with `row`.

    `sold` says how many of them are sold, `giver` and `taker` are the keys of the sellers. Call this inside `atomic`,
    with the parts locked; it locks the sellers.
    """
    # In one order, so that two who trade with each other wait for one another.
    both = Seller.all_objects.filter(pk__in=[giver, taker]).order_by("pk").select_for_update(no_key=True)
    sellers = {seller.pk: seller for seller in both}
    if sold:
        # Cars and parts do not show how much their seller has sold.
        with touching("sellers", "seller"):
            fewer = Greatest(F("total_sales") - sold, 0)
            Seller.all_objects.filter(pk=giver).update(total_sales=fewer)
            Seller.all_objects.filter(pk=taker).update(total_sales=F("total_sales") + sold)
    announce(
        "update",
        row,
        event_type="PARTS_HANDED_OVER",
        seller=sellers[taker],
        changes={"seller": [str(sellers[giver]), str(sellers[taker])]},
        metadata={"sales": sold, "parts": list(parts.order_by("pk").values_list("public_id", flat=True)[:MOST_IDS])},
    )
