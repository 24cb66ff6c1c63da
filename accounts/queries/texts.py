"""What is asked about languages and texts in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from accounts.languages import LANGUAGE_HEADER, LANGUAGE_PARAMETER, choose_language, first_tag
from accounts.models import Language, Translation
from config.db.reading import fetch, one_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.http import HttpRequest


_TEXTS = (
    "SELECT t.key, t.language_id, t.value FROM accounts_translation t"
    " JOIN accounts_language l ON l.code = t.language_id WHERE (t.language_id = %s AND l.is_active OR l.is_default)"
)


def resolve_texts(keys: Iterable[str] | Mapping[str, str], language: str) -> dict[str, str]:
    """Return the text of every key, with one query.

    In `language` if that is active, else in the default language, else what the mapping `keys` gives for the key
    (a plain iterable gives nothing), else the key itself.
    """
    wanted = dict(keys) if isinstance(keys, Mapping) else dict.fromkeys(keys, "")
    if not wanted:
        return {}
    of_keys, parameters = one_of(Translation, "t.key", list(wanted))
    found: dict[str, str] = {}
    for key, code, value in fetch(Translation, f"{_TEXTS} AND {of_keys}", [language, *parameters]):
        if code == language or key not in found:
            found[key] = value
    return {key: found.get(key) or fallback or key for key, fallback in wanted.items()}


def shown_in(language: str) -> Q:
    """Return the condition that a translation is what `resolve_texts` gives for its key in this language."""
    own = Translation.objects.filter(key=OuterRef("key"), language=language, language__is_active=True)
    return Q(language=language, language__is_active=True) | Q(~Exists(own), language__is_default=True)


def active_languages() -> tuple[list[str], str]:
    """Return the codes of the active languages and the default one, with one query."""
    rows = list(Language.objects.filter(is_active=True).values_list("code", "is_default"))
    default = next((code for code, is_default in rows if is_default), settings.LANGUAGE_CODE)
    return [code for code, _ in rows], default


def language_for_request(request: HttpRequest) -> str:
    """Return the active language that X-Language, `lang` or Accept-Language names, in this order, else the default."""
    active, default = active_languages()
    wishes = (
        request.headers.get(LANGUAGE_HEADER, ""),
        request.GET.get(LANGUAGE_PARAMETER, ""),
        first_tag(request.headers.get("Accept-Language", "")),
    )
    return choose_language(wishes, active=active, default=default)
