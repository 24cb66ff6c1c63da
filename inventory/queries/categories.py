"""What the marketplace asks about the tree of part categories."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from django.db.models import Count

from config.cache import cached, families
from config.db.reading import shaped
from inventory.models import Category, Part

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class CategoryNode:
    """A category, its place in the tree, and how many parts the marketplace shows in it and below it."""

    public_id: str
    slug: str
    name: str
    icon: str
    parent: str | None  # public id
    level: int
    path: str
    part_count: int


def category_tree() -> list[CategoryNode]:
    """Return the categories, each before those below it, with two queries.

    One that is not active any more is there as long as it has parts or something active below it.
    """
    return cached(families.CATEGORIES, None, _category_tree)


def _category_tree() -> list[CategoryNode]:
    counts = dict(Part.objects.public().order_by().values_list("category").annotate(Count("pk")))
    rows = list(
        Category.objects.order_by("path").values_list(
            "pk", "is_active", "public_id", "slug", "name", "icon", "parent__public_id", "level", "path"
        )
    )
    totals: Counter[str] = Counter()
    shown: set[str] = set()
    for key, is_active, *_, path in rows:
        for above in _and_above(path):
            totals[above] += counts.get(key, 0)
            if is_active or key in counts:
                shown.add(above)
    return [shaped(CategoryNode, *row[2:], totals[row[-1]]) for row in rows if row[-1] in shown]


def _and_above(path: str) -> Iterator[str]:
    return accumulate(f"{slug}/" for slug in path.rstrip("/").split("/"))
