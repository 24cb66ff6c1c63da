from __future__ import annotations

from inventory.admin import cars, categories, parts

__all__ = ["cars", "categories", "parts"]
