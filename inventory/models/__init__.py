from __future__ import annotations

from inventory.models.cars import Car, CarFeature, CarImage, CarSlugHistory, CarSpecification
from inventory.models.categories import Category, SellerCategory
from inventory.models.parts import Part, PartImage, Vehicle

__all__ = [
    "Car",
    "CarFeature",
    "CarImage",
    "CarSlugHistory",
    "CarSpecification",
    "Category",
    "Part",
    "PartImage",
    "SellerCategory",
    "Vehicle",
]
