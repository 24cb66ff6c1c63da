"""The words in which other systems and people write our codes, in English and Finnish."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from inventory.models.base import Drivetrain, FuelType, Transmission

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORDS: dict[str, dict[str, str]] = {
    "fuel_type": {
        "gasoline": FuelType.PETROL,
        "benzine": FuelType.PETROL,
        "bensiini": FuelType.PETROL,
        "sahko": FuelType.ELECTRIC,
        "hybridi": FuelType.HYBRID,
        "phev": FuelType.PLUGIN_HYBRID,
    },
    "transmission": {"automaatti": Transmission.AUTOMATIC, "manuaali": Transmission.MANUAL},
    "drivetrain": {"4x4": Drivetrain.FOUR_WD, "4wd": Drivetrain.FOUR_WD},
}

# Words that say more after them, such as "Neliveto (4Motion)".
_PREFIXES: dict[str, dict[str, str]] = {
    "drivetrain": {
        "etuveto": Drivetrain.FWD,
        "etuvetava": Drivetrain.FWD,
        "takavetava": Drivetrain.RWD,
        "takaveto": Drivetrain.RWD,
        "neliveto": Drivetrain.AWD,
    },
}

# What stands for a word we do not know, where that loses nothing but detail. Other unknown words refuse the row.
UNKNOWN: dict[str, str] = {"fuel_type": FuelType.OTHER, "transmission": "", "drivetrain": ""}


def code_of(field: str, word: str, choices: Iterable[tuple[str, str]]) -> str | None:
    """Return the code of a field's choice that `word` means, or None.

    The code itself, its label and the words above are known, whatever their case, accents, dashes and underscores.
    """
    plain = _plain(word)
    for code, label in choices:
        if plain in {_plain(code), _plain(label)}:
            return code
    if plain in _WORDS.get(field, {}):
        return _WORDS[field][plain]
    prefixes = _PREFIXES.get(field, {}).items()
    return next((code for prefix, code in prefixes if plain.startswith(prefix)), None)


def _plain(word: str) -> str:
    letters = unicodedata.normalize("NFKD", str(word).casefold())
    return "".join(letter for letter in letters if letter.isalnum())
