"""Announcing what happened, and who was acting.

Services in every app announce facts here; `analytics` is the highest app and listens, because the apps below it may
not import it. The receiver writes inside the caller's transaction: a change and its audit entry stand or fall together.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.dispatch import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

announced = Signal()


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Who is acting and from where; empty outside of a request."""

    actor: Any = None
    ip_address: str | None = None
    user_agent: str = ""
    request_id: str = ""


_context: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current_context() -> RequestContext:
    """Return the context of the running request, or an empty one."""
    return _context.get() or RequestContext()


@contextmanager
def acting(context: RequestContext) -> Iterator[None]:
    """Make `context` the current one for the block."""
    token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(token)


def entity_key(entity: Model) -> str:
    """Return the name under which the audit log knows a row of a table: its public id, or else its key."""
    return str(getattr(entity, "public_id", None) or entity.pk or "")


def announce(
    action: str,
    entity: Model | None = None,
    *,
    event_type: str = "",
    actor: Any = None,
    seller: Model | None = None,
    description: str = "",
    changes: dict[str, list[Any]] | None = None,
    metadata: dict[str, Any] | None = None,
    success: bool = True,
    error_message: str = "",
) -> None:
    """Announce one fact for the audit log.

    `action` is one of create, update, delete, login, logout, status_change, other; `changes` maps a field to
    [before, after]. Without `actor` the acting user of the current request is taken.
    """
    announced.send(
        sender=type(entity) if entity is not None else None,
        action=action,
        entity=entity,
        event_type=event_type,
        actor=actor if actor is not None else current_context().actor,
        seller=seller,
        description=description,
        changes=changes,
        metadata=metadata,
        success=success,
        error_message=error_message,
    )
