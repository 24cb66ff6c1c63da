from __future__ import annotations

from accounts.models.billing import PaymentEvent, Subscription
from accounts.models.credentials import OneTimeToken, UserIdentity, UserSession
from accounts.models.files import StoredFile
from accounts.models.integrations import Integration
from accounts.models.sellers import Seller, SellerLocation
from accounts.models.texts import Language, Translation, UserPreference
from accounts.models.users import User

__all__ = [
    "Integration",
    "Language",
    "OneTimeToken",
    "PaymentEvent",
    "Seller",
    "SellerLocation",
    "StoredFile",
    "Subscription",
    "Translation",
    "User",
    "UserIdentity",
    "UserPreference",
    "UserSession",
]
