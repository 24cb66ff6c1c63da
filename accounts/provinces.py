"""The nine provinces of South Africa and the short forms in which people write them."""

from __future__ import annotations

import re

PROVINCES = (
    "Eastern Cape",
    "Free State",
    "Gauteng",
    "KwaZulu-Natal",
    "Limpopo",
    "Mpumalanga",
    "North West",
    "Northern Cape",
    "Western Cape",
)

# Postal and vehicle registration codes, former names and Afrikaans names, without punctuation and in lower case.
_SHORT_FORMS = {
    "Eastern Cape": ("ec", "e cape", "eastern cape province", "oos kaap"),
    "Free State": ("fs", "ofs", "orange free state", "vrystaat"),
    "Gauteng": ("gp", "gt", "gau", "pwv", "gauteng province"),
    "KwaZulu-Natal": ("kzn", "nl", "kn", "kwazulu natal", "kwa zulu natal", "natal"),
    "Limpopo": ("lp", "lim", "limpopo province", "northern province", "northern transvaal"),
    "Mpumalanga": ("mp", "mpu", "mpumalanga province", "eastern transvaal"),
    "North West": ("nw", "n west", "north west province", "northwest", "noordwes"),
    "Northern Cape": ("nc", "n cape", "northern cape province", "noord kaap"),
    "Western Cape": ("wc", "wp", "w cape", "western cape province", "western province", "wes kaap"),
}


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[^a-z]+", " ", text.lower().replace(".", "")).split())


_OFFICIAL = {_bare(form): province for province, forms in _SHORT_FORMS.items() for form in (province, *forms)}


def south_african_province(text: str) -> str:
    """Return the official name of the province that `text` means; unknown text comes back trimmed, unchanged."""
    return _OFFICIAL.get(_bare(text), text.strip())
