"""What a car for sale and a vehicle being broken have in common, and how a picture hangs on a row."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils import timezone

from accounts.models import StoredFile
from accounts.validators import validate_image_url
from config.db.base import PublicIdModel, RowT, SoftDeleteModel, SoftDeleteQuerySet, TimestampedModel
from config.db.constraints import IsVIN, check, choice_valid, public_id_unique, unique
from config.db.fields import UpperCharField
from inventory.vin import validate_vin

if TYPE_CHECKING:
    from typing import Self

FIRST_CAR_YEAR = 1886
LAST_PLAUSIBLE_YEAR = 2200


class Condition(models.TextChoices):
    """Grades from best to worst; lists sort by this order, not by the alphabet."""

    NEW = "NEW", "New"
    EXCELLENT = "EXCELLENT", "Excellent"
    GOOD = "GOOD", "Good"
    FAIR = "FAIR", "Fair"
    POOR = "POOR", "Poor"
    NEEDS_WORK = "NEEDS_WORK", "Needs work"


class FuelType(models.TextChoices):
    PETROL = "PETROL", "Petrol"
    DIESEL = "DIESEL", "Diesel"
    ELECTRIC = "ELECTRIC", "Electric"
    HYBRID = "HYBRID", "Hybrid"
    PLUGIN_HYBRID = "PLUGIN_HYBRID", "Plug-in hybrid"
    LPG = "LPG", "LPG"
    CNG = "CNG", "CNG"
    OTHER = "OTHER", "Other"


class Transmission(models.TextChoices):
    MANUAL = "MANUAL", "Manual"
    AUTOMATIC = "AUTOMATIC", "Automatic"
    SEMI_AUTOMATIC = "SEMI_AUTOMATIC", "Semi-automatic"
    CVT = "CVT", "CVT"


class Drivetrain(models.TextChoices):
    FWD = "FWD", "Front-wheel drive"
    RWD = "RWD", "Rear-wheel drive"
    AWD = "AWD", "All-wheel drive"
    FOUR_WD = "FOUR_WD", "Four-wheel drive"


def condition_rank(field: str = "condition") -> Case:
    """Return an expression that sorts by grade, best first."""
    whens = [When(Q(**{field: grade}), then=Value(rank)) for rank, grade in enumerate(Condition.values)]
    return Case(*whens, output_field=models.SmallIntegerField())


def validate_model_year(value: int) -> None:
    """Raise ValidationError unless `value` lies between 1900 and next year (which moves: no constraint can say it)."""
    next_year = timezone.now().year + 1
    if not 1900 <= value <= next_year:
        raise ValidationError(f"The year lies between 1900 and {next_year}.")


def engine_cc(engine_size: str) -> int | None:
    """Return cubic centimetres from an engine size as written: "2.0L" and "2,0" are 2000, "1598 cc" is 1598."""
    found = re.search(r"\d+(?:[.,]\d+)?", engine_size)
    if not found:
        return None
    number = float(found[0].replace(",", "."))
    return round(number * 1000) if number < 30 else round(number)


class StockQuerySet(SoftDeleteQuerySet[RowT]):
    """Rows that belong to a seller."""

    def visible_to(self, user: Any) -> Self:
        return self if user.sees_everything else self.filter(seller__owner=user)

    def by_condition(self) -> Self:
        """Best grade first."""
        return self.order_by(condition_rank(), "-id")


class VehicleBase(PublicIdModel, TimestampedModel, SoftDeleteModel):
    """A physical car, described."""

    make = models.CharField(max_length=100)
    model = models.CharField(max_length=100)
    trim = models.CharField(max_length=100, blank=True, default="", help_text="Such as GTI or Sport Line.")
    year = models.SmallIntegerField(validators=[validate_model_year], help_text="Model year.")
    vin = UpperCharField(
        "VIN",
        max_length=17,
        null=True,
        blank=True,
        validators=[validate_vin],
        help_text="17 letters and digits, as on the windscreen plate; without I, O and Q.",
    )
    fuel_type = models.CharField("fuel", max_length=16, choices=FuelType, blank=True, default="")
    transmission = models.CharField(max_length=16, choices=Transmission, blank=True, default="")
    drivetrain = models.CharField(max_length=8, choices=Drivetrain, blank=True, default="")
    engine_size = models.CharField(
        max_length=20, blank=True, default="", help_text="As written in the papers, such as 2.0L."
    )
    engine_cc = models.IntegerField("engine (cc)", null=True, blank=True, editable=False)
    power_hp = models.PositiveSmallIntegerField("power (hp)", null=True, blank=True)
    color = models.CharField(max_length=50, blank=True, default="")
    mileage_km = models.PositiveIntegerField("mileage (km)", null=True, blank=True)
    condition = models.CharField(max_length=12, choices=Condition, default=Condition.GOOD)

    class Meta:
        abstract = True
        constraints = [
            public_id_unique(),
            unique(
                "vin_unique", "vin", condition=Q(deleted_at__isnull=True), message="Another one has this VIN already."
            ),
            check(
                "vin_form",
                Q(vin__isnull=True) | Q(IsVIN("vin")),
                "A VIN has 17 letters and digits, without I, O and Q.",
            ),
            check(
                "year_range",
                Q(year__gte=FIRST_CAR_YEAR, year__lte=LAST_PLAUSIBLE_YEAR),
                "There were no cars before 1886, and none come from after 2200.",
            ),
            choice_valid("fuel_type", FuelType, blank=True),
            choice_valid("transmission", Transmission, blank=True),
            choice_valid("drivetrain", Drivetrain, blank=True),
            choice_valid("condition", Condition),
            check("mileage_km_positive", Q(mileage_km__gte=0), "The mileage cannot be negative."),
            check("power_hp_positive", Q(power_hp__gte=0), "The power cannot be negative."),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.engine_cc = engine_cc(self.engine_size)
        super().save(*args, **kwargs)


class ImageBase(models.Model):
    """One picture of a row: an uploaded file or an address."""

    url = models.CharField(
        "address",
        max_length=1000,
        validators=[validate_image_url],
        help_text="Of the picture; filled in when you upload one.",
    )
    file = models.ForeignKey(
        StoredFile, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    alt_text = models.CharField(
        "alternative text", max_length=255, blank=True, default="", help_text="What the picture shows."
    )
    position = models.SmallIntegerField(default=0)

    class Meta:
        abstract = True
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.alt_text or self.url


def price_field() -> models.DecimalField[Any, Any]:
    """Return a price of more than nothing, to be kept beside a `currency`."""
    return models.DecimalField(max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])


def price_positive() -> models.CheckConstraint:
    return check("price_positive", Q(price__gt=0), "A price is more than nothing.")


def sold_when_dated(status: Any) -> models.CheckConstraint:
    """Return the rule that exactly the sold ones have a sale date."""
    return check(
        "sold_when_dated",
        Q(status=status, sold_at__isnull=False) | (~Q(status=status) & Q(sold_at__isnull=True)),
        "A sold one needs its sale date; the others have none.",
    )
