"""People who asked for something, and what was done about it."""

from __future__ import annotations

from typing import Any, Self

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.models import Seller, User
from accounts.models.users import Role
from config.db.arrays import AmongKeys
from config.db.base import (
    LiveManager,
    PublicIdModel,
    RowQuerySet,
    RowT,
    SoftDeleteModel,
    SoftDeleteQuerySet,
    TimestampedModel,
)
from config.db.constraints import check, choice_valid, public_id_unique
from config.db.fields import LowerEmailField
from config.db.words import WordIndex, Words
from inventory.models import Car, Part

# What searches look through: the names, and all texts.
LEAD_NAMES = ("name", "email", "phone")
LEAD_TEXTS = (*LEAD_NAMES, "subject_label", "message")
NOTE_TEXTS = ("text", "author_label")


class LeadStatus(models.TextChoices):
    NEW = "NEW", "New"
    CONTACTED = "CONTACTED", "Contacted"
    QUALIFIED = "QUALIFIED", "Qualified"
    NEGOTIATING = "NEGOTIATING", "Negotiating"
    CONVERTED = "CONVERTED", "Converted"
    LOST = "LOST", "Lost"
    SPAM = "SPAM", "Spam"


CLOSED_STATUSES = (LeadStatus.CONVERTED, LeadStatus.LOST, LeadStatus.SPAM)
# The roles that may change leads, so that one may be assigned to them.
WORKING_ROLES = (Role.SUPER_ADMIN, Role.ADMIN)


class LeadPriority(models.IntegerChoices):
    LOW = 1, "Low"
    MEDIUM = 2, "Medium"
    HIGH = 3, "High"
    URGENT = 4, "Urgent"


class ActivityType(models.TextChoices):
    CREATED = "CREATED", "Created"
    STATUS_CHANGED = "STATUS_CHANGED", "Status changed"
    PRIORITY_CHANGED = "PRIORITY_CHANGED", "Priority changed"
    ASSIGNED = "ASSIGNED", "Assigned"
    NOTE_ADDED = "NOTE_ADDED", "Note added"
    EMAIL_SENT = "EMAIL_SENT", "E-mail sent"
    PHONE_CALL = "PHONE_CALL", "Phone call"
    MEETING = "MEETING", "Meeting"
    CAR_SHOWN = "CAR_SHOWN", "Car shown"
    TEST_DRIVE = "TEST_DRIVE", "Test drive"


# What a person can have done; the program itself writes the other types.
MANUAL_ACTIVITIES = (
    ActivityType.EMAIL_SENT,
    ActivityType.PHONE_CALL,
    ActivityType.MEETING,
    ActivityType.CAR_SHOWN,
    ActivityType.TEST_DRIVE,
)


class LeadQuerySet(SoftDeleteQuerySet["Lead"]):
    def open(self) -> Self:
        return self.exclude(status__in=CLOSED_STATUSES)

    def visible_to(self, user: User) -> Self:
        """An administrator sees own and unassigned leads; super administrators and viewers see all, others none."""
        if user.role in {Role.SUPER_ADMIN, Role.VIEWER}:
            return self
        if user.role == Role.ADMIN:
            return self.filter(Q(assigned_to=user) | Q(assigned_to__isnull=True))
        return self.none()


class Lead(PublicIdModel, TimestampedModel, SoftDeleteModel):
    """One person's request. The message is kept as it was typed and escaped where it is shown."""

    name = models.CharField(max_length=200)
    email = LowerEmailField("e-mail", max_length=254)
    phone = models.CharField(max_length=50, blank=True, default="")
    message = models.TextField()
    source = models.CharField(max_length=50, default="contact_form", help_text="Where the request came from.")
    car = models.ForeignKey(Car, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads")
    part = models.ForeignKey(Part, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads")
    seller = models.ForeignKey(Seller, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads")
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="leads_sent")
    assigned_to = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="leads_assigned",
        db_index=False,
        limit_choices_to={"role__in": WORKING_ROLES, "is_active": True},
    )

    status = models.CharField(max_length=12, choices=LeadStatus, default=LeadStatus.NEW)
    priority = models.SmallIntegerField(choices=LeadPriority, default=LeadPriority.MEDIUM)
    priority_set_by_staff = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="Somebody chose the priority, so a new score leaves it alone.",
    )
    score = models.SmallIntegerField(default=0, editable=False)
    score_factors = models.JSONField(default=dict, blank=True, editable=False)
    subject_label = models.CharField("asked about", max_length=255, blank=True, default="", editable=False)
    ip_address = models.GenericIPAddressField("IP address", null=True, blank=True, editable=False)
    user_agent = models.TextField(blank=True, default="", editable=False)
    responded_at = models.DateTimeField("first answer", null=True, blank=True, editable=False)
    closed_at = models.DateTimeField("closed", null=True, blank=True, editable=False)

    objects = LiveManager.from_queryset(LeadQuerySet)()
    all_objects = models.Manager.from_queryset(LeadQuerySet)()

    class Meta:
        ordering = ["-priority", "-score", "-created_at", "-id"]
        constraints = [
            public_id_unique(),
            choice_valid("status", LeadStatus),
            choice_valid("priority", LeadPriority),
            check("score_range", Q(score__gte=0, score__lte=100), "A score lies between 0 and 100."),
            check(
                "closed_when_dated",
                Q(status__in=CLOSED_STATUSES, closed_at__isnull=False)
                | (~Q(status__in=CLOSED_STATUSES) & Q(closed_at__isnull=True)),
                "A converted, lost or spam lead needs its closing time; the others have none.",
            ),
        ]
        indexes = [
            models.Index(Lower("email"), name="lead_email"),
            # Earlier leads of the same person are found by e-mail or by telephone.
            models.Index(name="lead_phone", fields=["phone"], condition=~Q(phone="")),
            models.Index(name="lead_score", fields=["score", "priority", "created_at", "id"]),
            models.Index(name="lead_source", fields=["source"]),
            models.Index(name="lead_created", fields=["-created_at"]),
            # The work list, that of one state, and what is one person's; the last two also serve the foreign key.
            models.Index(name="lead_work_order", fields=["-priority", "-score", "-created_at", "-id"]),
            models.Index(name="lead_status", fields=["status", "priority", "score", "created_at", "id"]),
            models.Index(name="lead_status_newest", fields=["status", "-created_at"]),
            models.Index(name="lead_assignee_status", fields=["assigned_to", "status"]),
            models.Index(name="lead_assignee_work", fields=["assigned_to", "priority", "score", "created_at", "id"]),
            WordIndex(Words(*LEAD_NAMES), name="lead_name_words"),
            WordIndex(Words(*LEAD_TEXTS), name="lead_words"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.subject_label}" if self.subject_label else self.name


class OfLeadQuerySet(RowQuerySet[RowT]):
    def visible_to(self, user: User) -> Self:
        if user.role == Role.ADMIN:
            return self.filter(Q(lead__assigned_to=user) | Q(lead__assigned_to__isnull=True))
        return self if user.role in {Role.SUPER_ADMIN, Role.VIEWER} else self.none()

    def of_leads(self, leads: LeadQuerySet) -> Self:
        """Return the rows of these leads: where they are few, from the leads on by the index of each."""
        return self.filter(AmongKeys("lead_id", leads.order_by().values("pk")))


class LeadNote(models.Model):
    """What a colleague wrote down about a lead."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="notes")
    author = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="lead_notes"
    )
    author_label = models.CharField("author", max_length=200, blank=True, default="", editable=False)
    text = models.TextField(validators=[MaxLengthValidator(2000)])
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    objects = OfLeadQuerySet.as_manager()

    class Meta:
        verbose_name = "note"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(name="lead_note_newest", fields=["-created_at"]),
            WordIndex(Words(*NOTE_TEXTS), name="lead_note_words"),
        ]

    def __str__(self) -> str:
        return self.text[:80]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.author is not None:
            self.author_label = self.author_label or str(self.author)
        super().save(*args, **kwargs)


class LeadActivity(models.Model):
    """One entry of a lead's timeline."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="activities", db_index=False)
    type = models.CharField(max_length=16, choices=ActivityType)
    description = models.TextField(blank=True, default="", validators=[MaxLengthValidator(1000)])
    metadata = models.JSONField(null=True, blank=True)
    actor = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="lead_activities"
    )
    actor_label = models.CharField(
        "actor (as text)",
        max_length=254,
        blank=True,
        default="",
        editable=False,
        help_text="Filled in when the person is removed.",
    )
    created_at = models.DateTimeField("created", default=timezone.now)

    objects = OfLeadQuerySet.as_manager()

    class Meta:
        verbose_name = "activity"
        verbose_name_plural = "activities"
        ordering = ["-created_at", "-id"]
        constraints = [choice_valid("type", ActivityType)]
        indexes = [
            # The timeline; also serves the foreign key.
            models.Index(name="activity_timeline", fields=["lead", "-created_at"]),
            models.Index(name="activity_type", fields=["type", "created_at", "id"]),
            models.Index(name="activity_created", fields=["created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_type_display()} {self.description}".strip()[:80]
