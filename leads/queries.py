"""What the back office asks about leads, tickets and vouchers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q
from django.db.models.functions import Lower

from leads.codes import typed_code
from leads.models import Lead, VoucherCode
from leads.models.leads import LeadStatus

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import User
    from leads.models.leads import LeadQuerySet

PAGE_SIZE = 20
EARLIER_LEADS = 5


@dataclass(frozen=True, kw_only=True)
class LeadFilters:
    """What a list of leads is narrowed to; an empty part narrows nothing.

    `unassigned` asks for the leads of nobody and goes before `assignee`. A day or moment `until` is not included.
    """

    text: str = ""
    status: str = ""
    priority: int | None = None
    assignee: User | None = None
    unassigned: bool = False
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> Q:
        """Return the filters as one condition, each joined to the others by AND."""
        condition = Q()
        if self.text:
            text = self.text.strip()
            condition &= Q(name__icontains=text) | Q(email__icontains=text) | Q(message__icontains=text)
        exact: dict[str, Any] = {"status": self.status, "priority": self.priority, "source": self.source}
        exact |= {"created_at__gte": self.since, "created_at__lt": self.until}
        if self.unassigned:
            condition &= Q(assigned_to__isnull=True)
        else:
            exact["assigned_to"] = self.assignee
        return condition & Q(**{field: value for field, value in exact.items() if value not in {None, ""}})


def leads_for(user: User, filters: LeadFilters | None = None) -> LeadQuerySet:
    """Return the leads that `user` may see, narrowed by `filters`, most pressing first."""
    leads: LeadQuerySet = Lead.objects.all()
    return leads.visible_to(user).filter((filters or LeadFilters()).condition()).select_related("assigned_to")


def lead_counts_by_status(leads: LeadQuerySet) -> dict[LeadStatus, int]:
    """Return how many of `leads` have each status, those with none at 0 included."""
    counts = dict(leads.order_by().values_list("status").annotate(number=Count("pk")))
    return {status: counts.get(status, 0) for status in LeadStatus}


def earlier_leads_of(lead: Lead, *, user: User) -> list[Lead]:
    """Return up to 5 leads that the same person sent before, newest first, as far as `user` may see them.

    The same person has the same e-mail address or telephone number.
    """
    same_person = Q(email_lower=lead.email.lower())
    if lead.phone:
        same_person |= Q(phone=lead.phone)
    leads: LeadQuerySet = Lead.objects.alias(email_lower=Lower("email")).filter(same_person)
    earlier = leads.visible_to(user).filter(created_at__lte=lead.created_at).exclude(pk=lead.pk)
    return list(earlier.order_by("-created_at", "-pk")[:EARLIER_LEADS])


def voucher_code(text: str) -> VoucherCode | None:
    """Return the active code that a person typed or scanned, with its voucher; None if there is none."""
    codes = VoucherCode.objects.select_related("voucher__seller").filter(is_active=True)
    # A scanned token is taken as it is; typed codes come with blanks, hyphens and small letters.
    found: VoucherCode | None = codes.filter(
        code__in={text, typed_code(text)}, voucher__deleted_at__isnull=True
    ).first()
    return found
