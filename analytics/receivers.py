"""The audit log writes itself: it listens to what the apps announce, and to who signs in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_delete, post_save

from accounts.models import Seller
from analytics.models import AuditLog, SystemSetting
from analytics.models.audit import AuditAction
from analytics.models.settings import settings_written
from analytics.models.traffic import EventType
from analytics.redaction import as_json, redacted
from analytics.services import record_event
from analytics.settings import forget_settings_after_commit
from config.audit import announced, current_context, entity_key
from leads.models import Lead

if TYPE_CHECKING:
    from django.db.models import Model

    from accounts.models import User

LABEL_LENGTH = 255
ACTOR_LENGTH = 254


def write_audit_entry(
    *,
    action: str,
    entity: Model | None,
    event_type: str,
    actor: Any,
    seller: Seller | None,
    description: str,
    changes: dict[str, list[Any]] | None,
    metadata: dict[str, Any] | None,
    success: bool,
    error_message: str,
    **kwargs: Any,
) -> None:
    """Write what was announced, in the announcer's transaction; an update that changed nothing is no news."""
    if action == AuditAction.UPDATE and changes == {}:
        return
    context, person, metadata = current_context(), _known(actor), dict(metadata or {})
    # An announcement about many rows has no row, but names their table.
    entity_type = metadata.pop("entity_type", "") if entity is None else entity._meta.label_lower
    AuditLog.objects.create(
        actor=person,
        actor_label=actor_label(person),
        seller_id=seller.pk if seller is not None else _seller_id(entity),
        action=action,
        event_type=event_type,
        entity_type=entity_type,
        entity_id=entity_key(entity) if entity is not None else "",
        entity_label=str(entity)[:LABEL_LENGTH] if entity is not None else "",
        description=description,
        changes=as_json(redacted(changes, also=getattr(entity, "secret_fields", frozenset()))),
        metadata=as_json(redacted(metadata)) or None,
        ip_address=context.ip_address,
        user_agent=context.user_agent,
        request_id=context.request_id,
        success=success,
        error_message=error_message,
    )


def _known(actor: Any) -> User | None:
    """Return the person, or None for somebody who is not signed in."""
    return actor if actor is not None and actor.pk is not None else None


def actor_label(actor: User | None) -> str:
    """Return who acted, in words that still say it when the account is gone."""
    if actor is None:
        return ""
    label = f"{actor.name} <{actor.email}>" if actor.name else str(actor.email)
    return label[:ACTOR_LENGTH]


def _seller_id(entity: Model | None) -> int | None:
    seller_id: int | None = entity.pk if isinstance(entity, Seller) else getattr(entity, "seller_id", None)
    return seller_id


def record_created_lead(*, entity: Model | None, event_type: str, **kwargs: Any) -> None:
    """Count a new lead among the events of its car, part and seller."""
    if event_type != EventType.LEAD_CREATED or not isinstance(entity, Lead):
        return
    record_event(
        event_type=EventType.LEAD_CREATED,
        user=entity.user,
        seller=entity.seller,
        part=entity.part,
        car=entity.car,
        ip_address=entity.ip_address,
        user_agent=entity.user_agent,
        metadata={"lead": entity.public_id, "source": entity.source},
        now=entity.created_at,
    )


# Signing in and out. Django itself dates the last sign-in on the same signal.


def audit_sign_in(*, user: User, **kwargs: Any) -> None:
    """Write that somebody signed in."""
    _write_sign_in(AuditAction.LOGIN, "LOGIN", user=user, description="Signed in")


def audit_sign_out(*, user: User | None, **kwargs: Any) -> None:
    """Write that somebody signed out; nobody did when the session was over already."""
    if user is not None:
        _write_sign_in(AuditAction.LOGOUT, "LOGOUT", user=user, description="Signed out")


def audit_failed_sign_in(*, credentials: dict[str, Any], **kwargs: Any) -> None:
    """Write the address that somebody tried, as it was typed; never what was typed as the password."""
    typed = str(credentials.get("username") or credentials.get("email") or "")
    label = "".join(character for character in typed if character.isprintable())[:ACTOR_LENGTH]
    _write_sign_in(AuditAction.LOGIN, "LOGIN_FAILED", label=label, description="Sign-in failed", success=False)


def _write_sign_in(
    action: AuditAction,
    event_type: str,
    *,
    user: User | None = None,
    label: str = "",
    description: str,
    success: bool = True,
) -> None:
    context = current_context()
    AuditLog.objects.create(
        actor=user,
        actor_label=actor_label(user) or label,
        action=action,
        event_type=event_type,
        entity_type="accounts.user",
        entity_id=entity_key(user) if user is not None else "",
        entity_label=str(user)[:LABEL_LENGTH] if user is not None else "",
        description=description,
        ip_address=context.ip_address,
        user_agent=context.user_agent,
        request_id=context.request_id,
        success=success,
    )


def connect() -> None:
    """Connect the receivers; called once, when the apps are ready."""
    announced.connect(write_audit_entry, dispatch_uid="analytics.write_audit_entry")
    announced.connect(record_created_lead, dispatch_uid="analytics.record_created_lead")
    user_logged_in.connect(audit_sign_in, dispatch_uid="analytics.audit_sign_in")
    user_logged_out.connect(audit_sign_out, dispatch_uid="analytics.audit_sign_out")
    user_login_failed.connect(audit_failed_sign_in, dispatch_uid="analytics.audit_failed_sign_in")
    for signal in (post_save, post_delete, settings_written):
        signal.connect(
            forget_settings_after_commit, sender=SystemSetting, dispatch_uid="analytics.forget_settings_after_commit"
        )
