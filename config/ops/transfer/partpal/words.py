"""PartPal's code words and what they mean here."""

from __future__ import annotations

from functools import lru_cache

from accounts.models.sellers import BusinessType, Plan
from accounts.models.users import Role
from analytics.models.audit import AuditAction
from inventory.code_words import code_of
from inventory.models.base import Condition, FuelType, Transmission
from inventory.models.parts import PartStatus

# The choices of each field, and what stands for a word that nobody knows.
_FIELDS = {
    "role": (Role, Role.BUYER),
    "business_type": (BusinessType, BusinessType.PRIVATE),
    "plan": (Plan, Plan.STARTER),
    "condition": (Condition, Condition.GOOD),
    "status": (PartStatus, PartStatus.AVAILABLE),
    "fuel_type": (FuelType, FuelType.OTHER),
    "transmission": (Transmission, ""),
}
_ROLES = {"business": Role.SELLER, "customer": Role.BUYER, "user": Role.BUYER}
_LONGEST_WORD = 40

_ACTIONS = {
    "part_sold": AuditAction.STATUS_CHANGE,
    "vehicle_added": AuditAction.CREATE,
    "part_listed": AuditAction.CREATE,
    "marketplace_listing": AuditAction.STATUS_CHANGE,
}


def codes_of(field: str) -> dict[str, str]:
    """Return the codes of a field, each under itself: what needs no second look."""
    return {str(code): str(code) for code in _FIELDS[field][0].values}


def default_of(field: str) -> str:
    """Return the code that stands for an unknown word."""
    return str(_FIELDS[field][1])


def code_for(field: str, word: str) -> str | None:
    """Return the code that a word of PartPal means, or None for an unknown one."""
    return _code_for(field, word) if len(word) <= _LONGEST_WORD else None


@lru_cache(maxsize=1024)
def _code_for(field: str, word: str) -> str | None:
    if field == "role" and word.strip().lower() in _ROLES:
        return str(_ROLES[word.strip().lower()])
    code = code_of(field, word, [(str(code), str(label)) for code, label in _FIELDS[field][0].choices])
    return None if code is None else str(code)


def action_of(event_type: str) -> str:
    """Return the audit action of one of PartPal's activity types."""
    return str(_ACTIONS.get(event_type, AuditAction.OTHER))
