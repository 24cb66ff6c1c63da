"""Which primary keys the rows of a source get, and which rows stay behind.

A row keeps its rowid as its key, so that no map of keys has to be held; a merge translates them in the database.
"""

from __future__ import annotations

PAGE_BITS = 16


class RowKeys:
    """The keys of one run. What stays behind is a sparse bitmap per table: 8 kB for every 65,536 rows that hold one."""

    def __init__(self) -> None:
        self._pages: dict[str, dict[int, bytearray]] = {}

    def key(self, table: str, rowid: int) -> int:
        """Return the primary key of a row of the source's table."""
        return rowid

    def refuse(self, table: str, rowid: int) -> None:
        """Remember that this row is not moved."""
        pages = self._pages.setdefault(table, {})
        page = pages.get(rowid >> PAGE_BITS)
        if page is None:
            page = pages[rowid >> PAGE_BITS] = bytearray(1 << PAGE_BITS - 3)
        offset = rowid & (1 << PAGE_BITS) - 1
        page[offset >> 3] |= 1 << (offset & 7)

    def is_refused(self, table: str, rowid: int) -> bool:
        """Whether this row is not moved."""
        pages = self._pages.get(table)
        page = pages and pages.get(rowid >> PAGE_BITS)
        if not page:
            return False
        offset = rowid & (1 << PAGE_BITS) - 1
        return bool(page[offset >> 3] >> (offset & 7) & 1)
