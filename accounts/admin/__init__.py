from __future__ import annotations

from accounts.admin import billing, credentials, people, records, sellers, texts

__all__ = ["billing", "credentials", "people", "records", "sellers", "texts"]
