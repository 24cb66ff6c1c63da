"""Which settings exist: their types, ranges and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import DomainNameValidator, validate_email

from leads.scoring import DEFAULT_RULES, FREE_MAIL_DOMAINS, PURCHASE_WORDS, URGENT_WORDS

SEVEN_YEARS = 2555  # days, as tax and trade laws count them
LONGEST_RETENTION = 36_500  # days
# What the program keeps for them and does not use itself.
BY_WEBSITES = "Read by the websites."

_validate_domain = DomainNameValidator(message="“%(value)s” is no domain name.")


@dataclass(frozen=True)
class Setting:
    """One setting: what it is for, and the value that it has until somebody changes it."""

    help: str
    default: Any

    @property
    def is_secret(self) -> bool:
        return False

    def clean(self, value: Any) -> Any:
        """Return `value` as it is kept. Raises ValidationError, saying what to write, if it cannot be."""
        raise NotImplementedError


@dataclass(frozen=True)
class Boolean(Setting):
    def clean(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Write true or false.")
        return value


@dataclass(frozen=True)
class Integer(Setting):
    minimum: int
    maximum: int

    def clean(self, value: Any) -> int:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not self.minimum <= value <= self.maximum:
            raise ValidationError(f"Write a whole number from {self.minimum} to {self.maximum}.")
        return int(value)


@dataclass(frozen=True)
class Text(Setting):
    default: str = ""
    max_length: int = 255

    def clean(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Write a text, in quotation marks.")
        text = value.strip()
        if len(text) > self.max_length:
            raise ValidationError(f"Write at most {self.max_length} characters; these are {len(text)}.")
        return text


@dataclass(frozen=True)
class Secret(Text):
    """A text that is encrypted where it is kept, and masked where it is shown."""

    @property
    def is_secret(self) -> bool:
        return True


@dataclass(frozen=True)
class Email(Text):
    def clean(self, value: Any) -> str:
        address = super().clean(value).lower()
        if address:
            validate_email(address)
        return address


@dataclass(frozen=True)
class TextList(Setting):
    """A list of texts in small letters, each of them once."""

    max_items: int = 500

    def clean(self, value: Any) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValidationError('Write a list of texts, such as ["one", "two"].')
        if len(value) > self.max_items:
            raise ValidationError(f"Write at most {self.max_items} entries; these are {len(value)}.")
        items = list(dict.fromkeys(item.strip().lower() for item in value if item.strip()))
        for item in items:
            self.clean_item(item)
        return items

    def clean_item(self, item: str) -> None:
        """Raise ValidationError if `item` cannot be in the list."""


@dataclass(frozen=True)
class EmailList(TextList):
    def clean_item(self, item: str) -> None:
        validate_email(item)


@dataclass(frozen=True)
class DomainList(TextList):
    def clean_item(self, item: str) -> None:
        _validate_domain(item)


@dataclass(frozen=True)
class WordLists(Setting):
    """Words by language code."""

    def clean(self, value: Any) -> dict[str, list[str]]:
        if not isinstance(value, dict):
            raise ValidationError('Write words by language, such as {"en": ["now", "today"]}.')
        words = TextList(self.help, [])
        return {str(language).strip().lower(): words.clean(listed) for language, listed in value.items()}


SETTINGS: dict[str, Setting] = {
    "business.name": Text(f"The business's name, as customers read it. {BY_WEBSITES}"),
    "business.email": Email(f"Where customers write to. {BY_WEBSITES}"),
    "business.phone": Text(f"Where customers call. {BY_WEBSITES}", max_length=50),
    "business.address": Text(f"Street, postal code and city. {BY_WEBSITES}", max_length=500),
    "mail.from_address": Email("The sender of the mails that the program writes; empty: DEFAULT_FROM_EMAIL."),
    "mail.reply_to": Email("Where answers to those mails go; empty: to the sender."),
    "mail.api_key": Secret(f"The mail provider's key. {BY_WEBSITES}"),
    "notifications.addresses": EmailList(f"Who is told of new leads. {BY_WEBSITES}", [], max_items=20),
    "leads.scoring": Boolean("Score new leads.", DEFAULT_RULES.scoring),
    "leads.auto_assignment": Boolean("Give a new lead to the administrator with the fewest open ones.", False),
    "leads.urgent_priority_from": Integer(
        "The score from which a lead is urgent.", DEFAULT_RULES.urgent_priority_from, 0, 100
    ),
    "leads.high_priority_from": Integer(
        "The score from which a lead has high priority.", DEFAULT_RULES.high_priority_from, 0, 100
    ),
    "leads.medium_priority_from": Integer(
        "The score from which a lead has medium priority.", DEFAULT_RULES.medium_priority_from, 0, 100
    ),
    "leads.high_quality_from": Integer(
        "The score from which a lead is called high quality.", DEFAULT_RULES.high_quality_from, 0, 100
    ),
    "leads.medium_quality_from": Integer(
        "The score from which a lead is called medium quality.", DEFAULT_RULES.medium_quality_from, 0, 100
    ),
    "leads.urgent_words": WordLists("Words that show that somebody is in a hurry.", URGENT_WORDS),
    "leads.purchase_words": WordLists("Words that show that somebody wants to buy.", PURCHASE_WORDS),
    "leads.free_mail_domains": DomainList("Mail providers for everybody: no business addresses.", FREE_MAIL_DOMAINS),
    "site.title": Text(f"The title of the public pages. {BY_WEBSITES}", "Forecourt", max_length=100),
    "site.tagline": Text(f"The line below the title. {BY_WEBSITES}"),
    "site.footer": Text(f"The text at the foot of the public pages. {BY_WEBSITES}", max_length=2000),
    "site.maintenance_mode": Boolean(f"Show visitors that the site is being worked on. {BY_WEBSITES}", False),
    "security.password_min_length": Integer(
        "The shortest password that is accepted; those that people have already stay good.", 8, 6, 32
    ),
    "security.session_timeout_minutes": Integer(
        "Minutes without activity after which a session of the back office ends.", 60, 5, 10_080
    ),
    "security.session_lifetime_hours": Integer(
        "Hours after the sign-in at which a session of the back office ends in any case.", 24, 1, 168
    ),
    "security.login_attempts": Integer("Failed sign-ins after which an account is locked for a while.", 5, 3, 20),
    "security.email_verification_required": Boolean(
        "Let people sign in only once their e-mail is verified: verify your own first.", False
    ),
    "retention.one_time_token_days": Integer(
        "Days after which a used or expired one-time token is removed.", 0, 0, LONGEST_RETENTION
    ),
    "retention.session_days": Integer(
        "Days after their expiry at which sessions and refresh tokens are removed.", 90, 0, LONGEST_RETENTION
    ),
    "retention.session_trace_days": Integer(
        "Days after its last activity at which a session loses address and browser.", 30, 1, LONGEST_RETENTION
    ),
    "retention.lead_trace_days": Integer(
        "Days after which a lead loses the sender's address and browser.", 90, 1, LONGEST_RETENTION
    ),
    "retention.audit_days": Integer("Days after which audit entries are archived.", 90, 1, LONGEST_RETENTION),
    "retention.part_days": Integer(
        "Days after its sale at which a part is archived.", SEVEN_YEARS, 30, LONGEST_RETENTION
    ),
    "retention.vehicle_days": Integer(
        "Days at which a donor vehicle without parts is archived.", SEVEN_YEARS, 30, LONGEST_RETENTION
    ),
    "retention.user_days": Integer(
        "Days after their deletion at which people are archived and anonymized.", SEVEN_YEARS, 1, LONGEST_RETENTION
    ),
    "retention.event_days": Integer("Days after which events are archived.", SEVEN_YEARS, 1, LONGEST_RETENTION),
    "retention.page_view_days": Integer("Days after which page views are archived.", SEVEN_YEARS, 1, LONGEST_RETENTION),
    "retention.web_vital_days": Integer(
        "Days after which measurements of pages are archived.", SEVEN_YEARS, 1, LONGEST_RETENTION
    ),
    "features.newsletter": Boolean(f"Offer the newsletter. {BY_WEBSITES}", True),
    "features.chatbot": Boolean(f"Offer the chatbot. {BY_WEBSITES}", False),
    "features.appointment_booking": Boolean(f"Offer appointments. {BY_WEBSITES}", False),
    "features.car_comparison": Boolean(f"Let visitors compare cars. {BY_WEBSITES}", False),
    "features.social_media": Boolean(f"Show links to social media. {BY_WEBSITES}", False),
}
