"""Positions on the sphere: distances, boxes and polygons. Degrees are WGS 84, distances kilometres."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from itertools import pairwise
from math import asin, cos, degrees, radians, sin
from typing import TYPE_CHECKING, Any

from django.db.models import ExpressionWrapper, FloatField, Value
from django.db.models.functions import ASin, Least, Power, Radians, Sin, Sqrt

if TYPE_CHECKING:
    from collections.abc import Sequence

EARTH_RADIUS_KM = 6371.0088  # mean radius (IUGG)

# Keeps a point that lies exactly on the circle inside the box in spite of rounding; a tenth of a millimetre.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle between two parallels and two meridians; `west` is never greater than `east`."""

    south: float
    west: float
    north: float
    east: float


def boxes_between(*, north: float, east: float, south: float, west: float) -> list[Box]:
    """Return the rectangle with these edges: one box, or two where it crosses the 180th meridian (west > east)."""
    if west <= east:
        return [Box(south, west, north, east)]
    return [Box(south, west, north, 180.0), Box(south, -180.0, north, east)]


def boxes_around(latitude: float, longitude: float, radius_km: float) -> list[Box]:
    """Return boxes that hold every point within `radius_km` of a point.

    Meridians draw together towards the poles, so the box is wider in degrees of longitude than it is high, about
    1/cos(latitude) times; a circle that reaches a pole spans all longitudes.
    """
    angle = radius_km / EARTH_RADIUS_KM
    south, north = latitude - degrees(angle) - _ROUNDING, latitude + degrees(angle) + _ROUNDING
    if south <= -90 or north >= 90:
        return [Box(max(south, -90.0), -180.0, min(north, 90.0), 180.0)]
    # A circle on the sphere is widest not at its centre's parallel but poleward of it, hence the two sines.
    width = degrees(asin(min(1.0, sin(angle) / cos(radians(latitude))))) + _ROUNDING
    return boxes_between(north=north, east=_wrapped(longitude + width), south=south, west=_wrapped(longitude - width))


def edges_around(latitude: float, longitude: float, radius_km: float) -> tuple[float, ...]:
    """Return the edges of `boxes_around`, to stand as values in a statement that is kept; `boxes_of` undoes that."""
    return tuple(edge for box in boxes_around(latitude, longitude, radius_km) for edge in astuple(box))


def boxes_of(edges: Sequence[float]) -> list[Box]:
    """Return the boxes with these edges, of each its south, west, north and east."""
    return [Box(*edges[place : place + 4]) for place in range(0, len(edges), 4)]


def _wrapped(longitude: float) -> float:
    return (longitude + 180.0) % 360.0 - 180.0


def distance_km(latitude: float, longitude: float, to_latitude: Any, to_longitude: Any) -> Any:
    """Return an expression for the great-circle distance from a point to the position in two expressions.

    Haversine: exact for small distances too, where the law of cosines loses its digits.
    """
    # Turned into radians by the database, so that one text serves every point.
    north, east = (Value(degrees_, output_field=FloatField()) for degrees_ in (latitude, longitude))
    here, there = _from_zero(north, 90.0), _from_zero(to_latitude, 90.0)
    north_south = Sin((there - here) / Value(2.0))
    east_west = Sin((_from_zero(to_longitude, 180.0) - _from_zero(east, 180.0)) / Value(2.0))
    # Counted from the pole, the sine of a latitude is the cosine that the formula has.
    square = Power(north_south, 2) + Sin(here) * Sin(there) * Power(east_west, 2)
    return Value(2 * EARTH_RADIUS_KM) * ASin(Sqrt(Least(square, Value(1.0), output_field=FloatField())))


def _from_zero(degrees_: Any, lowest: float) -> Any:
    """Return an expression for degrees in radians, counted from the lowest there are.

    PostgreSQL refuses to calculate with numbers too small to be squared, and no sum with `lowest` is one.
    """
    return Radians(ExpressionWrapper(degrees_ + Value(lowest), output_field=FloatField()))


def in_polygon(polygon: dict[str, Any] | None, latitude: float, longitude: float) -> bool:
    """Return whether a GeoJSON polygon holds a point: inside the outer ring or on its edge, and not within a hole."""
    if polygon is None:
        return False
    outer, *holes = polygon["coordinates"]
    point = (longitude, latitude)
    if not (_on_edge(outer, point) or _inside(outer, point)):
        return False
    return not any(_inside(hole, point) and not _on_edge(hole, point) for hole in holes)


def _edges(ring: Sequence[Sequence[float]]) -> list[tuple[Sequence[float], Sequence[float]]]:
    return list(pairwise(ring))


def _inside(ring: Sequence[Sequence[float]], point: tuple[float, float]) -> bool:
    """Count how often a ray to the east crosses the ring: an odd number means inside."""
    x, y = point
    crossings = 0
    for (x1, y1, *_), (x2, y2, *_) in _edges(ring):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            crossings += 1
    return crossings % 2 == 1


def _on_edge(ring: Sequence[Sequence[float]], point: tuple[float, float]) -> bool:
    x, y = point
    for (x1, y1, *_), (x2, y2, *_) in _edges(ring):
        on_line = (x2 - x1) * (y - y1) == (y2 - y1) * (x - x1)
        if on_line and min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return True
    return False
