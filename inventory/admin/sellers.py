"""The stock on a seller's page: accounts knows no stock, so it is added from here."""

from __future__ import annotations

from accounts.admin.sellers import SellerAdmin
from config.staff.inlines import RelatedListInline
from inventory.models import SellerCategory, Vehicle


class VehicleInline(RelatedListInline):
    model = Vehicle
    fields = ("vin", "condition", "mileage_km", "acquired_at")


class CategoryInline(RelatedListInline):
    model = SellerCategory
    fields = ("category", "is_primary")
    verbose_name_plural = "categories"


SellerAdmin.inlines = (*SellerAdmin.inlines, VehicleInline, CategoryInline)
