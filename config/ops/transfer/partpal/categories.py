"""PartPal's tree of categories. It is small and its rows come in any order, so it is looked at as a whole first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.ops.transfer.layout import Move, Target
from config.ops.transfer.partpal.checking import RowCheck
from config.ops.transfer.partpal.duplicates import duplicates
from config.ops.transfer.source import read_rows
from config.ops.transfer.values import NULL, moment_cell
from inventory.models import Category
from inventory.slugs import free_slug

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from config.ops.transfer.layout import Context, SourceRow

LONGEST_NAME = 100
LONGEST_PATH = 1000

CATEGORIES = Target(
    Category,
    (
        *("id", "public_id", "name", "slug", "parent_id", "description", "is_active", "level", "path"),
        *("created_at", "updated_at", "icon", "sort_order"),
    ),
    defaulted=frozenset({"created_at", "updated_at", "icon", "sort_order"}),
)
SELECT = (
    'SELECT t.rowid, t.id, t.name, t."parentId", p.rowid, t.description, t."isActive"'
    ' FROM categories t LEFT JOIN categories p ON p.id = t."parentId"'
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a category stands in the tree."""

    parent: int | None
    slug: str
    level: int = 1
    path: str = ""
    is_cut: bool = False
    """Whether its parent was taken away, because it was in a ring."""


def categories(context: Context) -> Move:
    """Return how categories are moved. Those that cannot be are known before the first is."""
    return Move("categories", CATEGORIES, SELECT, _Categories(context).convert)


class _Categories:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.check = RowCheck(context, "categories")
        self.same_name = duplicates(context.source, "categories", "name", str.lower)
        self.now = moment_cell(context.now)
        self.places: dict[int, Place] = {}
        self._plan()

    def convert(self, row: SourceRow, _children: Sequence[list[str]]) -> str | None:
        rowid, parent_id = row[0], row[3]
        public_id, name, parent, description, is_active = self._cells(row)
        check, place = self.check, self.places.get(rowid)
        if place is None:
            return check.finish()
        if place.is_cut:
            message = "it is its own ancestor; the ring was cut here, and it is a root now"
            check.note("parentId", "cycle", message, parent_id)
            parent = NULL
        if len(place.path) > LONGEST_PATH:
            message = f"the path of its names down from the root has more than {LONGEST_PATH:,} characters"
            check.bad("parentId", "too_long", message, parent_id)
        where = (place.slug, parent, description, is_active, str(place.level), place.path)
        return check.finish(str(rowid), public_id, name, *where, self.now, self.now, "", "0")

    def _cells(self, row: SourceRow) -> tuple[str, str, str, str, str]:
        """Return the cells of what a row tells by itself, and its parent's as far as it is known by now."""
        rowid, public_id, name, parent_id, parent, description, is_active = row
        check = self.check
        check.begin(rowid, public_id)
        check.single("name", name, "name", self.same_name.get(rowid))
        if not isinstance(name, bytes) and not str(name or "").strip():
            check.bad("name", "missing", "it is empty, and the rule is that it is given", name)
        return (
            check.identifier("id", public_id),
            check.text("name", name, LONGEST_NAME),
            check.relative("parentId", "categories", parent_id, parent),
            check.text("description", description),
            check.boolean("isActive", is_active),
        )

    def _plan(self) -> None:
        """Give every sound category its slug and its place, and refuse the others before their children come."""
        parents: dict[int, int | None] = {}
        names: dict[int, str] = {}
        for row in read_rows(self.context.source, SELECT):
            rowid, _, name, _, parent, _, _ = row
            self._cells(row)
            if self.check.is_bad:
                self.context.keys.refuse("categories", rowid)
            else:
                parents[rowid], names[rowid] = parent, str(name)
        parents = {rowid: parent if parent in names else None for rowid, parent in parents.items()}
        cut = set(_rings(parents))
        parents |= dict.fromkeys(cut)
        slugs: set[str] = set()
        for rowid, name in names.items():
            slug = free_slug(name, slugs.__contains__, otherwise="category")
            slugs.add(slug)
            self.places[rowid] = Place(parents[rowid], slug, is_cut=rowid in cut)
        for rowid in _parents_first(parents):
            self._put(rowid)

    def _put(self, rowid: int) -> None:
        """Put a category below its parent, which has its place; below one that is too deep it becomes a root."""
        place = self.places[rowid]
        above = self.places[place.parent] if place.parent is not None else None
        if above is None or len(above.path) > LONGEST_PATH:
            self.places[rowid] = replace(place, path=f"{place.slug}/")
            return
        self.places[rowid] = replace(place, level=above.level + 1, path=f"{above.path}{place.slug}/")
        if len(self.places[rowid].path) > LONGEST_PATH:
            self.context.keys.refuse("categories", rowid)


def _rings(parents: dict[int, int | None]) -> Iterator[int]:
    """Yield of each ring of parents the first row, where it is cut."""
    seen: set[int] = set()
    for start in parents:
        walked: dict[int, None] = {}
        node: int | None = start
        while node is not None and node not in seen and node not in walked:
            walked[node] = None
            node = parents[node]
        if node is not None and node in walked:
            ring = list(walked)
            yield min(ring[ring.index(node) :])
        seen |= walked.keys()


def _parents_first(parents: dict[int, int | None]) -> Iterator[int]:
    """Yield every row after its parent."""
    done: set[int] = set()
    for start in parents:
        above = []
        node: int | None = start
        while node is not None and node not in done:
            above.append(node)
            done.add(node)
            node = parents[node]
        yield from reversed(above)
