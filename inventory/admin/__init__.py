from __future__ import annotations

from inventory.admin import cars, categories, parts, sellers

__all__ = ["cars", "categories", "parts", "sellers"]
