"""Examples of the HTTP API's answers, for its description: put together from its shapes, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Schema = Mapping[str, Any]

_CAR = {"slug": "skoda-octavia-2018", "name": "Skoda Octavia 2.0 TDI", "model": "Octavia", "status": "AVAILABLE"}
_SELLER = {"public_id": "cm3seller000108l4f2h7a1bq", "name": "Cape Car Breakers"}
_PART = {
    "public_id": "cm3part00000208l4c6xk9d2e",
    "name": "Alternator",
    "condition": "GOOD",
    "status": "AVAILABLE",
    "description": "From a running engine, tested, with pulley.",
    "picture_count": 1,
}
# By the name of the shape; what it leaves out comes from below.
_OF_SHAPE: dict[str, dict[str, Any]] = {
    "CarCard": _CAR,
    "CarDetails": {**_CAR, "title": "Skoda Octavia 2.0 TDI"},
    "CategoryName": {"public_id": "cm3cat000000408l4e1v5m8zk", "slug": "alternators", "name": "Alternators"},
    "CategoryNode": {
        "public_id": "cm3cat000000408l4e1v5m8zk",
        "slug": "alternators",
        "name": "Alternators",
        "icon": "bolt",
        "parent": "cm3cat000000308l4b9w2n7tr",
        "level": 2,
        "path": "electrics/alternators/",
    },
    "Count": {"value": "Skoda", "count": 412},
    "Band": {"lower": 1000, "upper": 5000, "count": 87},
    "Money": {"amount": "14900.00", "currency": "EUR"},
    "PartCard": _PART,
    "PartDetails": _PART,
    "PartFacets": {"total": 412, "conditions": [{"value": "GOOD", "count": 230}]},
    "Prices": {"currency": "ZAR", "count": 87, "lowest": "120.00", "highest": "8500.00", "average": "1340.50"},
    "SellerName": _SELLER,
    **dict.fromkeys(("SellerCard", "SellerNear", "SellerProfile", "SellerStock"), _SELLER),
    "Specification": {"label": "Towing capacity", "value": "1,600 kg"},
    "Suggestions": {"names": ["Alternator"], "makes": ["Alfa Romeo"], "models": []},
    "VehicleName": {"public_id": "cm3veh000000308l4a5tq8y6w"},
    "VoucherCard": {"amount": None, "description": "On all parts of engines.", "image_url": ""},
    "VoucherNear": {"amount": None, "description": "On all parts of engines.", "image_url": ""},
}
_OF_NAME: dict[str, Any] = {
    "public_id": "cm3car000000008l47g3d2h5s",
    "make": "Skoda",
    "model": "Octavia",
    "trim": "Style",
    "year": 2018,
    "mileage_km": 84_000,
    "color": "Blue",
    "fuel_type": "DIESEL",
    "transmission": "MANUAL",
    "drivetrain": "FWD",
    "engine_size": "2.0",
    "power_hp": 150,
    "condition": "EXCELLENT",
    "segment": "FAMILY",
    "condition_note": "One owner.",
    "picture_count": 3,
    "url": "/media/cars/octavia-front.jpg",
    "alt_text": "Blue estate car from the front",
    "image_url": "/media/vouchers/ten.jpg",
    "picture_url": "/media/sellers/yard.jpg",
    "part_number": "06F 903 023 C",
    "city": "Cape Town",
    "province": "Western Cape",
    "country": "ZA",
    "street": "12 Voortrekker Road",
    "postal_code": "7405",
    "latitude": -33.9249,
    "longitude": 18.4241,
    "distance_km": 3.2,
    "rating": "4.60",
    "business_type": "DISMANTLER",
    "total_sales": 231,
    "timezone": "Africa/Johannesburg",
    "phone": "+27215550123",
    "whatsapp": "+27825550123",
    "email": "parts@example.org",
    "website": "https://example.org",
    "business_hours": {
        day: {"isOpen": day != "sunday", "openTime": "08:00", "closeTime": "17:00"}
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    },
    "service_area": None,
    "vehicle_count": 38,
    "part_count": 412,
    "title": "10 % off",
    "terms": "One per person.",
    "percentage": "10.00",
    "description": "Serviced by the book, two sets of wheels.",
    "summary": "Serviced by the book.",
    "paragraphs": ["Serviced by the book.", "Two sets of wheels."],
    "features": ["Heated seats", "Tow bar"],
    "page_size": 20,
    "page": 1,
    "total": 1,
    "next": None,
    "previous": None,
    "searched_for": None,
    "valid_from": "2026-11-01T00:00:00Z",
    "expires_at": "2026-12-31T21:59:59Z",
}
_OF_TYPE: dict[str, Any] = {"boolean": True, "integer": 1, "number": 1.5, "null": None}


def example(schema: Schema, shapes: Mapping[str, Schema]) -> Any:
    """Return a value that `schema` (JSON Schema) describes; `shapes` are those that it refers to, by name."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        return _of_shape(name, shapes[name], lambda part: example(part, shapes))
    if choices := schema.get("anyOf"):
        return example(choices[0], shapes)
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "array":
        return [example(schema["items"], shapes)]
    if schema.get("type") == "object":
        return {"FAMILY": example(schema["additionalProperties"], shapes)}
    if schema.get("type") == "string":
        return "2026-11-21T09:30:00Z" if schema.get("format") == "date-time" else "Skoda"
    return _OF_TYPE[schema["type"]]


def _of_shape(name: str, shape: Schema, of_part: Callable[[Schema], Any]) -> Any:
    if "properties" not in shape:
        return of_part(shape)
    known = {**_OF_NAME, **_OF_SHAPE.get(name, {})}
    return {key: known[key] if key in known else of_part(part) for key, part in shape["properties"].items()}
