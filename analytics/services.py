"""Writing down what visitors do, and how fast the pages are."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from analytics.models import Event, PageView, WebVital
from analytics.models.traffic import VitalName, VitalRating
from config.db.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from accounts.models import Seller, User
    from inventory.models import Car, Part

PATH_LENGTH = 500
AGENT_LENGTH = 500
REFERRER_LENGTH = 2000
SESSION_LENGTH = 128

# Up to the first figure a value is good, above the second poor; milliseconds, but for CLS.
VITAL_THRESHOLDS: dict[VitalName, tuple[float, float]] = {
    VitalName.CLS: (0.1, 0.25),
    VitalName.FID: (100, 300),
    VitalName.FCP: (1800, 3000),
    VitalName.LCP: (2500, 4000),
    VitalName.TTFB: (800, 1800),
    VitalName.INP: (200, 500),
}

# Words by which crawlers, previews, monitors and programs name themselves; "bot" ends a word or stands before a "/",
# but Cubot makes telephones.
_BOT_WORDS = re.compile(
    r"""(?ix) (?<!cu)bot\b | crawler | crawling | spider | slurp | archiver | scrapy | headless | phantomjs
        | lighthouse | pagespeed | pingdom | uptime | monitoring | facebookexternalhit | whatsapp/ | embedly
        | mediapartners-google | google-inspectiontool | feedfetcher | yandex(?:images|metrika)
        | ^(?:curl|wget|python-requests|python-urllib|httpx|aiohttp|go-http-client|java|okhttp|libwww-perl|node-fetch
             |axios|ruby|php|httpie|postmanruntime)\b """
)


def is_bot(user_agent: str) -> bool:
    """Whether a user agent says that it is no person: a crawler, a monitor, a program."""
    return _BOT_WORDS.search(user_agent) is not None


def record_event(
    *,
    event_type: str,
    part: Part | None = None,
    car: Car | None = None,
    seller: Seller | None = None,
    user: User | None = None,
    session_id: str = "",
    ip_address: str | None = None,
    user_agent: str = "",
    referrer: str = "",
    metadata: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> Event:
    """Record one thing that a visitor did; without `seller` it is the part's or the car's."""
    subject = part if part is not None else car
    if seller is None and subject is not None:
        seller = subject.seller
    event: Event = Event.objects.create(
        event_type=event_type,
        occurred_at=now or timezone.now(),
        part=part,
        car=car,
        seller=seller,
        user=user,
        session_id=session_id[:SESSION_LENGTH],
        ip_address=ip_address,
        user_agent=user_agent[:AGENT_LENGTH],
        referrer=referrer[:REFERRER_LENGTH],
        metadata=metadata,
        is_bot=is_bot(user_agent),
    )
    return event


def record_page_view(
    *,
    path: str,
    referrer: str = "",
    load_time_ms: int | None = None,
    session_id: str = "",
    ip_address: str | None = None,
    user_agent: str = "",
    now: datetime | None = None,
) -> PageView:
    """Record one page shown. Raises Refused for a load time below zero."""
    if load_time_ms is not None and load_time_ms < 0:
        raise Refused("A load time cannot be negative.")
    view: PageView = PageView.objects.create(
        path=path[:PATH_LENGTH],
        referrer=referrer[:REFERRER_LENGTH],
        load_time_ms=load_time_ms,
        session_id=session_id[:SESSION_LENGTH],
        ip_address=ip_address,
        user_agent=user_agent[:AGENT_LENGTH],
        is_bot=is_bot(user_agent),
        created_at=now or timezone.now(),
    )
    return view


def rate_vital(name: VitalName, value: float) -> VitalRating:
    """Return how good a measurement is; a value on a threshold belongs to the better class."""
    good_up_to, poor_above = VITAL_THRESHOLDS[name]
    if value <= good_up_to:
        return VitalRating.GOOD
    return VitalRating.POOR if value > poor_above else VitalRating.NEEDS_IMPROVEMENT


def record_web_vital(
    *, name: str, value: float, path: str, user_agent: str = "", now: datetime | None = None
) -> WebVital:
    """Record one measurement with its rating.

    `value` is in milliseconds, but for CLS, which has no unit. Raises Refused for a name that is not known, and for a
    value that is no number from zero up.
    """
    if name not in VitalName.values:
        raise Refused(f"“{name}” is no measurement that is known here: send one of {', '.join(VitalName.values)}.")
    if not math.isfinite(value) or value < 0:
        raise Refused(f"{value} is no measurement: send a number from zero up.")
    vital: WebVital = WebVital.objects.create(
        name=name,
        value=value,
        rating=rate_vital(VitalName(name), value),
        path=path[:PATH_LENGTH],
        user_agent=user_agent[:AGENT_LENGTH],
        created_at=now or timezone.now(),
    )
    return vital
