"""Businesses and private people who sell, and where they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models.users import User
from accounts.provinces import south_african_province
from accounts.validators import validate_business_hours, validate_image_url, validate_polygon, validate_timezone
from config.db.base import (
    LiveManager,
    PublicIdModel,
    RowQuerySet,
    SoftDeleteModel,
    SoftDeleteQuerySet,
    TimestampedModel,
)
from config.db.constraints import check, choice_valid, coordinates_valid, country_valid, public_id_unique, unique
from config.db.fields import LowerEmailField, UpperCharField
from config.db.iso import validate_country
from config.db.words import WordIndex, Words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models.users import User as UserType

# What searches look through: the names, and all texts.
SELLER_NAMES = ("name",)
SELLER_TEXTS = (*SELLER_NAMES, "city", "province", "street", "email", "phone", "description")

ONE_SELLER_PER_USER = "This person owns a seller already, and each person may own one only."


class BusinessType(models.TextChoices):
    SCRAP_YARD = "SCRAP_YARD", "Scrap yard"
    DISMANTLER = "DISMANTLER", "Dismantler"
    PRIVATE = "PRIVATE", "Private"
    DEALER = "DEALER", "Dealer"
    MOBILE_VENDOR = "MOBILE_VENDOR", "Mobile vendor"
    SERVICE = "SERVICE", "Service"


class Plan(models.TextChoices):
    STARTER = "STARTER", "Starter"
    PROFESSIONAL = "PROFESSIONAL", "Professional"
    ENTERPRISE = "ENTERPRISE", "Enterprise"


class LocationSource(models.TextChoices):
    GPS = "gps", "GPS"
    MANUAL = "manual", "Manual"
    IMPORT = "import", "Import"


class SellerQuerySet(SoftDeleteQuerySet["Seller"]):
    def verified(self) -> Self:
        return self.filter(is_verified=True)

    def public(self) -> Self:
        """Sellers whom the marketplace shows."""
        return self.live().verified().filter(is_active=True)

    def visible_to(self, user: UserType) -> Self:
        return self if user.sees_everything else self.filter(owner=user)


class Seller(PublicIdModel, TimestampedModel, SoftDeleteModel):
    """Who sells cars, parts or services: a yard, a dealer, a mobile vendor or a private person."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sellers")
    name = models.CharField(max_length=200)
    name_key = models.CharField(
        max_length=255, null=True, blank=True, help_text="Translation key of the name, where it differs by language."
    )
    description = models.TextField(blank=True, default="")
    description_key = models.CharField(
        max_length=255, null=True, blank=True, help_text="Translation key of the description."
    )
    business_type = models.CharField(max_length=20, choices=BusinessType, default=BusinessType.PRIVATE)
    plan = models.CharField(max_length=16, choices=Plan, default=Plan.STARTER)
    phone = models.CharField(max_length=50, blank=True, default="")
    email = LowerEmailField("e-mail", max_length=254, blank=True, default="")
    whatsapp = models.CharField("WhatsApp", max_length=50, blank=True, default="")
    website = models.URLField(max_length=255, blank=True, default="")
    street = models.CharField(max_length=255, blank=True, default="")
    city = models.CharField(max_length=100, blank=True, default="")
    province = models.CharField(max_length=100, blank=True, default="")
    postal_code = models.CharField(max_length=20, blank=True, default="")
    country = UpperCharField(
        max_length=2, default="ZA", validators=[validate_country], help_text="Two letters (ISO 3166), such as ZA or FI."
    )
    latitude = models.FloatField(null=True, blank=True, help_text="Degrees, WGS 84. Give both or neither.")
    longitude = models.FloatField(null=True, blank=True, help_text="Degrees, WGS 84.")
    service_area = models.JSONField(
        null=True, blank=True, validators=[validate_polygon], help_text="GeoJSON polygon of the area served."
    )
    business_hours = models.JSONField(
        null=True,
        blank=True,
        validators=[validate_business_hours],
        help_text="The seven days with isOpen, openTime and closeTime.",
    )
    timezone = models.CharField(
        "time zone", max_length=64, default="Africa/Johannesburg", validators=[validate_timezone]
    )
    primary_image_url = models.CharField(
        "picture", max_length=500, blank=True, default="", validators=[validate_image_url]
    )
    is_open = models.BooleanField("open", default=True, help_text="Whether the seller receives buyers at present.")
    is_active = models.BooleanField("active", default=True)

    is_verified = models.BooleanField("verified", default=False, editable=False)
    verified_at = models.DateTimeField("verified on", null=True, blank=True, editable=False)
    rating = models.DecimalField(
        max_digits=3, decimal_places=2, null=True, blank=True, help_text="0 to 5; empty while unrated."
    )
    total_sales = models.PositiveIntegerField(default=0, editable=False)
    # Bulk writers that know nothing of archives leave the column out.
    archived_sales = models.PositiveIntegerField(
        default=0, db_default=0, editable=False, help_text="Those of the sales whose parts lie in an archive."
    )
    last_latitude = models.FloatField(null=True, blank=True, editable=False)
    last_longitude = models.FloatField(null=True, blank=True, editable=False)
    last_seen_at = models.DateTimeField("last seen", null=True, blank=True, editable=False)

    objects = LiveManager.from_queryset(SellerQuerySet)()
    all_objects = models.Manager.from_queryset(SellerQuerySet)()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            public_id_unique(),
            unique(
                "name_key_unique",
                "name_key",
                condition=Q(deleted_at__isnull=True),
                message="Another seller has this translation key.",
            ),
            choice_valid("business_type", BusinessType),
            choice_valid("plan", Plan),
            country_valid(),
            *coordinates_valid(),
            *coordinates_valid("last_latitude", "last_longitude"),
            check("rating_range", Q(rating__gte=0, rating__lte=5), "A rating lies between 0 and 5."),
            check("total_sales_positive", Q(total_sales__gte=0), "The number of sales cannot be negative."),
            check("archived_sales_positive", Q(archived_sales__gte=0), "The number of sales cannot be negative."),
        ]
        indexes = [
            models.Index(name="seller_name", fields=["name"]),
            models.Index(name="seller_business_type", fields=["business_type", "created_at", "id"]),
            models.Index(name="seller_verified_active", fields=["is_verified", "is_active"]),
            models.Index(name="seller_city", fields=["city", "province"]),
            models.Index(name="seller_rating", fields=["rating"]),
            models.Index(name="seller_plan", fields=["plan", "created_at", "id"]),
            models.Index(name="seller_active", fields=["is_active", "created_at", "id"]),
            models.Index(name="seller_open", fields=["is_open", "created_at", "id"]),
            models.Index(name="seller_created", fields=["-created_at"]),
            # The public list in its order, also from a cursor on; where its sellers are.
            models.Index(
                F("is_verified").desc(),
                Coalesce("rating", -1).desc(),
                F("total_sales").desc(),
                F("id").desc(),
                name="seller_best_first",
                condition=Q(is_active=True, deleted_at__isnull=True),
            ),
            models.Index(
                name="seller_place",
                fields=["province", "city", "is_verified"],
                condition=Q(is_active=True, deleted_at__isnull=True),
            ),
            # Rectangle prefilter of the nearby search.
            models.Index(name="seller_position", fields=["latitude", "longitude"]),
            models.Index(name="seller_last_position", fields=["last_latitude", "last_longitude"]),
            WordIndex(Words(*SELLER_NAMES), name="seller_name_words"),
            WordIndex(Words(*SELLER_TEXTS), name="seller_words"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self._state.adding and self.owner_id and not may_own_another_seller(self.owner_id):
            raise ValidationError({"owner": ONE_SELLER_PER_USER})

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the seller; a South African province gets its official name."""
        if self.country.strip().upper() == "ZA":
            self.province = south_african_province(self.province)
        super().save(*args, update_fields=update_fields, **kwargs)


def may_own_another_seller(owner_id: int) -> bool:
    """Whether the settings let this person own one more seller than now."""
    return not (settings.ACCOUNTS_ONE_SELLER_PER_USER and Seller.objects.filter(owner_id=owner_id).exists())


class SellerLocationQuerySet(RowQuerySet["SellerLocation"]):
    def visible_to(self, user: UserType) -> Self:
        return self if user.sees_everything else self.filter(seller__owner=user)


class SellerLocation(models.Model):
    """Where a mobile vendor was at a moment."""

    seller = models.ForeignKey(Seller, on_delete=models.CASCADE, related_name="locations", db_index=False)
    latitude = models.FloatField(help_text="Degrees, WGS 84.")
    longitude = models.FloatField(help_text="Degrees, WGS 84.")
    recorded_at = models.DateTimeField("recorded", default=timezone.now)
    accuracy_m = models.FloatField("accuracy (m)", null=True, blank=True)
    source = models.CharField(max_length=10, choices=LocationSource, default=LocationSource.GPS)

    objects = SellerLocationQuerySet.as_manager()

    class Meta:
        verbose_name = "location"
        ordering = ["-recorded_at", "-id"]
        constraints = [
            *coordinates_valid()[1:],
            choice_valid("source", LocationSource),
            check("accuracy_m_positive", Q(accuracy_m__gte=0), "The accuracy in metres cannot be negative."),
        ]
        indexes = [
            # The newest position of a seller; also serves the foreign key.
            models.Index(name="location_seller_newest", fields=["seller", "-recorded_at"]),
            models.Index(name="location_recorded", fields=["recorded_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.latitude:.4f}, {self.longitude:.4f}"
