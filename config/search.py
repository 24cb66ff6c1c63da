"""One search over all that staff work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.text import capfirst

from accounts.models import Seller
from accounts.search import search_sellers
from config.db.search import Found, in_order
from config.staff.site import Hit
from inventory.models import Car, Part, Vehicle
from inventory.search import search_cars, search_parts, search_vehicles
from leads.models import Lead, SupportTicket, Voucher
from leads.search import search_leads, search_tickets, search_vouchers

if TYPE_CHECKING:
    from collections.abc import Callable

    from accounts.models import User

HITS_PER_KIND = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One table that is searched, with what is told of a row beside its name."""

    model: Any
    search: Callable[..., Found]
    icon: str
    facts: tuple[str, ...]


KINDS = (
    Kind(Car, search_cars, "directions_car", ("vin",)),
    Kind(Vehicle, search_vehicles, "car_repair", ("vin",)),
    Kind(Part, search_parts, "settings", ("part_number", "yard_location")),
    Kind(Seller, search_sellers, "storefront", ("city",)),
    Kind(Lead, search_leads, "contact_phone", ("email", "phone")),
    Kind(Voucher, search_vouchers, "redeem", ("public_id",)),
    Kind(SupportTicket, search_tickets, "support_agent", ()),
)


def search_everything(user: User, text: str, *, limit: int = HITS_PER_KIND) -> list[Hit]:
    """Return at most `limit` rows of each kind that `text` finds, of those that the person may view.

    Rows that are found only after words were repaired count where nothing is found as it was typed.
    """
    found = [(kind, _find(kind, user, text, limit)) for kind in KINDS if _may_view(user, kind.model)]
    as_typed = [(kind, page) for kind, page in found if page.ids and not page.repaired]
    return [hit for kind, page in as_typed or found for hit in _hits(kind, user, page)]


def _may_view(user: User, model: Any) -> bool:
    return user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")


def _find(kind: Kind, user: User, text: str, limit: int) -> Found:
    return kind.search(text, within=kind.model.objects.visible_to(user), limit=limit)


def _hits(kind: Kind, user: User, page: Found) -> list[Hit]:
    rows = kind.model.objects.visible_to(user)
    if kind.model is Voucher:
        rows = rows.with_titles()
    address = f"admin:{kind.model._meta.app_label}_{kind.model._meta.model_name}_change"
    name = capfirst(str(kind.model._meta.verbose_name))
    return [
        Hit(
            title=str(row),
            detail=" · ".join(filter(None, [name, *(getattr(row, fact) for fact in kind.facts)])),
            link=reverse(address, args=[row.pk]),
            icon=kind.icon,
        )
        for row in in_order(rows, page.ids)
    ]
