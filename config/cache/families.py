"""Every kind of cached answer: its name, how long it is kept and what ends it earlier.

Names that a write ends ("namespaces") are plain words here, so that this module knows no app; the apps say which table
writes to which of them when they start (`config.cache.writes.watch`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from config.cache.keys import identity

# Seconds.
SHORT = 60
MEDIUM = 300
TEN_MINUTES = 600
LONG = 3600
DAY = 86_400
WEEK = 604_800

# "There is no such thing" is believed this long and no longer.
NOTHING_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Answers to one question, asked with different filters.

    `depends` are the namespaces whose writes end all of them. With `by_row` an answer is about the one row that the
    filter names, and ends when `row_name` of it is written to as well. Answers of a `personal` family belong to one
    user, those of a `translated` one to one language. Answers of a `frozen` family are data that nobody changes: a
    process makes one object of the same bytes and hands it to all. Raise `version` when what is kept changes its shape.
    """

    name: str
    seconds: int
    depends: tuple[str, ...]
    by_row: bool = False
    personal: bool = False
    translated: bool = False
    frozen: bool = False
    version: int = 1

    def row_name(self, ident: Any) -> str:
        """Return the namespace of one row alone."""
        return f"{self.name}:{identity(ident)}"


# "car", "part" and "seller" end with writes of which nobody said which row they are about; "traders" with those to what
# other pages show of a seller, such as its name and whether it is verified.

# A car by its public id, and by its slug or a former one.
CAR = Family(name="car", seconds=LONG, depends=("car", "traders"), by_row=True, frozen=True)
CAR_BY_SLUG = Family(name="car:slug", seconds=LONG, depends=("car", "traders"), by_row=True, frozen=True)
CARS_LIST = Family(name="cars:list", seconds=MEDIUM, depends=("cars", "traders"), frozen=True)
# The lists of one make and of one segment.
CARS_BRAND = Family(name="cars:brand", seconds=MEDIUM, depends=("cars", "traders"), frozen=True)
CARS_CATEGORY = Family(name="cars:category", seconds=MEDIUM, depends=("cars", "traders"), frozen=True)
CARS_RELATED = Family(name="cars:related", seconds=LONG, depends=("cars", "traders"))
CARS_FEATURED = Family(name="cars:featured", seconds=MEDIUM, depends=("cars", "traders"))
# Makes, segments and how many there are of each.
CARS_MAKES = Family(name="cars:makes", seconds=DAY, depends=("cars", "traders"))

PART = Family(name="part", seconds=MEDIUM, depends=("part", "traders", "categories"), by_row=True, frozen=True)
PARTS_LIST = Family(name="parts:list", seconds=MEDIUM, depends=("parts", "traders", "categories"), frozen=True)
PARTS_SEARCH = Family(name="parts:search", seconds=SHORT, depends=("parts", "traders", "categories"), frozen=True)
PARTS_FACETS = Family(name="parts:facets", seconds=TEN_MINUTES, depends=("parts", "traders", "categories"))
PARTS_SUGGESTIONS = Family(name="parts:suggestions", seconds=SHORT, depends=("parts", "cars", "traders"))
PARTS_FEATURED = Family(name="parts:featured", seconds=MEDIUM, depends=("parts", "traders", "categories"))
# The tree, with how many parts the marketplace shows of each.
CATEGORIES = Family(name="categories", seconds=DAY, depends=("categories", "parts", "traders"))

SELLER = Family(name="seller", seconds=LONG, depends=("seller",), by_row=True)
SELLERS_LIST = Family(name="sellers:list", seconds=MEDIUM, depends=("sellers",), frozen=True)
SELLERS_NEARBY = Family(name="sellers:nearby", seconds=SHORT, depends=("sellers",), frozen=True)
# Provinces and cities.
SELLERS_PLACES = Family(name="sellers:places", seconds=DAY, depends=("traders",))

VOUCHERS_NEARBY = Family(name="vouchers:nearby", seconds=SHORT, depends=("vouchers", "sellers", "texts"),
                         translated=True)  # fmt: skip

# One box over everything that is public, by the language as well.
SEARCH = Family(name="search", seconds=SHORT, depends=("cars", "parts", "sellers", "vouchers", "categories", "texts"),
                frozen=True)  # fmt: skip

# How much stock there is.
STATISTICS = Family(name="stats", seconds=MEDIUM, depends=("cars", "parts", "sellers"))
# All of it together. A big marketplace writes every second, and would count a million rows as often: only time ends it.
STOCK_TOTALS = Family(name="stats:totals", seconds=SHORT, depends=())
# How many leads there are of each status, as one user may see them; the leads themselves are not kept.
CONTACTS = Family(name="contacts", seconds=MEDIUM, depends=("contacts",), personal=True)

FAMILIES: dict[str, Family] = {family.name: family for family in list(globals().values()) if isinstance(family, Family)}
# Writing to all of these ends every answer there is.
NAMESPACES = frozenset(name for family in FAMILIES.values() for name in family.depends)
