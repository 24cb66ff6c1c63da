"""Writes that carry a rule: leads, vouchers, the help desk and the newsletter."""

from __future__ import annotations

from leads.services.leads import (
    LeadChanged,
    add_lead_note,
    assign_lead,
    change_lead_priority,
    change_lead_status,
    create_lead,
    delete_lead,
    record_lead_activity,
    restore_lead,
)
from leads.services.newsletter import subscribe, unsubscribe, unsubscribe_by_token, unsubscribe_token
from leads.services.rescoring import rescore_lead, rescore_leads
from leads.services.retention import forget_lead_traces, leads_with_old_traces
from leads.services.tickets import assign_ticket, change_ticket_status, comment_ticket
from leads.services.vouchers import (
    TransitionRefused,
    add_voucher_code,
    claim_voucher,
    copy_voucher_text,
    delete_voucher,
    expire_claims,
    expire_voucher,
    expire_vouchers,
    overdue_claims,
    overdue_vouchers,
    publish_voucher,
    redeem_voucher,
    restore_voucher,
    suspend_voucher,
)

__all__ = [
    "LeadChanged",
    "TransitionRefused",
    "add_lead_note",
    "add_voucher_code",
    "assign_lead",
    "assign_ticket",
    "change_lead_priority",
    "change_lead_status",
    "change_ticket_status",
    "claim_voucher",
    "comment_ticket",
    "copy_voucher_text",
    "create_lead",
    "delete_lead",
    "delete_voucher",
    "expire_claims",
    "expire_voucher",
    "expire_vouchers",
    "forget_lead_traces",
    "leads_with_old_traces",
    "overdue_claims",
    "overdue_vouchers",
    "publish_voucher",
    "record_lead_activity",
    "redeem_voucher",
    "rescore_lead",
    "rescore_leads",
    "restore_lead",
    "restore_voucher",
    "subscribe",
    "suspend_voucher",
    "unsubscribe",
    "unsubscribe_by_token",
    "unsubscribe_token",
]
