"""Which of the drawn pictures a made-up car or part shows."""

from __future__ import annotations

from functools import lru_cache

from config.ops.seeding.pictures import FOLDER, picture_url
from inventory.models.cars import Segment

BODIES = {
    Segment.PREMIUM: "saloon",
    Segment.FAMILY: "estate",
    Segment.SUV: "suv",
    Segment.COMPACT: "hatchback",
    Segment.SPORTS: "roadster",
    Segment.LUXURY: "saloon",
    Segment.ELECTRIC: "hatchback",
}
# Paints that are drawn in the nearest one.
NEAREST = {"Dark blue": "blue", "Bronze": "red", "Beige": "silver"}
# The last word of a part's name: its drawing. Other parts have no picture.
PART_DRAWINGS = {
    "door": "door",
    "bumper": "bumper",
    "headlight": "headlight",
    "engine": "engine",
    "block": "engine",
    "turbocharger": "turbocharger",
    "alternator": "alternator",
    "motor": "starter",
    "gearbox": "gearbox",
    "harness": "wiring",
}


@lru_cache
def car_pictures(segment: str, color: str) -> tuple[str, ...]:
    """Return the addresses of a car's pictures, in the showroom before in the yard."""
    paint = NEAREST.get(color, color.lower())
    return _drawn(f"car-{BODIES[Segment(segment)]}-{paint}", ("showroom", "yard"))


@lru_cache
def part_pictures(name: str) -> tuple[str, ...]:
    """Return the addresses of a part's pictures: the whole part and, of some, a detail."""
    kind = PART_DRAWINGS.get(name.lower().split()[-1])
    return () if kind is None else _drawn(f"part-{kind}", ("whole", "detail"))


def _drawn(name: str, views: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(picture_url(f"{name}-{view}") for view in views if (FOLDER / f"{name}-{view}.svg").exists())
