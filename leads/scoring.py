"""How promising a lead is: points for what its sender told us, and the priority that follows from them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import NamedTuple

from config.options import options
from leads.models.leads import LeadPriority

HIGHEST = 100

# The words of one language count in every message: nobody tells us which language a message is in.
Words = dict[str, list[str]]

URGENT_WORDS: Words = {
    "fi": [
        *("nyt", "heti", "pian", "kiireellinen", "asap", "tänään", "huomenna"),
        *("kiire", "kiireellisesti", "kiireesti", "pikaisesti", "välittömästi"),
    ],
    "en": ["now", "asap", "urgent", "urgently", "immediately", "right away", "soon", "today", "tonight", "tomorrow"],
    "es": ["ahora", "urgente", "urgentemente", "inmediatamente", "cuanto antes", "pronto", "hoy", "mañana"],
}
PURCHASE_WORDS: Words = {
    "fi": [
        *("ostaa", "ostamaan", "osto", "hankkia", "rahoitus", "vaihtoauto", "koeajo"),
        *("ostan", "ostaisin", "ostaisimme", "oston", "hankin", "hankkisin", "rahoituksen", "rahoitusta"),
        *("vaihtoauton", "vaihtoautona", "koeajon", "koeajoa", "koeajolle", "koeajaa"),
    ],
    "en": [
        *("buy", "buying", "purchase", "purchasing", "finance", "financing"),
        *("trade in", "trade-in", "part exchange", "test drive", "test-drive"),
    ],
    "es": [
        *("comprar", "compra", "compro", "compraría", "adquirir", "financiación", "financiamiento"),
        *("financiar", "permuta", "prueba de manejo", "prueba de conducción"),
    ],
}
FREE_MAIL_DOMAINS = [
    *("gmail.com", "yahoo.com", "hotmail.com", "outlook.com"),
    *("aol.com", "googlemail.com", "gmx.com", "icloud.com", "live.com", "mail.com", "me.com", "msn.com", "proton.me"),
    # Finland
    *("dnainternet.net", "elisanet.fi", "hotmail.fi", "kolumbus.fi", "kotiposti.net", "luukku.com", "netti.fi"),
    *("nic.fi", "pp.inet.fi", "saunalahti.fi", "sci.fi", "suomi24.fi", "welho.com"),
    # South Africa
    *("absamail.co.za", "iafrica.com", "lantic.net", "mweb.co.za", "polka.co.za", "telkomsa.net", "vodamail.co.za"),
    *("webmail.co.za", "yahoo.co.za"),
    # Spain
    *("hotmail.es", "outlook.es", "terra.es", "yahoo.es"),
]


def _every_word(words: Words) -> tuple[str, ...]:
    return tuple(word for language in words.values() for word in language)


@dataclass(frozen=True, slots=True)
class ScoringRules:
    """The parts of scoring that staff may change."""

    urgent_words: tuple[str, ...] = _every_word(URGENT_WORDS)
    purchase_words: tuple[str, ...] = _every_word(PURCHASE_WORDS)
    free_mail_domains: frozenset[str] = frozenset(FREE_MAIL_DOMAINS)
    urgent_priority_from: int = 80
    high_priority_from: int = 60
    medium_priority_from: int = 40
    high_quality_from: int = 70
    medium_quality_from: int = 40
    scoring: bool = True


DEFAULT_RULES = ScoringRules()
# Each is the setting "leads.<name>".
_RULES = tuple(rule.name for rule in fields(ScoringRules))


def current_rules() -> ScoringRules:
    """Return the rules as staff have set them."""
    chosen = options([f"leads.{name}" for name in _RULES])
    rules = {name: chosen[f"leads.{name}"] for name in _RULES}
    return ScoringRules(
        urgent_words=_every_word(rules.pop("urgent_words")),
        purchase_words=_every_word(rules.pop("purchase_words")),
        free_mail_domains=frozenset(rules.pop("free_mail_domains")),
        **rules,
    )


class Score(NamedTuple):
    """A score of 0 to 100, and the points of each factor that counted; together they may be more than 100."""

    score: int
    factors: dict[str, int]


def score_lead(
    *, name: str, email: str, phone: str, message: str, has_car: bool, rules: ScoringRules = DEFAULT_RULES
) -> Score:
    """Score a request by what its sender wrote, unescaped as it was typed.

    `has_car` is whether the request names a car of ours.
    """
    factors = {}
    if phone.strip():
        factors["phone_provided"] = 20
    factors |= _email_factor(email, rules.free_mail_domains)
    factors |= {"full_name": 10} if len(name.split()) > 1 else {"partial_name": 5}
    factors |= _message_factor(len(message))
    if has_car:
        factors["car_interest"] = 30
    if contains_word(message, rules.urgent_words):
        factors["urgent_contact"] = 10
    if contains_word(message, rules.purchase_words):
        factors["purchase_intent"] = 10
    return Score(min(HIGHEST, sum(factors.values())), factors)


def _email_factor(email: str, free_mail_domains: frozenset[str]) -> dict[str, int]:
    domain = email.strip().lower().rpartition("@")[2]
    return {"personal_email": 5} if domain in free_mail_domains else {"business_email": 10}


def _message_factor(length: int) -> dict[str, int]:
    if length > 100:
        return {"detailed_message": 30}
    if length > 50:
        return {"medium_message": 20}
    if length > 20:
        return {"short_message": 10}
    return {"minimal_message": 5}


def contains_word(text: str, words: tuple[str, ...]) -> bool:
    """Whether one of `words` (or phrases) stands in `text` as a whole, in any case."""
    return bool(words) and _pattern(words).search(_comparable(text)) is not None


@lru_cache(maxsize=16)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    phrases = (r"\s+".join(map(re.escape, _comparable(word).split())) for word in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)")


def _comparable(text: str) -> str:
    """Return text in which an umlaut is the same whether it was typed as one character or as two."""
    return unicodedata.normalize("NFC", text).casefold()


def priority_for(score: int, rules: ScoringRules = DEFAULT_RULES) -> LeadPriority:
    """Return the priority that a score asks for."""
    if score >= rules.urgent_priority_from:
        return LeadPriority.URGENT
    if score >= rules.high_priority_from:
        return LeadPriority.HIGH
    if score >= rules.medium_priority_from:
        return LeadPriority.MEDIUM
    return LeadPriority.LOW


def quality_label(score: int, rules: ScoringRules = DEFAULT_RULES) -> str:
    """Return high, medium or low: the quality of a lead in one word."""
    if score >= rules.high_quality_from:
        return "high"
    return "medium" if score >= rules.medium_quality_from else "low"
