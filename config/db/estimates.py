"""What PostgreSQL's planner expects, which costs no more than planning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import QuerySet


def expected_rows(rows: QuerySet[Any]) -> int:
    """Return how many rows the planner expects, at least one."""
    plan = rows.order_by().values("pk").explain(format="json")
    # A condition that nothing can meet is never asked.
    return max(int(json.loads(plan)[0]["Plan"]["Plan Rows"]), 1) if plan else 1
