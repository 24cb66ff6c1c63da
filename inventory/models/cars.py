"""Cars for sale, with their pictures, features and specifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.models import Seller
from config.db.base import LiveManager
from config.db.constraints import check, choice_valid, currency_valid, unique
from config.db.fields import UpperCharField
from config.db.iso import validate_currency
from config.db.words import WordIndex, Words
from inventory.models.base import ImageBase, StockQuerySet, VehicleBase, price_field, price_positive, sold_when_dated
from inventory.slugs import free_slug, validate_car_slug

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

# What searches look through: the names, what the marketplace shows, and all texts.
CAR_NAMES = ("name", "make", "model", "trim", "year")
CAR_SHOWN_TEXTS = (*CAR_NAMES, "color", "engine_size", "description")
CAR_TEXTS = (*CAR_SHOWN_TEXTS, "vin")


class CarStatus(models.TextChoices):
    AVAILABLE = "AVAILABLE", "Available"
    RESERVED = "RESERVED", "Reserved"
    SOLD = "SOLD", "Sold"
    COMING_SOON = "COMING_SOON", "Coming soon"
    UNDER_MAINTENANCE = "UNDER_MAINTENANCE", "Under maintenance"


class Segment(models.TextChoices):
    PREMIUM = "PREMIUM", "Premium"
    FAMILY = "FAMILY", "Family"
    SUV = "SUV", "SUV"
    COMPACT = "COMPACT", "Compact"
    SPORTS = "SPORTS", "Sports"
    LUXURY = "LUXURY", "Luxury"
    ELECTRIC = "ELECTRIC", "Electric"


def validate_paragraphs(value: Any) -> None:
    """Raise ValidationError unless `value` is a list of texts."""
    if not isinstance(value, list) or not all(isinstance(paragraph, str) for paragraph in value):
        raise ValidationError("Give a list of paragraphs.")


class CarQuerySet(StockQuerySet["Car"]):
    def available(self) -> Self:
        return self.filter(status=CarStatus.AVAILABLE)

    def public(self, *, now: datetime) -> Self:
        """Cars that the marketplace shows at `now`: published, available, of our own or of a live, verified seller."""
        ours = Q(seller__isnull=True)
        verified = Q(seller__is_verified=True, seller__is_active=True, seller__deleted_at__isnull=True)
        return self.live().available().filter(ours | verified, published_at__lte=now)


class Car(VehicleBase):
    """One car for sale. A car that comes back is a new row."""

    name = models.CharField(
        max_length=200, blank=True, default="", help_text="Made from make and model when left empty."
    )
    slug = models.SlugField(
        max_length=255,
        db_index=False,
        blank=True,
        validators=[validate_car_slug],
        help_text="The address of the car's page; made from make, model and year when left empty, then stable.",
    )
    seller = models.ForeignKey(Seller, on_delete=models.PROTECT, null=True, blank=True, related_name="cars")
    price = price_field()
    currency = UpperCharField(
        max_length=3, default="EUR", validators=[validate_currency], help_text="ISO 4217, such as EUR."
    )
    segment = models.CharField(max_length=10, choices=Segment)
    is_featured = models.BooleanField("featured", default=False)
    description = models.TextField(blank=True, default="")
    paragraphs = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_paragraphs],
        help_text="The long description, a list of paragraphs.",
    )
    condition_note = models.TextField(blank=True, default="")
    meta_title = models.CharField("title for search engines", max_length=255, blank=True, default="")
    meta_description = models.TextField("description for search engines", blank=True, default="")

    status = models.CharField(max_length=18, choices=CarStatus, default=CarStatus.AVAILABLE)
    published_at = models.DateTimeField(
        "published",
        default=timezone.now,
        null=True,
        blank=True,
        help_text="Kept out of public lists until then, and altogether while empty.",
    )
    sold_at = models.DateTimeField("sold", null=True, blank=True)

    objects = LiveManager.from_queryset(CarQuerySet)()
    all_objects = models.Manager.from_queryset(CarQuerySet)()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            *VehicleBase.Meta.constraints,
            unique(
                "slug_unique",
                "slug",
                condition=Q(deleted_at__isnull=True),
                message="Another car has this slug already.",
            ),
            choice_valid("status", CarStatus),
            choice_valid("segment", Segment),
            currency_valid(),
            price_positive(),
            sold_when_dated(CarStatus.SOLD),
            check("mileage_km_known", Q(mileage_km__isnull=False), "A car for sale needs its mileage."),
        ]
        indexes = [
            models.Index(name="car_make", fields=["make"]),
            # The back office lists: one value, newest first, or all in the order of the column.
            models.Index(name="car_segment", fields=["segment", "created_at", "id"]),
            models.Index(name="car_featured", fields=["-created_at"], condition=Q(is_featured=True)),
            models.Index(name="car_price", fields=["price"]),
            models.Index(name="car_year", fields=["year", "created_at", "id"]),
            models.Index(name="car_condition", fields=["condition", "created_at", "id"]),
            models.Index(name="car_fuel", fields=["fuel_type", "created_at", "id"]),
            models.Index(name="car_transmission", fields=["transmission", "created_at", "id"]),
            models.Index(name="car_mileage", fields=["mileage_km"]),
            models.Index(name="car_created", fields=["-created_at"]),
            # The filtered lists of one status: in each order, and newest first of a make in any case or of a segment.
            # With the key at their end they also find the place at which a cursor goes on.
            models.Index(name="car_status_newest", fields=["status", "created_at", "id"]),
            models.Index(name="car_status_make", fields=["status", "make"]),
            models.Index(
                "status", Upper("make"), F("created_at").desc(), F("id").desc(), name="car_status_any_case_make"
            ),
            models.Index(name="car_status_segment", fields=["status", "segment", "-created_at", "-id"]),
            models.Index(name="car_status_price", fields=["status", "price", "id"]),
            models.Index(name="car_status_year", fields=["status", "year", "id"]),
            models.Index(name="car_status_mileage", fields=["status", "mileage_km", "id"]),
            models.Index(name="car_status_name", fields=["status", "name", "id"]),
            WordIndex(Words(*CAR_NAMES), name="car_name_words"),
            WordIndex(Words(*CAR_SHOWN_TEXTS), name="car_shown_words"),
            WordIndex(Words(*CAR_TEXTS), name="car_words"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.year}"

    @transaction.atomic
    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the car; an old slug that was changed on purpose is kept, so that its address can redirect."""
        self.name = self.name or f"{self.make} {self.model}"
        if update_fields is not None and "slug" not in (update_fields := set(update_fields)):
            super().save(*args, update_fields=update_fields, **kwargs)
            return
        old_slug = type(self).all_objects.filter(pk=self.pk).values_list("slug", flat=True).first() if self.pk else None
        if self.slug:
            super().save(*args, update_fields=update_fields, **kwargs)
        else:
            self._save_with_free_slug(*args, update_fields=update_fields, **kwargs)
        if old_slug and old_slug != self.slug:
            CarSlugHistory.objects.filter(slug=self.slug, car=self).delete()
            # An address that two cars had leads to the one that had it last.
            CarSlugHistory.objects.update_or_create(slug=old_slug, defaults={"car": self, "created_at": timezone.now()})

    def _save_with_free_slug(self, *args: Any, **kwargs: Any) -> None:
        while True:
            slug = free_slug(f"{self.make} {self.model} {self.year}", self._slug_is_taken, otherwise="car")
            try:
                self.slug = slug
                with transaction.atomic():
                    super().save(*args, **kwargs)
            except IntegrityError:
                self.slug = ""
                # Unless somebody took it a moment ago, another would be refused as well.
                if not self._slug_is_taken(slug):
                    raise
            else:
                return

    def _slug_is_taken(self, slug: str) -> bool:
        others = type(self).all_objects.exclude(pk=self.pk).filter(slug=slug)
        return others.exists() or CarSlugHistory.objects.filter(slug=slug).exclude(car_id=self.pk).exists()


class CarImage(ImageBase):
    """A picture of a car. Exactly one of a car's pictures is its primary one (`inventory.services` sees to that)."""

    car = models.ForeignKey(Car, on_delete=models.CASCADE, related_name="images", db_index=False)
    is_primary = models.BooleanField("primary", default=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    class Meta(ImageBase.Meta):
        abstract = False
        verbose_name = "picture"
        constraints = [
            unique(
                "one_primary",
                "car",
                condition=Q(is_primary=True),
                message="The car has another primary picture already.",
            ),
        ]
        indexes = [models.Index(name="car_image_position", fields=["car", "position"])]


class CarFeature(models.Model):
    """One line of a car's equipment."""

    car = models.ForeignKey(Car, on_delete=models.CASCADE, related_name="features", db_index=False)
    text = models.CharField(max_length=255)
    position = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = "feature"
        ordering = ["position", "id"]
        indexes = [models.Index(name="car_feature_position", fields=["car", "position"])]

    def __str__(self) -> str:
        return self.text


class CarSpecification(models.Model):
    """One labelled value of a car."""

    car = models.ForeignKey(Car, on_delete=models.CASCADE, related_name="specifications", db_index=False)
    label = models.CharField(max_length=100)
    value = models.CharField(max_length=255)
    position = models.SmallIntegerField(default=0)

    class Meta:
        verbose_name = "specification"
        ordering = ["position", "id"]
        indexes = [models.Index(name="car_specification_position", fields=["car", "position"])]

    def __str__(self) -> str:
        return f"{self.label}: {self.value}"


class CarSlugHistory(models.Model):
    """A slug that a car had before; its address redirects to the present one."""

    car = models.ForeignKey(Car, on_delete=models.CASCADE, related_name="slug_history")
    slug = models.SlugField(max_length=255, db_index=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    class Meta:
        verbose_name = "former slug"
        ordering = ["-created_at", "-id"]
        constraints = [unique("former_slug_unique", "slug", message="This slug was used before.")]
        indexes = [models.Index(name="former_slug_newest", fields=["-created_at"])]

    def __str__(self) -> str:
        return self.slug
