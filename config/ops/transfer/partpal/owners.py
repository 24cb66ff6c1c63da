"""Whose each vehicle is, in eight bytes a vehicle, so that the parts need not look it up row by row."""

from __future__ import annotations

from array import array

PAGE_BITS = 10
NOBODY = 0


class Owners:
    """The sellers of vehicles, both by their rows in the source. Rows count from 1."""

    def __init__(self) -> None:
        self._pages: dict[int, array[int]] = {}

    def put(self, vehicle: int, seller: int) -> None:
        """Remember the seller of a vehicle."""
        page = self._pages.get(vehicle >> PAGE_BITS)
        if page is None:
            page = self._pages[vehicle >> PAGE_BITS] = array("q", [NOBODY]) * (1 << PAGE_BITS)
        page[vehicle & (1 << PAGE_BITS) - 1] = seller

    def of(self, vehicle: int) -> int:
        """Return the seller of a vehicle, or NOBODY for one that is not moved."""
        page = self._pages.get(vehicle >> PAGE_BITS)
        return NOBODY if page is None else page[vehicle & (1 << PAGE_BITS) - 1]
