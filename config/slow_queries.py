"""A line in the log for each statement that takes too long: its text without any value, and how long it took."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings

from config.redaction import normalized_sql

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.backends.base.base import BaseDatabaseWrapper

TEXT_LENGTH = 2000

logger = logging.getLogger("forecourt.slow_queries")


def watch_statements(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Time the statements of a connection that was just opened, unless ``SLOW_QUERY_MS`` is 0."""
    if settings.SLOW_QUERY_MS and log_when_slow not in connection.execute_wrappers:
        connection.execute_wrappers.append(log_when_slow)


def log_when_slow(execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]) -> Any:
    """Execute a statement, as Django's wrappers do, and log it when it took too long, also when it failed."""
    start = time.perf_counter()
    try:
        return execute(sql, parameters, many, context)
    finally:
        milliseconds = 1000 * (time.perf_counter() - start)
        if milliseconds >= settings.SLOW_QUERY_MS:
            logger.warning("%.0f ms: %s", milliseconds, normalized_sql(str(sql))[:TEXT_LENGTH])
