"""Vehicles that are being broken, and the parts won from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from accounts.models import Seller
from config.db.base import (
    HeldModel,
    Hold,
    LiveManager,
    PublicIdModel,
    SoftDeleteModel,
    TimestampedModel,
)
from config.db.composite_keys import CompositeForeignKey
from config.db.constraints import check, choice_valid, currency_valid, public_id_unique, unique
from config.db.fields import UpperCharField
from config.db.iso import validate_currency
from config.db.locks import lock_keys
from config.db.words import WordIndex, Words
from inventory.handing_over import hand_over
from inventory.models.base import (
    Condition,
    ImageBase,
    StockQuerySet,
    VehicleBase,
    price_field,
    price_positive,
    sold_when_dated,
)
from inventory.models.categories import Category

if TYPE_CHECKING:
    from collections.abc import Iterable


# What searches look through: the names, and all texts.
VEHICLE_NAMES = ("make", "model", "trim", "year")
VEHICLE_TEXTS = (*VEHICLE_NAMES, "vin", "color", "engine_size", "description")
PART_NAMES = ("name",)
PART_TEXTS = (*PART_NAMES, "part_number", "part_number_norm", "description")

SELLER_OF_VEHICLE = "The part must belong to the seller of its vehicle."


class PartStatus(models.TextChoices):
    AVAILABLE = "AVAILABLE", "Available"
    RESERVED = "RESERVED", "Reserved"
    SOLD = "SOLD", "Sold"


def normalize_part_number(part_number: str | None) -> str | None:
    """Return the part number as it is searched: capital letters and digits only; None when nothing is left."""
    return re.sub(r"[^0-9A-Z]", "", (part_number or "").upper()) or None


def _saves(update_fields: set[str] | None, name: str) -> bool:
    return update_fields is None or not update_fields.isdisjoint({name, f"{name}_id"})


class Vehicle(VehicleBase, HeldModel):
    """A vehicle that a seller breaks for parts."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="vehicles")
    acquired_at = models.DateTimeField("acquired")
    source_car = models.OneToOneField(
        "inventory.Car",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="dismantled_as",
        help_text="The car of our own stock that was taken off sale to be broken.",
    )
    description = models.TextField(blank=True, default="")

    objects = LiveManager.from_queryset(StockQuerySet)()
    all_objects = models.Manager.from_queryset(StockQuerySet)()

    class Meta:
        verbose_name = "donor vehicle"
        ordering = ["-created_at", "-id"]
        constraints = [
            *VehicleBase.Meta.constraints,
            choice_valid("hold", Hold, blank=True),
            # What the parts refer to.
            unique("id_seller_unique", "id", "seller", message="This vehicle is there already."),
        ]
        indexes = [
            models.Index(name="vehicle_make_model_year", fields=["make", "model", "year"]),
            # The back office lists: one value, newest first, or all in the order of the column.
            models.Index(name="vehicle_year", fields=["year", "created_at", "id"]),
            models.Index(name="vehicle_condition", fields=["condition", "created_at", "id"]),
            models.Index(name="vehicle_fuel", fields=["fuel_type", "created_at", "id"]),
            models.Index(name="vehicle_transmission", fields=["transmission", "created_at", "id"]),
            models.Index(name="vehicle_mileage", fields=["mileage_km"]),
            models.Index(name="vehicle_acquired", fields=["acquired_at"]),
            models.Index(name="vehicle_created", fields=["-created_at"]),
            WordIndex(Words(*VEHICLE_NAMES), name="vehicle_name_words"),
            WordIndex(Words(*VEHICLE_TEXTS), name="vehicle_words"),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [str(self.year), self.make, self.model, self.trim]))

    @transaction.atomic
    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the vehicle; its parts go along when it changes hands, and so do their sales."""
        update_fields = None if update_fields is None else set(update_fields)
        before = self._stored_seller() if _saves(update_fields, "seller") else None
        super().save(*args, update_fields=update_fields, **kwargs)
        parts = Part.all_objects.filter(vehicle=self)
        if before not in {None, self.seller_id} and parts.update(seller_id=self.seller_id):
            sold = parts.filter(status=PartStatus.SOLD).count()
            hand_over(row=self, parts=parts, sold=sold, giver=before, taker=self.seller_id)

    def _stored_seller(self) -> int | None:
        if self._state.adding:
            return None
        stored = type(self).all_objects.filter(pk=self.pk).select_for_update(no_key=True)
        return stored.values_list("seller_id", flat=True).first()


class PartQuerySet(StockQuerySet["Part"]):
    def available(self) -> Self:
        return self.filter(status=PartStatus.AVAILABLE)

    def public(self) -> Self:
        """Parts that the marketplace shows: listed, available, of a live and verified seller."""
        return (
            self.live()
            .available()
            .filter(is_listed=True, seller__is_verified=True, seller__is_active=True, seller__deleted_at__isnull=True)
        )


class Part(PublicIdModel, TimestampedModel, SoftDeleteModel, HeldModel):
    """One part from one vehicle."""

    # The rule that both have one seller says in the database what this key would, and more.
    vehicle = models.ForeignKey(
        Vehicle, on_delete=models.CASCADE, related_name="parts", db_index=False, db_constraint=False
    )
    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="parts", db_index=False)
    category = models.ForeignKey(
        Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="parts", db_index=False
    )
    name = models.CharField(max_length=200)
    part_number = UpperCharField(max_length=100, null=True, blank=True, help_text="As the maker writes it.")
    description = models.TextField()
    condition = models.CharField(max_length=12, choices=Condition, default=Condition.GOOD)
    price = price_field()
    currency = UpperCharField(
        max_length=3, default="ZAR", validators=[validate_currency], help_text="ISO 4217, such as ZAR."
    )
    yard_location = models.CharField(
        max_length=100, blank=True, default="", help_text="Where it lies, such as Bay A-15."
    )

    status = models.CharField(max_length=12, choices=PartStatus, default=PartStatus.AVAILABLE)
    is_listed = models.BooleanField("listed", default=False, help_text="Shown on the marketplace.")
    reserved_until = models.DateTimeField(null=True, blank=True)
    sold_at = models.DateTimeField("sold", null=True, blank=True)
    part_number_norm = models.CharField("part number (searched)", max_length=100, null=True, blank=True, editable=False)

    objects = LiveManager.from_queryset(PartQuerySet)()
    all_objects = models.Manager.from_queryset(PartQuerySet)()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            public_id_unique(),
            choice_valid("condition", Condition),
            choice_valid("status", PartStatus),
            choice_valid("hold", Hold, blank=True),
            currency_valid(),
            price_positive(),
            sold_when_dated(PartStatus.SOLD),
            check(
                "sold_not_listed",
                ~Q(status=PartStatus.SOLD, is_listed=True),
                "A sold part cannot be listed on the marketplace.",
            ),
            check(
                "reserved_until_when_reserved",
                Q(reserved_until__isnull=True) | Q(status=PartStatus.RESERVED),
                "Only a reserved part has a date until which it is reserved.",
            ),
            CompositeForeignKey(
                name="part_vehicle_seller",
                fields=["vehicle", "seller"],
                to_fields=["id", "seller"],
                violation_error_message=SELLER_OF_VEHICLE,
            ),
        ]
        indexes = [
            models.Index(name="part_name", fields=["name"]),
            models.Index(name="part_number", fields=["part_number"]),
            # Of this class, so that it serves the beginning of a number as well.
            models.Index(name="part_number_norm", fields=["part_number_norm"], opclasses=["varchar_pattern_ops"]),
            # The back office lists: one value, newest first, or all in the order of the column.
            models.Index(name="part_condition", fields=["condition", "created_at", "id"]),
            models.Index(name="part_status", fields=["status", "created_at", "id"]),
            models.Index(name="part_sold", fields=["sold_at"], condition=Q(sold_at__isnull=False)),
            models.Index(name="part_sold_newest", fields=["-created_at"], condition=Q(sold_at__isnull=False)),
            # Reservations that end.
            models.Index(
                name="part_reserved_until", fields=["reserved_until"], condition=Q(reserved_until__isnull=False)
            ),
            models.Index(name="part_price", fields=["price"]),
            models.Index(name="part_created", fields=["-created_at"]),
            # The marketplace in each order, also from a cursor on.
            models.Index(name="part_listed_status", fields=["is_listed", "status", "-created_at", "-id"]),
            models.Index(name="part_listed_price", fields=["is_listed", "status", "price", "id"]),
            # A seller's shelf; a vehicle's parts; the live ones of a category. They also serve their foreign keys.
            models.Index(name="part_seller_listed", fields=["seller", "is_listed", "deleted_at"]),
            models.Index(name="part_vehicle_status", fields=["vehicle", "status"]),
            models.Index(name="part_category_live", fields=["category", "deleted_at"]),
            WordIndex(Words(*PART_NAMES), name="part_name_words"),
            WordIndex(Words(*PART_TEXTS), name="part_words"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.vehicle_id and self.seller_id and self.vehicle.seller_id != self.seller_id:
            raise ValidationError({"seller": SELLER_OF_VEHICLE})

    @transaction.atomic
    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the part; a sold one that changes hands takes its sale along.

        Raises ValidationError if it belongs to another seller than its vehicle, and unless it is deleted itself, if its
        vehicle or category is.
        """
        update_fields = None if update_fields is None else set(update_fields)
        before = None
        if any(_saves(update_fields, name) for name in ("vehicle", "seller", "category", "deleted_at")):
            before = self._lock()
            self._look_at_links(before)
        self.part_number_norm = normalize_part_number(self.part_number)
        if update_fields is not None and "part_number" in update_fields:
            update_fields.add("part_number_norm")
        super().save(*args, update_fields=update_fields, **kwargs)
        if before is not None and before.seller_id != self.seller_id and _saves(update_fields, "seller"):
            mine = type(self).all_objects.filter(pk=self.pk)
            sold = int(before.status == PartStatus.SOLD)
            hand_over(row=self, parts=mine, sold=sold, giver=before.seller_id, taker=self.seller_id)

    def _lock(self) -> Part | None:
        """Return the part as stored; nobody sells it or takes it back until it is saved."""
        if self._state.adding:
            return None
        stored = type(self).all_objects.filter(pk=self.pk).select_for_update(no_key=True)
        return stored.only("vehicle", "seller", "category", "status", "deleted_at").first()

    def _look_at_links(self, before: Part | None) -> None:
        if self.deleted_at is not None:
            self.clean()
            return
        # What a live part has already, nobody can delete.
        had = before if before is not None and before.deleted_at is None else None
        if had is None or (had.vehicle_id, had.seller_id) != (self.vehicle_id, self.seller_id):
            self._look_at_vehicle()
        if self.category_id is not None and (had is None or had.category_id != self.category_id):
            self._look_at_category(self.category_id)

    def _look_at_vehicle(self) -> None:
        vehicles = Vehicle.objects.filter(pk=self.vehicle_id)
        if lock_keys(vehicles.filter(seller_id=self.seller_id)):
            return
        if vehicles.exists():
            raise ValidationError({"seller": SELLER_OF_VEHICLE})
        text = f"{self.vehicle} is deleted: choose another vehicle, or restore that one first."
        raise ValidationError({"vehicle": text})

    def _look_at_category(self, category: int) -> None:
        if not lock_keys(Category.objects.filter(pk=category)):
            text = f"{self.category} is deleted: choose another category, or restore that one first."
            raise ValidationError({"category": text})


class PartImage(ImageBase):
    """A picture of a part; the first is the primary one."""

    part = models.ForeignKey(Part, on_delete=models.CASCADE, related_name="images", db_index=False)

    class Meta(ImageBase.Meta):
        abstract = False
        verbose_name = "picture"
        indexes = [models.Index(name="part_image_position", fields=["part", "position"])]
