"""The stock, found by what somebody types; see `config.db.search` for what is found first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from django.db.models import Count

from config.db.reading import in_order_of
from config.db.search import Found, Searched, matching, search
from config.db.words import Holds, searched_words, words_of
from inventory.models import Car, Part, Vehicle
from inventory.models.cars import CAR_NAMES, CAR_SHOWN_TEXTS, CAR_TEXTS
from inventory.models.parts import PART_NAMES, PART_TEXTS, VEHICLE_NAMES, VEHICLE_TEXTS

if TYPE_CHECKING:
    from django.db.models import Q, QuerySet

PARTS = Searched(PART_NAMES, PART_TEXTS, number="part_number_norm", number_begins=True)
CARS = Searched(CAR_NAMES, CAR_TEXTS, number="vin", number_of_live=True)
# For those who may not know a VIN: whoever finds a car by its beginning can guess it letter by letter.
SHOWN_CARS = Searched(CAR_NAMES, CAR_SHOWN_TEXTS)
VEHICLES = Searched(VEHICLE_NAMES, VEHICLE_TEXTS, number="vin", number_of_live=True)
SHORTEST_PREFIX = 2
SUGGESTIONS = 10

# The newest rows from which different names are picked. Of more, a word that one row in fifty holds would not be found
# among the newest ones any more.
_LOOKED_THROUGH = 40


def search_parts(text: str, *, within: QuerySet[Part] | None = None, limit: int = 20, offset: int = 0) -> Found:
    """Return the keys of a page of parts, those with the number first; `within` (live parts) may be filtered only."""
    return search(PARTS, text, Part.objects.all() if within is None else within, limit=limit, offset=offset)


def search_cars(text: str, *, within: QuerySet[Car] | None = None, limit: int = 20, offset: int = 0) -> Found:
    """Return the keys of a page of cars, the one with the VIN first; `within` (live cars) may be filtered only."""
    return search(CARS, text, Car.objects.all() if within is None else within, limit=limit, offset=offset)


def search_vehicles(text: str, *, within: QuerySet[Vehicle] | None = None, limit: int = 20, offset: int = 0) -> Found:
    """Return the keys of a page of donor vehicles, as `search_cars` does."""
    return search(VEHICLES, text, Vehicle.objects.all() if within is None else within, limit=limit, offset=offset)


def matching_parts(text: str) -> Q:
    """Return the condition that `text`, as it is typed, finds a part: for lists in another order, and for counts."""
    return matching(PARTS, text, Part.all_objects.all())


def matching_shown_cars(text: str) -> Q:
    """Return the condition that `text`, as it is typed, finds a car by what the marketplace shows of it."""
    return matching(SHOWN_CARS, text, Car.all_objects.all())


def suggest_part_names(prefix: str, *, within: QuerySet[Part] | None = None, limit: int = SUGGESTIONS) -> list[str]:
    """Return different names of parts that hold the words, those of the newest parts first."""
    words = searched_words(prefix)
    if sum(map(len, words)) < SHORTEST_PREFIX:
        return []
    rows = Part.objects.all() if within is None else within
    found = search(Searched(PARTS.names, PARTS.names), prefix, rows, limit=_LOOKED_THROUGH)
    names = dict(Part.objects.filter(pk__in=found.ids).order_by().values_list("pk", "name"))
    return list(dict.fromkeys(in_order_of(found.ids, names)))[:limit]


def suggest_makes_and_models(
    prefix: str, *, cars: QuerySet[Car], vehicles: QuerySet[Vehicle], make: str = "", limit: int = SUGGESTIONS
) -> tuple[list[str], list[str]]:
    """Return the makes, and the models (of one make in any case, if given), that begin so, the most frequent first.

    They are those of `cars` and of donor `vehicles`, which may be filtered only.
    """
    words = searched_words(prefix)
    if sum(map(len, words)) < SHORTEST_PREFIX:
        return [], []
    makes: Counter[str] = Counter()
    models: Counter[str] = Counter()
    for rows, what in ((cars, CARS), (vehicles, VEHICLES)):
        there = rows.filter(Holds(what.names, words)).order_by()
        for its_make, model, count in there.values_list("make", "model").annotate(n=Count("pk")):
            makes[its_make] += count
            if not make or its_make.lower() == make.lower():
                models[model] += count
    return _most_frequent(makes, words, limit), _most_frequent(models, words, limit)


def _most_frequent(counts: Counter[str], words: list[str], limit: int) -> list[str]:
    begins = " ".join(words)
    names = [name for name in counts if " ".join(words_of(name)).startswith(begins)]
    return sorted(names, key=lambda name: (-counts[name], name))[:limit]
