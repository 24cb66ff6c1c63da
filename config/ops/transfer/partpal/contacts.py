"""Phone numbers, websites and countries as free text, brought into the form in which they are kept."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path

COUNTRY_NAMES = Path(__file__).with_name("country_names.txt")

_PHONE = re.compile(r"[+(0-9][0-9 ()./\-\u00a0]*")
_ADDRESS = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_BARE_ADDRESS = re.compile(r"[\w-]+(\.[\w-]+)+(:[0-9]+)?([/?#]\S*)?")
LONGEST_PHONE = 40


def international_phone(text: str, country: str) -> str | None:
    """Return a phone number in the form E.164, or None for what cannot be read as one.

    `country` is the ISO 3166-1 code whose dialling rules hold for a number without a country code.
    """
    # The library takes 20 milliseconds to load, and not every file has phone numbers.
    import phonenumbers

    if len(text) > LONGEST_PHONE or not _PHONE.fullmatch(text.strip()):
        return None
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if number.extension or not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def web_address(text: str) -> str | None:
    """Return an address with its scheme, https where it has none; None for what is no address on the web."""
    text = text.strip()
    if _ADDRESS.fullmatch(text):
        return text
    return f"https://{text}" if _BARE_ADDRESS.fullmatch(text) else None


def country_code(name: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code of a country's name or code, or None for an unknown one."""
    return _codes().get(_plain(name))


@cache
def _codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for line in COUNTRY_NAMES.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            code, *names = line.split(" | ")
            codes |= {_plain(name): code for name in (code, *names)}
    return codes


def _plain(name: str) -> str:
    """Return letters and digits only, without accents, in one case; a leading article does not matter."""
    letters = unicodedata.normalize("NFKD", name.casefold().strip().removeprefix("the "))
    return "".join(letter for letter in letters if letter.isalnum())
