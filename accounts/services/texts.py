"""Translated texts: writing and verifying them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.models import Translation
from config.audit import announce
from config.db.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Language, User


@transaction.atomic
def verify_translation(
    *, translation: Translation, actor: User | None = None, now: datetime | None = None
) -> Translation:
    """Mark a text as checked. Raises Refused if it is already, or if its words changed since they were read."""
    changed = Translation.objects.filter(pk=translation.pk, is_verified=False, value=translation.value).update(
        is_verified=True, verified_by=actor, verified_at=now or timezone.now()
    )
    if not changed:
        raise Refused(f"{translation} is verified already, or its words changed meanwhile: read it again.")
    translation.refresh_from_db()
    changes = {"is_verified": [False, True]}
    announce("update", translation, event_type="TRANSLATION_VERIFIED", actor=actor, changes=changes)
    return translation


@transaction.atomic
def save_translation(
    *, key: str, language: Language, value: str, domain: str = "", context: str = "", actor: User | None = None
) -> Translation:
    """Write the text of a key in a language; other words than before are unverified again.

    An empty `domain` or `context` leaves the one that is there. Raises ValidationError for a text or key that is empty,
    and for a key or domain that is too long.
    """
    defaults = {"value": value, "domain": domain, "context": context}
    Translation(key=key, language=language, **defaults).clean_fields(exclude=["language"])
    translation, created = Translation.objects.select_for_update().get_or_create(
        key=key, language=language, defaults=defaults
    )
    if created:
        announce("create", translation, event_type="TRANSLATION_CREATED", actor=actor)
        return translation
    old = {name: getattr(translation, name) for name in ("value", "domain", "context")}
    new = {"value": value, "domain": domain or translation.domain, "context": context or translation.context}
    changes = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
    if changes:
        translation.value, translation.domain, translation.context = new.values()
        translation.save()
        announce("update", translation, event_type="TRANSLATION_CHANGED", actor=actor, changes=changes)
    return translation
