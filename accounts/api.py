"""Where sellers are, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ninja import Query, Router, Schema
from pydantic import ValidationInfo, field_validator

from accounts.languages import TRANSLATED
from accounts.queries import (
    SellerCard,
    SellerNear,
    cities,
    language_for_request,
    nearby_sellers,
    provinces,
    seller_cards,
    sellers_in_rectangle,
    sellers_serving,
)
from accounts.queries.sellers import NEARBY_LIMIT, NEARBY_RADIUS_KM
from config.answers import answer
from config.parameters import Latitude, Longitude, Radius, Word, asked

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

sellers = Router(tags=["sellers"])


class Point(Schema):
    """A place on Earth."""

    latitude: Latitude = asked(..., "Degrees, WGS 84.", -33.9249)
    longitude: Longitude = asked(..., "Degrees, WGS 84.", 18.4241)
    limit: int = asked(NEARBY_LIMIT, "Most sellers to give.", 20, ge=1, le=100)


class PointAround(Point):
    """A place and how far around it."""

    radius_km: Radius = asked(NEARBY_RADIUS_KM, "Kilometres around the point.", 10)


class Rectangle(Schema):
    """Two parallels and two meridians; with `west` greater than `east` it crosses the 180th meridian."""

    north: Latitude = asked(..., "Degrees.", -33.5)
    east: Longitude = asked(..., "Degrees.", 19.0)
    south: Latitude = asked(..., "Degrees.", -34.5)
    west: Longitude = asked(..., "Degrees.", 18.0)
    limit: int = asked(NEARBY_LIMIT, "Most sellers to give.", 20, ge=1, le=100)

    @field_validator("south")
    @classmethod
    def _lies_below(cls, south: float, others: ValidationInfo) -> float:
        if south > others.data.get("north", 90.0):
            raise ValueError("the southern edge lies north of the northern one")
        return south


class Province(Schema):
    """Which province."""

    province: Word = asked("", "Of this province alone.", "Western Cape")


@sellers.get("/nearby", response=list[SellerNear], summary="Sellers around a point", openapi_extra=TRANSLATED)
def sellers_nearby(request: HttpRequest, point: Query[PointAround]) -> HttpResponseBase:
    """Verified sellers around a point, nearest first; a mobile vendor is where it was last seen."""
    language = language_for_request(request)
    found = nearby_sellers(point.latitude, point.longitude, point.radius_km, point.limit, language=language)
    return answer(request, found, translated=True)


@sellers.get("/rectangle", response=list[SellerCard], summary="Sellers in a rectangle", openapi_extra=TRANSLATED)
def sellers_between(request: HttpRequest, corners: Query[Rectangle]) -> HttpResponseBase:
    """Verified sellers between two corners, such as those of a map."""
    edges: dict[str, Any] = corners.dict()
    keys = list(sellers_in_rectangle(**edges).values_list("pk", flat=True))
    return answer(request, seller_cards(keys, language=language_for_request(request)), translated=True)


@sellers.get("/serving", response=list[SellerCard], summary="Sellers that serve a point", openapi_extra=TRANSLATED)
def sellers_for(request: HttpRequest, point: Query[Point]) -> HttpResponseBase:
    """Verified sellers whose service area holds the point."""
    keys = [seller.pk for seller in sellers_serving(point.latitude, point.longitude, point.limit)]
    return answer(request, seller_cards(keys, language=language_for_request(request)), translated=True)


@sellers.get("/provinces", response=list[str], summary="Provinces with sellers")
def seller_provinces(request: HttpRequest) -> HttpResponseBase:
    """The provinces where verified sellers are, in order."""
    return answer(request, provinces())


@sellers.get("/cities", response=list[str], summary="Cities with sellers")
def seller_cities(request: HttpRequest, of: Query[Province]) -> HttpResponseBase:
    """The cities where verified sellers are, in order."""
    return answer(request, cities(province=of.province))
