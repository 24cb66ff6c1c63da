"""Why a change to the stock is refused; the text of each is a sentence for staff."""

from __future__ import annotations

from config.db.errors import Refused


class WrongState(Refused):
    """The row is not in a state from which this can be done."""


class ChangedMeanwhile(Refused):
    """Somebody else was faster."""


class SellerNotReady(Refused):
    """The seller may not sell on the marketplace at present."""


class StillInUse(Refused):
    """Other rows need this one."""


class Taken(Refused):
    """A live row has what must be unique."""


class NotAllowed(Refused):
    """The person may not do this."""
