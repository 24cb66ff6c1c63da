"""The pictures of the demo stock: which there are, under which address, and how they are drawn anew.

They are static files, so every way of serving Forecourt serves them and seeding writes no file. After changing a
drawing, `python -m config.ops.seeding.pictures` writes them again.
"""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from config.ops.seeding.car_drawings import draw_car
from config.ops.seeding.fixtures import read_fixture
from config.ops.seeding.part_drawings import draw_part

FOLDER = Path(__file__).resolve().parents[2] / "static" / "stock"

# The fixtures name colours as the seller does.
PAINT_NAMES = {
    "Harmaa": "grey",
    "Hopea": "silver",
    "Musta": "black",
    "Punainen": "red",
    "Sininen": "blue",
    "Valkoinen": "white",
    "Vihreä": "green",
}
CAR_VIEWS = {"showroom": "in the showroom", "yard": "in the yard"}
PART_VIEWS = {"whole": "the whole part", "detail": "in detail"}


def car_picture_urls(body: str, color: str) -> list[tuple[str, str]]:
    """Return what each picture shows, and its address."""
    return [(words, picture_url(f"car-{body}-{PAINT_NAMES[color]}-{place}")) for place, words in CAR_VIEWS.items()]


def part_picture_urls(kind: str) -> list[tuple[str, str]]:
    """Return what each picture shows, and its address."""
    return [(words, picture_url(f"part-{kind}-{view}")) for view, words in PART_VIEWS.items()]


def picture_url(name: str) -> str:
    """Return the address of a drawing."""
    return f"/{settings.STATIC_URL.lstrip('/')}stock/{name}.svg"


def draw_all() -> dict[str, str]:
    """Return every picture that the demo and the made-up stock ask for, by its file's name."""
    kroi, partpal, demo = (read_fixture(name) for name in ("kroi", "partpal", "demo"))
    cars = {(car["drawing"], PAINT_NAMES[car["color"]]) for car in [*kroi["cars"], *demo["cars"]]}
    parts = [*(part for vehicle in partpal["vehicles"] for part in vehicle["parts"]), *demo["parts"]]
    views = {(part["drawing"], view) for part in parts for view in list(PART_VIEWS)[: part["pictures"]]}
    drawings = {
        f"car-{body}-{paint}-{place}.svg": draw_car(body, paint, place) for body, paint in cars for place in CAR_VIEWS
    }
    # Made-up cars come in every paint.
    bodies = {body for body, _ in cars}
    drawings |= {
        f"car-{body}-{paint}-showroom.svg": draw_car(body, paint, "showroom")
        for body in bodies
        for paint in PAINT_NAMES.values()
    }
    return drawings | {f"part-{kind}-{view}.svg": draw_part(kind, view) for kind, view in views}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, drawing in draw_all().items():
        (FOLDER / name).write_text(drawing, encoding="utf-8")
