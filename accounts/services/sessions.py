"""Ending the sessions of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from accounts.models import User, UserSession
from config.audit import announce
from config.db.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime


@transaction.atomic
def end_session(*, session: UserSession, actor: User | None = None, now: datetime | None = None) -> UserSession:
    """End one session. Raises Refused if it has ended already."""
    if not UserSession.objects.filter(pk=session.pk, revoked_at__isnull=True).update(revoked_at=now or timezone.now()):
        raise Refused(f"The {session} has ended already.")
    session.refresh_from_db()
    announce("update", session, event_type="SESSION_ENDED", actor=actor)
    return session


@transaction.atomic
def end_all_sessions(*, user: User, actor: User | None = None, now: datetime | None = None) -> int:
    """End every session of a person, browsers included, and return how many of the recorded ones were open."""
    moment = now or timezone.now()
    ended = UserSession.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=moment)
    # Browser sessions are tied to this time, so none of them is accepted any more.
    User.all_objects.filter(pk=user.pk).update(sessions_ended_at=moment)
    user.sessions_ended_at = moment
    announce("update", user, event_type="SESSIONS_ENDED", actor=actor, metadata={"ended": ended})
    return ended
