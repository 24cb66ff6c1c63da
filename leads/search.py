"""Leads and vouchers, found by what somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from accounts.models import Translation
from accounts.queries import shown_in
from config.db.search import SHORTEST_TEXT, Found, Searched, best, bounded, fenced, search
from config.db.words import Holds, searched_words
from leads.codes import typed_code
from leads.models import Lead, SupportTicket, Voucher
from leads.models.leads import LEAD_NAMES, LEAD_TEXTS, NOTE_TEXTS
from leads.models.newsletter import SUBSCRIBER_TEXTS
from leads.models.tickets import COMMENT_TEXTS, TICKET_TEXTS
from leads.models.vouchers import REDEMPTION_TEXTS

if TYPE_CHECKING:
    from django.db.models import QuerySet

LEADS = Searched(LEAD_NAMES, LEAD_TEXTS)
NOTES = Searched(NOTE_TEXTS, NOTE_TEXTS)
TICKETS = Searched(TICKET_TEXTS, TICKET_TEXTS)
COMMENTS = Searched(COMMENT_TEXTS, COMMENT_TEXTS)
SUBSCRIBERS = Searched(SUBSCRIBER_TEXTS, SUBSCRIBER_TEXTS)
REDEMPTIONS = Searched(REDEMPTION_TEXTS, REDEMPTION_TEXTS)


def search_leads(text: str, *, within: QuerySet[Lead] | None = None, limit: int = 20, offset: int = 0) -> Found:
    """Return the keys of a page of leads: by name, e-mail or telephone, then by subject and message.

    `within` (live leads) may be filtered only; give it the leads that the person may see.
    """
    return search(LEADS, text, Lead.objects.all() if within is None else within, limit=limit, offset=offset)


def search_tickets(
    text: str, *, within: QuerySet[SupportTicket] | None = None, limit: int = 20, offset: int = 0
) -> Found:
    """Return the keys of a page of support tickets, by number and title; `within` may be filtered only."""
    return search(TICKETS, text, SupportTicket.objects.all() if within is None else within, limit=limit, offset=offset)


def search_vouchers(
    text: str, *, within: QuerySet[Voucher] | None = None, language: str = "", limit: int = 20, offset: int = 0
) -> Found:
    """Return the keys of a page of vouchers: by code, then by title, then by description and terms.

    Texts are looked through as they are shown in one language, by default in all. `within` (live vouchers) may be
    filtered only. Nothing is repaired.
    """
    limit, offset = bounded(limit, offset)
    words = searched_words(text)
    if sum(map(len, words)) < SHORTEST_TEXT:
        return Found([])
    texts = Translation.objects.filter(Holds(("value",), words))
    keys = fenced(texts.filter(shown_in(language)) if language else texts, "key")
    classes = [
        Q(pk__in=Voucher.objects.filter(codes__code__in={text.strip(), typed_code(text)}).values("pk")),
        Q(title_key__in=keys),
        Q(description_key__in=keys) | Q(terms_key__in=keys),
    ]
    vouchers = Voucher.objects.all() if within is None else within
    ids = best(classes, vouchers, offset + limit + 1)
    return Found(ids[offset : offset + limit], has_more=len(ids) > offset + limit)
