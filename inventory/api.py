"""What is for sale, over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Literal

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from ninja import Path, Query, Router, Schema
from pydantic import ValidationInfo, field_validator

from accounts.languages import TRANSLATED
from accounts.models.sellers import BusinessType
from accounts.queries import SellerFilters, language_for_request
from accounts.queries.sellers import NEARBY_RADIUS_KM
from config.answers import FRESH_SECONDS, Missing, answer
from config.pages import Page
from config.parameters import (
    Amount,
    CarName,
    Latitude,
    Longitude,
    Paging,
    PublicId,
    Radius,
    Word,
    Year,
    asked,
)
from inventory.models.base import Condition, FuelType, Transmission
from inventory.models.cars import Segment
from inventory.queries import (
    CarCard,
    CarDetails,
    CarFilters,
    CategoryNode,
    PartCard,
    PartDetails,
    PartFacets,
    PartFilters,
    SellerProfile,
    SellerStock,
    Suggestions,
    car_by_id,
    car_by_slug,
    car_list,
    cars_per_segment,
    category_tree,
    featured_cars,
    featured_parts,
    makes_in_stock,
    part_by_id,
    part_facets,
    part_list,
    related_cars,
    seller_with_stock,
    sellers_with_stock,
    suggestions,
)
from inventory.queries.cars import FEATURED_LIMIT as FEATURED_CARS
from inventory.queries.cars import LARGEST_LIMIT, RELATED_LIMIT
from inventory.queries.featured import FEATURED_LIMIT as FEATURED_PARTS
from inventory.queries.parts import Circle

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

MOVED = {
    "responses": {
        HTTPStatus.MOVED_PERMANENTLY.value: {
            "description": "The slug is a former one",
            "headers": {"Location": {"description": "The car's address", "schema": {"type": "string"}}},
        }
    }
}

cars = Router(tags=["cars"])
parts = Router(tags=["parts"])
categories = Router(tags=["categories"])
sellers = Router(tags=["sellers"])


class CarQuery(Schema):
    """What cars are looked for; both ends of a range belong to it."""

    q: Word = asked("", "Words of the name or description; typing errors are forgiven.", "octavia combi")
    make: Word = asked("", "In any case.", "Skoda")
    category: Segment | None = asked(None, "What kind of car.", "SUV")
    price_min: Amount | None = asked(None, "Lowest price.", "5000")
    price_max: Amount | None = asked(None, "Highest price.", "20000")
    year_min: Year | None = asked(None, "Earliest model year.", 2015)
    year_max: Year | None = asked(None, "Latest model year.", 2026)
    fuel: FuelType | None = asked(None, "Fuel.", "DIESEL")
    transmission: Transmission | None = asked(None, "Transmission.", "MANUAL")
    featured: bool | None = asked(None, "Only featured ones, or only others.", True)
    sort: Literal[
        "relevance", "newest", "oldest", "price", "-price", "year", "-year", "mileage", "-mileage", "name", "-name"
    ] = asked("relevance", "Order; a hyphen turns it round.", "price")  # fmt: skip

    def filters(self) -> CarFilters:
        """Return them as the queries take them."""
        return CarFilters(
            text=self.q,
            make=self.make,
            segment=self.category or "",
            price_min=self.price_min,
            price_max=self.price_max,
            year_min=self.year_min,
            year_max=self.year_max,
            fuel_type=self.fuel or "",
            transmission=self.transmission or "",
            featured=self.featured,
        )


class PartQuery(Schema):
    """What parts are looked for; both ends of a range belong to it."""

    q: Word = asked("", "Words of the name or description, or a part number.", "alternator")
    make: Word = asked("", "The vehicle's make, exactly.", "Toyota")
    model: Word = asked("", "A piece of the vehicle's model.", "Corolla")
    year: Year | None = asked(None, "The vehicle's model year.", 2015)
    price_min: Amount | None = asked(None, "Lowest price.", "100")
    price_max: Amount | None = asked(None, "Highest price.", "2500")
    condition: list[Condition] = asked([], "One or more grades.", ["GOOD", "EXCELLENT"], max_length=6)
    category: Word = asked("", "Slug or public id of a category; all below it belongs to it.", "engine-parts")
    province: Word = asked("", "Where the seller is.", "Gauteng")
    city: Word = asked("", "Where the seller is.", "Johannesburg")
    seller: Word = asked("", "Public id of the seller.", "01HFVRV302N138Z5EDHZ18YVT6")
    latitude: Latitude | None = asked(None, "Centre of a circle around sellers, with `longitude`.", -33.9249)
    longitude: Longitude | None = asked(
        None, "Centre of a circle around sellers, with `latitude`.", 18.4241, validate_default=True
    )
    radius_km: Radius | None = asked(None, f"Kilometres around the centre; {NEARBY_RADIUS_KM:g} if left out.", 25)

    @field_validator("longitude")
    @classmethod
    def _lies_on_a_latitude(cls, longitude: float | None, others: ValidationInfo) -> float | None:
        if (longitude is None) != (others.data.get("latitude") is None):
            raise ValueError("a centre has a latitude and a longitude: give both or neither")
        return longitude

    @field_validator("radius_km")
    @classmethod
    def _has_a_centre(cls, radius_km: float | None, others: ValidationInfo) -> float | None:
        if others.data.get("longitude") is None:
            raise ValueError("a circle has a centre: give latitude and longitude as well")
        return radius_km

    def filters(self) -> PartFilters:
        """Return them as the queries take them."""
        circle = None
        if self.latitude is not None and self.longitude is not None:
            circle = Circle(self.latitude, self.longitude, self.radius_km or NEARBY_RADIUS_KM)
        return PartFilters(
            text=self.q,
            make=self.make,
            model=self.model,
            year=self.year,
            price_min=self.price_min,
            price_max=self.price_max,
            conditions=tuple(self.condition),
            category=self.category,
            province=self.province,
            city=self.city,
            seller=self.seller,
            circle=circle,
        )


class PartListQuery(PartQuery):
    """What parts are looked for, and in which order."""

    sort: Literal["relevance", "newest", "oldest", "price", "-price"] = asked(
        "relevance", "Order; a hyphen turns it round.", "price"
    )


class SellerQuery(Schema):
    """Which sellers."""

    province: Word = asked("", "Where they are.", "Western Cape")
    city: Word = asked("", "Where they are.", "Cape Town")
    type: BusinessType | None = asked(None, "What they are.", "DISMANTLER")
    verified: bool | None = asked(None, "Only verified ones, or only others.", True)

    def filters(self) -> SellerFilters:
        """Return them as the queries take them."""
        return SellerFilters(
            province=self.province, city=self.city, business_type=self.type or "", verified=self.verified
        )


class Few(Schema):
    """How many rows of a short list."""

    limit: int | None = asked(None, "Most rows to give.", 6, ge=1, le=LARGEST_LIMIT)


@cars.get("", response=Page[CarCard], summary="Cars for sale")
def list_cars(request: HttpRequest, query: Query[CarQuery], paging: Query[Paging]) -> HttpResponseBase:
    """The cars for sale, a page at a time."""
    found = car_list(query.filters(), now=timezone.now(), sort=query.sort, wanted=paging.wanted())
    return answer(request, found)


@cars.get("/featured", response=list[CarCard], summary="Featured cars")
def list_featured_cars(request: HttpRequest, few: Query[Few]) -> HttpResponseBase:
    """The newest featured cars."""
    return answer(request, featured_cars(now=timezone.now(), limit=few.limit or FEATURED_CARS))


@cars.get("/makes", response=list[str], summary="Makes in stock")
def list_makes(request: HttpRequest) -> HttpResponseBase:
    """The makes of the cars for sale, in order."""
    return answer(request, makes_in_stock(now=timezone.now()))


@cars.get("/categories", response=dict[str, int], summary="Cars of each category")
def list_segments(request: HttpRequest) -> HttpResponseBase:
    """How many cars of each category are for sale."""
    return answer(request, cars_per_segment(now=timezone.now()))


@cars.get("/{name}", response=CarDetails, summary="One car", openapi_extra=MOVED)
def read_car(request: HttpRequest, name: Path[CarName]) -> HttpResponseBase:
    """One car by slug or public id, with everything on it; a former slug leads to the present one."""
    now = timezone.now()
    found = car_by_slug(name, now=now)
    if found is not None and found.moved:
        query = request.META.get("QUERY_STRING", "")
        here = reverse("api-v1:read_car", args=[found.car.slug]) + (f"?{query}" if query else "")
        # A slug may come back to another car, so nobody keeps the way for ever.
        headers = {"Location": here, "Cache-Control": f"public, max-age={FRESH_SECONDS}"}
        return HttpResponse(status=HTTPStatus.MOVED_PERMANENTLY, headers=headers)
    car = found.car if found is not None else car_by_id(name, now=now)
    if car is None:
        raise Missing(f"There is no car {name!r} for sale.")
    return answer(request, car)


@cars.get("/{name}/related", response=list[CarCard], summary="Related cars")
def list_related_cars(request: HttpRequest, name: Path[CarName], few: Query[Few]) -> HttpResponseBase:
    """Other cars: of the same make first, then of the same category, then any."""
    found = related_cars(name, now=timezone.now(), limit=few.limit or RELATED_LIMIT)
    if found is None:
        raise Missing(f"There is no car {name!r} for sale.")
    return answer(request, found)


@parts.get("", response=Page[PartCard], summary="Parts for sale")
def list_parts(request: HttpRequest, query: Query[PartListQuery], paging: Query[Paging]) -> HttpResponseBase:
    """The parts for sale, a page at a time."""
    return answer(request, part_list(query.filters(), sort=query.sort, wanted=paging.wanted()))


@parts.get("/facets", response=PartFacets, summary="What found parts have in common")
def read_facets(request: HttpRequest, query: Query[PartQuery]) -> HttpResponseBase:
    """Makes, conditions and prices of the parts that the same parameters find."""
    return answer(request, part_facets(query.filters()))


class Typed(Schema):
    """What somebody has typed so far."""

    q: Word = asked(..., "The beginning of a name, make or model.", "alt")
    make: Word = asked("", "Only models of this make.", "Toyota")


@parts.get("/autocomplete", response=Suggestions, summary="What somebody may mean")
def suggest(request: HttpRequest, typed: Query[Typed]) -> HttpResponseBase:
    """At most 10 names of parts, makes and models each, from the second letter on."""
    return answer(request, suggestions(typed.q, now=timezone.now(), make=typed.make))


@parts.get("/featured", response=list[PartCard], summary="Featured parts")
def list_featured_parts(request: HttpRequest, few: Query[Few]) -> HttpResponseBase:
    """Parts of the best rated sellers."""
    return answer(request, featured_parts(limit=few.limit or FEATURED_PARTS))


@parts.get("/{public_id}", response=PartDetails, summary="One part")
def read_part(request: HttpRequest, public_id: Path[PublicId]) -> HttpResponseBase:
    """One part with everything on it."""
    found = part_by_id(public_id)
    if found is None:
        raise Missing(f"There is no part {public_id!r} for sale.")
    return answer(request, found)


@categories.get("", response=list[CategoryNode], summary="Categories of parts")
def list_categories(request: HttpRequest) -> HttpResponseBase:
    """The tree of categories, each before those below it, with how many parts are for sale in it and below it."""
    return answer(request, category_tree())


@sellers.get("", response=Page[SellerStock], summary="Sellers", openapi_extra=TRANSLATED)
def list_sellers(request: HttpRequest, query: Query[SellerQuery], paging: Query[Paging]) -> HttpResponseBase:
    """The sellers, verified ones first, then by rating, then by sales, with how much each of them has."""
    language = language_for_request(request)
    found = sellers_with_stock(query.filters(), wanted=paging.wanted(), language=language)
    return answer(request, found, translated=True)


@sellers.get("/{public_id}", response=SellerProfile, summary="One seller", openapi_extra=TRANSLATED)
def read_seller(request: HttpRequest, public_id: Path[PublicId]) -> HttpResponseBase:
    """One seller with everything on it."""
    found = seller_with_stock(public_id, language=language_for_request(request))
    if found is None:
        raise Missing(f"There is no seller {public_id!r}.")
    return answer(request, found, translated=True)
