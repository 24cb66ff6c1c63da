"""The pictures of PartPal's parts: JSON in a text column, often JSON in a text in JSON."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from config.ops.transfer.layout import Target
from config.ops.transfer.partpal.checking import LARGEST_SMALL_INTEGER, decoded_json
from config.ops.transfer.values import JSONProblem, is_storable, text_cell
from inventory.models import PartImage

if TYPE_CHECKING:
    from config.ops.transfer.partpal.checking import RowCheck

LONGEST_URL = 1000
LONGEST_ALTERNATIVE_TEXT = 255

IMAGES = Target(PartImage, ("id", "part_id", "url", "alt_text", "position"))

_ADDRESS = re.compile(r"(https?://[^\s/]+|/[^/\s])\S*")
_PATH = re.compile(r"[\w-]+(/[^\s/]+)*/[^\s/]+\.\w+")
_ADDRESS_KEYS = ("url", "src", "secure_url")
_TEXT_KEYS = ("alt", "altText", "alt_text")


def quick_images(key: int, raw: str) -> list[str] | None:
    """Return the lines of a part's pictures from a plain list of addresses, or None for what needs a second look.

    `raw` is known to have printable characters and no backslash, so that every quotation mark begins or ends a text.
    """
    if raw == "[]":
        return []
    if raw[:10] == '["https://' and raw[-2:] == '"]' and " " not in raw and len(raw) <= LONGEST_URL:
        addresses = raw[10:-2].split('","https://')
        if raw.count('"') == 2 * len(addresses) and "" not in addresses and "///" not in raw:
            return [f"{key}\thttps://{address}\t\t{position}" for position, address in enumerate(addresses)]
    return None


def image_lines(check: RowCheck, key: int, value: Any) -> list[str]:
    """Return the lines of a part's pictures, without their own keys. What is no picture is left out and noted."""
    lines: list[str] = []
    for url, alternative in _pictures(check, value):
        address = _address(check, url)
        if address is None:
            continue
        if not (is_storable(address) and is_storable(alternative)):
            check.bad("images", "unstorable_json", "a text holds a NUL character or half a character", value)
        elif len(address) > LONGEST_URL:
            check.bad("images", "too_long", f"an address has more than {LONGEST_URL:,} characters", value)
        elif len(alternative) > LONGEST_ALTERNATIVE_TEXT:
            message = f"an alternative text has more than {LONGEST_ALTERNATIVE_TEXT} characters"
            check.bad("images", "too_long", message, value)
        else:
            lines.append(f"{key}\t{text_cell(address)}\t{text_cell(alternative)}\t{len(lines)}")
    if len(lines) > LARGEST_SMALL_INTEGER:
        check.bad("images", "out_of_range", f"more than {LARGEST_SMALL_INTEGER:,} pictures", value)
    return lines


def _pictures(check: RowCheck, value: Any) -> list[tuple[str, str]]:
    """Return the addresses and alternative texts that the column holds."""
    raw = check.plain("images", value)
    if isinstance(value, bytes) or not is_storable(raw):
        return []
    if _ADDRESS.fullmatch(raw.strip()):
        check.note("images", "decoded", "it was one address and no list", value, raw.strip())
        return [(raw.strip(), "")]
    try:
        found, is_decoded = decoded_json(raw)
    except JSONProblem as problem:
        check.note("images", "invalid_json", f"it is no JSON ({problem}), so the part has no pictures", value, [])
        return []
    if not isinstance(found, list):
        is_single = isinstance(found, dict) or (type(found) is str and _ADDRESS.fullmatch(found))
        if not is_single:
            check.note("images", "invalid_json", "it is no list, so the part has no pictures", value, [])
            return []
        found = [found]
    if is_decoded:
        check.note("images", "decoded", "it was JSON in a text", value, found)
    return [picture for one in found if (picture := _picture(check, one)) is not None]


def _picture(check: RowCheck, found: Any) -> tuple[str, str] | None:
    """Return address and alternative text of one entry, or None for what is no picture."""
    if type(found) is str:
        return found, ""
    if not isinstance(found, dict):
        check.note("images", "left_out", "it is no picture, and was left out", found)
        return None
    url = next((found[key] for key in _ADDRESS_KEYS if type(found.get(key)) is str), None)
    if url is None:
        check.note("images", "left_out", "it has no address, and was left out", found)
        return None
    alternative = next((found[key] for key in _TEXT_KEYS if type(found.get(key)) is str), "")
    kept = {url, alternative}
    rest = {key: one for key, one in found.items() if not (type(one) is str and one in kept) and one is not None}
    if rest:
        check.note("images", "left_out", "of a picture, address and alternative text are kept", found, url)
    return url, alternative


def _address(check: RowCheck, url: str) -> str | None:
    """Return an address as pages can show it, or None for what is none."""
    address = url.strip().replace(" ", "%20")
    if _PATH.fullmatch(address):
        address = f"/{address}"
    if not _ADDRESS.fullmatch(address):
        # One that cannot be stored makes the row bad, and is not to vanish here.
        if not is_storable(url):
            return url
        check.note("images", "left_out", "it is no address of a picture, and was left out", url)
        return None
    if address != url:
        check.note("images", "normalized", "an address as pages can show it", url, address)
    return address
