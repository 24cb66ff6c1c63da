"""Telling an outside tracker of errors, when ``SENTRY_DSN`` names one; people and secrets stay here.

What is sent is the place in our code, the kind of error and its sentence without values. Who asked, from where, for
what, with which form and which cookies is not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured

from config.ops.version import forecourt_version
from config.redaction import HIDDEN, redacted

if TYPE_CHECKING:
    from sentry_sdk.types import Breadcrumb, Event

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}\b", re.IGNORECASE)
TELEPHONE = re.compile(r"\+?\d[\d ()-]{6,}\d")
# PostgreSQL repeats the values of a row that breaks a rule.
ROW = re.compile(r"(?:(?<=\)=)|(?<=Failing row contains ))\(.*\)")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”")
# Everything else stays here: the request with its address, headers and cookies, the person, the trail before it.
KEPT = (
    *("event_id", "timestamp", "platform", "level", "logger", "exception", "transaction", "environment", "release"),
    *("sdk", "modules", "contexts", "tags", "fingerprint", "message", "logentry"),
)


def start_tracking(dsn: str, *, environment: str) -> None:
    """Begin to send errors. Raises ImproperlyConfigured for an address, or an installation, that cannot serve."""
    try:
        import sentry_sdk
        from sentry_sdk.integrations.django import DjangoIntegration
        from sentry_sdk.integrations.logging import LoggingIntegration
        from sentry_sdk.utils import BadDsn
    except ImportError as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN is set, and sentry-sdk is not installed: install the extra named sentry."
        ) from error
    try:
        sentry_sdk.init(
            dsn=dsn,
            environment=environment,
            release=f"forecourt@{forecourt_version()}",
            send_default_pii=False,
            include_local_variables=False,
            include_source_context=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            server_name="",
            auto_session_tracking=False,
            default_integrations=False,
            integrations=[
                DjangoIntegration(transaction_style="function_name"),
                LoggingIntegration(level=None, sentry_logs_level=None),
            ],
            before_send=_scrubbed,
            before_breadcrumb=_no_breadcrumb,
        )
    except BadDsn as error:
        raise ImproperlyConfigured(
            "SENTRY_DSN cannot be read: write https://key@host/number, as the tracker shows it."
        ) from error


def _no_breadcrumb(crumb: Breadcrumb, hint: dict[str, Any]) -> None:
    """Keep no trail of what happened before: it is made of statements, addresses and log lines."""


def _scrubbed(event: Event, hint: dict[str, Any]) -> Event:
    """Return what may be sent of an event."""
    scrubbed: dict[str, Any] = {key: value for key, value in event.items() if key in KEPT}
    for exception in scrubbed.get("exception", {}).get("values", []):
        exception["value"] = impersonal(str(exception.get("value", "")))
    entry = scrubbed.get("logentry")
    if entry:
        # The parameters are the values; the message is what the code wrote.
        scrubbed["logentry"] = {"message": impersonal(str(entry.get("message", "")))}
    if "message" in scrubbed:
        scrubbed["message"] = impersonal(str(scrubbed["message"]))
    return scrubbed  # type: ignore[return-value]  # a part of an event is an event


def impersonal(text: str) -> str:
    """Return a sentence without secrets, e-mail and network addresses, telephone numbers and quoted values."""
    text = redacted(text)
    for values in (ROW, EMAIL, ADDRESS, TELEPHONE, QUOTED):
        text = values.sub(HIDDEN, text)
    return text
