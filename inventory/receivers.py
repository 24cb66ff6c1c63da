"""What inventory must do when something happens in an app below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.signals import user_removing
from inventory.services.removal import remove_stock

if TYPE_CHECKING:
    from collections import Counter

    from accounts.models import Seller


def remove_stock_with_its_owner(*, sellers: list[Seller], **kwargs: Any) -> Counter[str]:
    """Remove the stock of sellers whose owner goes for good."""
    return remove_stock(sellers=sellers)


def connect() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    user_removing.connect(remove_stock_with_its_owner, dispatch_uid="inventory.remove_stock_with_its_owner")
