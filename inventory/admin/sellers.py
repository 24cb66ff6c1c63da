"""The stock on a seller's page, and what goes with a person: accounts knows no stock, so it is added from here."""

from __future__ import annotations

from accounts.admin.people import UserAdmin
from accounts.admin.sellers import SellerAdmin
from config.staff.inlines import RelatedListInline
from inventory.models import Car, SellerCategory, Vehicle


class VehicleInline(RelatedListInline):
    model = Vehicle
    fields = ("vin", "condition", "mileage_km", "acquired_at")


class CategoryInline(RelatedListInline):
    model = SellerCategory
    fields = ("category", "is_primary")
    verbose_name_plural = "categories"


SellerAdmin.inlines = (*SellerAdmin.inlines, VehicleInline, CategoryInline)
UserAdmin.purge_releases = UserAdmin.purge_releases.also(taken_along=(Car._meta.get_field("seller"),))
