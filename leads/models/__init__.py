from __future__ import annotations

from leads.models.leads import Lead, LeadActivity, LeadNote
from leads.models.newsletter import NewsletterSubscriber
from leads.models.tickets import SupportTicket, TicketComment
from leads.models.vouchers import Voucher, VoucherClaim, VoucherCode, VoucherRedemption

__all__ = [
    "Lead",
    "LeadActivity",
    "LeadNote",
    "NewsletterSubscriber",
    "SupportTicket",
    "TicketComment",
    "Voucher",
    "VoucherClaim",
    "VoucherCode",
    "VoucherRedemption",
]
