from __future__ import annotations

from leads.admin import leads, newsletter, tickets, vouchers

__all__ = ["leads", "newsletter", "tickets", "vouchers"]
