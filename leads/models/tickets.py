"""The help desk."""

from __future__ import annotations

import secrets
from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import User
from accounts.models.users import Role
from config.db.base import RowQuerySet, TimestampedModel
from config.db.constraints import check, choice_valid, unique
from config.db.ids import CROCKFORD
from config.db.words import WordIndex, Words

# What searches look through.
TICKET_TEXTS = ("number", "title")
COMMENT_TEXTS = ("text",)


class TicketStatus(models.TextChoices):
    OPEN = "open", "Open"
    ASSIGNED = "assigned", "Assigned"
    IN_PROGRESS = "in_progress", "In progress"
    WAITING_CUSTOMER = "waiting_customer", "Waiting for the customer"
    WAITING_INTERNAL = "waiting_internal", "Waiting for us"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


SOLVED_STATUSES = (TicketStatus.RESOLVED, TicketStatus.CLOSED)


class TicketType(models.TextChoices):
    GENERAL = "general", "General"
    BILLING = "billing", "Billing"
    TECHNICAL = "technical", "Technical"
    ACCOUNT = "account", "Account"
    BUG_REPORT = "bug_report", "Bug report"
    FEATURE_REQUEST = "feature_request", "Feature request"


class TicketPriority(models.IntegerChoices):
    LOW = 1, "Low"
    MEDIUM = 2, "Medium"
    HIGH = 3, "High"
    URGENT = 4, "Urgent"
    CRITICAL = 5, "Critical"


# The roles that may answer tickets, so that one may be assigned to them.
HELP_DESK_ROLES = (Role.SUPER_ADMIN, Role.ADMIN)


def new_ticket_number() -> str:
    """Return a number that people can read over the telephone, such as T-7K3F9QX2."""
    return "T-" + "".join(secrets.choice(CROCKFORD) for _ in range(8))


class SupportTicketQuerySet(RowQuerySet["SupportTicket"]):
    def visible_to(self, user: User) -> Self:
        return self if user.sees_everything else self.filter(user=user)


class SupportTicket(TimestampedModel):
    """One question to the help desk."""

    number = models.CharField(max_length=20, default=new_ticket_number, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tickets")
    title = models.CharField(max_length=255)
    description = models.TextField()
    type = models.CharField(max_length=16, choices=TicketType, default=TicketType.GENERAL)
    priority = models.SmallIntegerField(choices=TicketPriority, default=TicketPriority.MEDIUM)
    assignee = models.ForeignKey(
        User,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tickets_assigned",
        limit_choices_to={"role__in": HELP_DESK_ROLES, "is_active": True},
    )
    due_at = models.DateTimeField("due", null=True, blank=True)

    status = models.CharField(max_length=18, choices=TicketStatus, default=TicketStatus.OPEN)
    first_response_at = models.DateTimeField("first answer", null=True, blank=True, editable=False)
    resolved_at = models.DateTimeField("resolved", null=True, blank=True, editable=False)

    objects = SupportTicketQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "-created_at", "-id"]
        constraints = [
            unique("number_unique", "number", message="This ticket number is in use already."),
            choice_valid("status", TicketStatus),
            choice_valid("type", TicketType),
            choice_valid("priority", TicketPriority),
            check(
                "resolved_when_dated",
                Q(resolved_at__isnull=True) | Q(status__in=SOLVED_STATUSES),
                "An open ticket has no date of resolution.",
            ),
        ]
        indexes = [
            # The work list, and that of one state or type.
            models.Index(name="ticket_work_order", fields=["-priority", "-created_at", "-id"]),
            models.Index(name="ticket_status", fields=["status", "priority", "created_at", "id"]),
            models.Index(name="ticket_type", fields=["type", "priority", "created_at", "id"]),
            models.Index(name="ticket_created", fields=["-created_at"]),
            WordIndex(Words(*TICKET_TEXTS), name="ticket_words"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"


class TicketCommentQuerySet(RowQuerySet["TicketComment"]):
    def visible_to(self, user: User) -> Self:
        """The help desk sees every comment, a customer the public ones on own tickets."""
        return self if user.sees_everything else self.filter(ticket__user=user, is_internal=False)


class TicketComment(TimestampedModel):
    """One answer or remark; internal ones never reach the customer."""

    ticket = models.ForeignKey(SupportTicket, on_delete=models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="ticket_comments"
    )
    author_label = models.CharField(
        "author (as text)",
        max_length=254,
        blank=True,
        default="",
        editable=False,
        help_text="Filled in when the person is removed.",
    )
    text = models.TextField()
    is_internal = models.BooleanField("internal", default=False, help_text="Never shown to the customer.")

    objects = TicketCommentQuerySet.as_manager()

    class Meta:
        verbose_name = "comment"
        ordering = ["created_at", "id"]
        indexes = [
            # Also serves the foreign key.
            models.Index(name="comment_ticket_time", fields=["ticket", "created_at"]),
            models.Index(name="comment_time", fields=["created_at"]),
            # Filter of the list.
            models.Index(name="comment_internal", fields=["is_internal", "created_at", "id"]),
            WordIndex(Words(*COMMENT_TEXTS), name="comment_words"),
        ]

    def __str__(self) -> str:
        return self.text[:80]
