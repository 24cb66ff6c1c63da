"""Keeping rows: from maintenance, which archives or anonymizes them in time, and from removal for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from config.audit import announce
from config.db.base import HeldModel, Hold
from config.db.errors import Refused

if TYPE_CHECKING:
    from accounts.models import User


@transaction.atomic
def place_hold(*, row: HeldModel, hold: Hold, reason: str = "", actor: User | None = None) -> HeldModel:
    """Keep a row until `lift_hold`; `reason` goes to the audit log. Raises Refused for the hold that it has already."""
    hold = Hold(hold)
    return _change(row, hold, f"{row} is under the {hold.label.lower()} already.", "HOLD_PLACED", reason, actor)


@transaction.atomic
def lift_hold(*, row: HeldModel, reason: str = "", actor: User | None = None) -> HeldModel:
    """Let maintenance treat a row by its age again. Raises Refused if nothing holds it."""
    return _change(row, "", f"Nothing holds {row}.", "HOLD_LIFTED", reason, actor)


def _change(row: HeldModel, hold: str, refusal: str, event_type: str, reason: str, actor: User | None) -> HeldModel:
    rows: Any = type(row)._base_manager
    stored = rows.select_for_update().filter(pk=row.pk).first()
    if stored is None:
        raise Refused(f"{row} is gone.")
    if stored.hold == hold:
        raise Refused(refusal)
    rows.filter(pk=row.pk).update(hold=hold)
    row.hold = hold
    changes = {"hold": [stored.hold, str(hold)]}
    announce("update", row, event_type=event_type, actor=actor, description=reason, changes=changes)
    return row
