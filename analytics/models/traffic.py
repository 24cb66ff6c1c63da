"""What visitors did, and how fast the pages were."""

from __future__ import annotations

from typing import Self

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import BigIntegerField, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Seller, User
from config.db.base import PublicIdModel, RowQuerySet
from config.db.constraints import check, choice_valid, public_id_unique, unique
from inventory.models import Car, Part


class EventType(models.TextChoices):
    """The types we write ourselves; imported events keep the name that their source gave them."""

    PART_VIEW = "PART_VIEW", "Part viewed"
    SEARCH = "SEARCH", "Search"
    SELLER_CONTACT = "SELLER_CONTACT", "Seller contacted"
    CAR_VIEW = "CAR_VIEW", "Car viewed"
    VOUCHER_SCAN = "VOUCHER_SCAN", "Voucher scanned"
    LEAD_CREATED = "LEAD_CREATED", "Lead created"


class VitalName(models.TextChoices):
    CLS = "CLS", "Cumulative layout shift"
    FID = "FID", "First input delay"
    FCP = "FCP", "First contentful paint"
    LCP = "LCP", "Largest contentful paint"
    TTFB = "TTFB", "Time to first byte"
    INP = "INP", "Interaction to next paint"


class VitalRating(models.TextChoices):
    GOOD = "good", "Good"
    NEEDS_IMPROVEMENT = "needs-improvement", "Needs improvement"
    POOR = "poor", "Poor"


class EventQuerySet(RowQuerySet["Event"]):
    def visible_to(self, user: User) -> Self:
        return self if user.sees_everything else self.filter(seller__owner=user)


class Event(PublicIdModel):
    """One thing that a visitor did."""

    event_type = models.CharField("type", max_length=40, help_text="Such as PART_VIEW, SEARCH or CAR_VIEW.")
    occurred_at = models.DateTimeField("occurred", default=timezone.now)
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="events")
    seller = models.ForeignKey(
        Seller, on_delete=models.SET_NULL, null=True, blank=True, related_name="events", db_index=False
    )
    part = models.ForeignKey(
        Part, on_delete=models.SET_NULL, null=True, blank=True, related_name="events", db_index=False
    )
    car = models.ForeignKey(Car, on_delete=models.CASCADE, null=True, blank=True, related_name="events", db_index=False)
    session_id = models.CharField("session", max_length=128, blank=True, default="")
    ip_address = models.GenericIPAddressField("IP address", null=True, blank=True)
    user_agent = models.TextField(blank=True, default="")
    referrer = models.TextField(blank=True, default="")
    metadata = models.JSONField(null=True, blank=True)
    is_bot = models.BooleanField("bot", default=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        constraints = [public_id_unique()]
        indexes = [
            models.Index(name="event_type_time", fields=["event_type", "occurred_at"]),
            models.Index(name="event_time", fields=["-occurred_at"]),
            models.Index(name="event_session", fields=["session_id"]),
            # Bots are rare: without this, their list would be looked for in all the rest.
            models.Index(name="event_bot", fields=["-occurred_at"], condition=Q(is_bot=True)),
            # These three also serve their foreign keys.
            models.Index(name="event_part_time", fields=["part", "occurred_at"]),
            models.Index(name="event_seller_time", fields=["seller", "occurred_at"]),
            models.Index(name="event_car_time", fields=["car", "occurred_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.occurred_at:%Y-%m-%d %H:%M}"


class PageView(models.Model):
    """One page shown."""

    path = models.CharField(max_length=500)
    referrer = models.TextField(blank=True, default="")
    load_time_ms = models.PositiveIntegerField("load time (ms)", null=True, blank=True)
    ip_address = models.GenericIPAddressField("IP address", null=True, blank=True)
    user_agent = models.TextField(blank=True, default="")
    session_id = models.CharField("session", max_length=128, blank=True, default="")
    is_bot = models.BooleanField("bot", default=False)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [check("load_time_ms_positive", Q(load_time_ms__gte=0), "The load time cannot be negative.")]
        indexes = [
            # Of this class, so that it serves the beginning of a path as well.
            models.Index(
                name="page_view_path_time",
                fields=["path", "created_at"],
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
            ),
            models.Index(name="page_view_time", fields=["-created_at"]),
            models.Index(name="page_view_load_time", fields=["load_time_ms"]),
            models.Index(name="page_view_bot", fields=["-created_at"], condition=Q(is_bot=True)),
        ]

    def __str__(self) -> str:
        return self.path


class WebVital(models.Model):
    """One measurement of how a page felt. `value` is in milliseconds, but for CLS, which has no unit."""

    name = models.CharField(max_length=8, choices=VitalName)
    value = models.FloatField()
    rating = models.CharField(max_length=18, choices=VitalRating, editable=False)
    path = models.CharField(max_length=500)
    user_agent = models.TextField(blank=True, default="")
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            choice_valid("name", VitalName),
            choice_valid("rating", VitalRating),
            check("value_positive", Q(value__gte=0), "A measurement cannot be negative."),
        ]
        indexes = [
            models.Index(name="web_vital_name_time", fields=["name", "created_at", "id"]),
            models.Index(name="web_vital_rating", fields=["rating", "created_at", "id"]),
            models.Index(name="web_vital_path", fields=["path"], opclasses=["varchar_pattern_ops"]),
            models.Index(name="web_vital_time", fields=["-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.value:g} {self.path}"


class DailyMetric(models.Model):
    """One number for one day: of everything, of a kind of row, or of one row."""

    day = models.DateField()
    metric = models.CharField(max_length=40)
    content_type = models.ForeignKey(
        ContentType, on_delete=models.CASCADE, null=True, blank=True, verbose_name="kind of row", db_index=False
    )
    object_id = models.BigIntegerField("row", null=True, blank=True)
    value = models.BigIntegerField()
    unique_sessions = models.IntegerField(default=0)

    class Meta:
        ordering = ["-day", "-metric", "-id"]
        constraints = [
            # NULLS NOT DISTINCT would need PostgreSQL 15; no row has the number 0.
            unique(
                "day_unique",
                "day",
                "metric",
                Coalesce("content_type_id", Value(0), output_field=BigIntegerField()),
                Coalesce("object_id", Value(0), output_field=BigIntegerField()),
                message="This number is recorded for this day already.",
            ),
            check("unique_sessions_positive", Q(unique_sessions__gte=0), "A number of sessions cannot be negative."),
        ]
        indexes = [
            # One number over the days.
            models.Index(name="daily_metric_days", fields=["metric", "day"]),
            # The numbers of one row over the days; it also serves the foreign key.
            models.Index(name="daily_metric_row_days", fields=["content_type", "object_id", "day"]),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.metric}: {self.value}"
