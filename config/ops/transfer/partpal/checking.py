"""One row of the source under a magnifying glass: what each value means, and what there is to say about it.

Here is the whole truth about a value. The moves of the large tables know shorter ways for the common ones
(`quick.py`), which lead to the same cells and findings.
"""

from __future__ import annotations

import math
import re
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from config.ops.transfer.layout import Finding
from config.ops.transfer.partpal.words import code_for, default_of
from config.ops.transfer.values import (
    FALSE,
    FIRST_MILLISECOND,
    LAST_MILLISECOND,
    NULL,
    TRUE,
    JSONProblem,
    is_storable,
    milliseconds_cell,
    moment_cell,
    numeric_cell,
    parse_json,
    text_cell,
)

if TYPE_CHECKING:
    from config.ops.transfer.layout import Context
    from config.ops.transfer.partpal.duplicates import Keeper

LONGEST_ID = 36
LARGEST_INTEGER = 2**31 - 1
LARGEST_SMALL_INTEGER = 2**15 - 1

# Integers from here on count milliseconds, smaller ones seconds: 10**11 seconds are the year 5138.
FIRST_IN_MILLISECONDS = 10**11
# A binary fraction such as 19.990000000000002 is no third place that anybody wrote.
FLOAT_NOISE = Decimal("1e-9")
ROUNDED = ("rounded", "it has more than two places, and was rounded")

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,300}(\.[0-9]{0,300})?|\.[0-9]{1,300})([eE][+-]?[0-9]{1,3})?")
_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"([T ](?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?) ?(?P<zone>[Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
)
_TRUTH = {"true": TRUE, "t": TRUE, "1": TRUE, "false": FALSE, "f": FALSE, "0": FALSE}
_WRITTEN_TWICE = 2


class RowCheck:
    """Makes the cells of one row after the other, and tells at the end of each what was found in it."""

    def __init__(self, context: Context, table: str) -> None:
        self.table = table
        self.rowid = 0
        self.id = ""
        self._context = context
        self._findings: list[Finding] = []

    def begin(self, rowid: int, public_id: Any) -> None:
        """Turn to a row."""
        self.rowid, self.id = rowid, _as_text(public_id)
        self._findings.clear()

    @property
    def has_findings(self) -> bool:
        """Whether there is something to say about the row in hand."""
        return bool(self._findings)

    @property
    def is_bad(self) -> bool:
        """Whether the row in hand cannot be moved."""
        return any(finding.outcome == "bad" for finding in self._findings)

    def finish(self, *cells: str) -> str | None:
        """Tell what was found, and return the row's line, or None when it cannot be moved."""
        if self._findings:
            # Also of a row that stays behind everything is told: whoever mends it wants to know.
            for finding in self._findings:
                self._context.report(finding)
            if self.is_bad:
                self._context.keys.refuse(self.table, self.rowid)
                return None
        return "\t".join(cells)

    # Saying something.

    def note(self, column: str, reason: str, message: str, value: Any, moved_as: Any = None, **more: Any) -> None:
        """Say what was changed on the way."""
        finding = Finding("note", self.table, self.id, column, reason, message, value, moved_as, **more)
        self._findings.append(finding)

    def bad(self, column: str, reason: str, message: str, value: Any, **more: Any) -> None:
        """Say why the row cannot be moved."""
        self._findings.append(Finding("bad", self.table, self.id, column, reason, message, value, **more))

    def keep_secret(self, column: str) -> None:
        """Let nobody see what the column holds."""
        for place, finding in enumerate(self._findings):
            if finding.column == column:
                self._findings[place] = replace(finding, secret=True)

    # Text.

    def plain(self, column: str, value: Any, longest: int | None = None) -> str:
        """Return the text of a value, an empty one where there is none."""
        if value is None:
            return ""
        if isinstance(value, bytes):
            self.bad(column, "wrong_type", "it holds bytes where a text belongs", value)
            return ""
        text = str(value)
        if not is_storable(text):
            self._unstorable(column, text)
        elif longest is not None and len(text) > longest:
            self._too_long(column, text, longest)
        return text

    def text(self, column: str, value: Any, longest: int | None = None) -> str:
        """Return the cell of a text."""
        return text_cell(self.plain(column, value, longest))

    def identifier(self, column: str, value: Any) -> str:
        """Return the cell of an id of the older system."""
        plain = self.plain(column, value, LONGEST_ID)
        if not plain and not isinstance(value, bytes):
            self.bad(column, "missing", "the row has no id", value)
        return text_cell(plain)

    def changed(self, column: str, value: str, kept: str, message: str, longest: int) -> str:
        """Return the cell of a text that is kept in another spelling than the source's."""
        if len(kept) > longest:
            self._too_long(column, value, longest)
        elif kept != value:
            self.note(column, "normalized", message, value, kept)
        return text_cell(kept)

    def _unstorable(self, column: str, value: str) -> None:
        if "\0" in value:
            self.bad(column, "nul_byte", "a NUL character is in it, which PostgreSQL does not store", value)
        else:
            self.bad(column, "invalid_utf8", "its bytes are no UTF-8 text", value)

    def _too_long(self, column: str, value: str, longest: int) -> None:
        self.bad(column, "too_long", f"it has {len(value):,} characters, and {longest} are the most", value)

    # Numbers and truth.

    def _is_empty(self, column: str, value: Any) -> bool:
        """Whether an optional value is not there; an empty text is noted."""
        if isinstance(value, str) and not value.strip():
            self.note(column, "empty_text", "an empty text stands where there is no value", value)
            return True
        return value is None

    def whole(self, column: str, value: Any, lowest: int, highest: int, *, optional: bool = False) -> int | None:
        """Return a whole number, or None where there is none."""
        if optional and self._is_empty(column, value):
            return None
        number = value
        if (isinstance(value, str) and _INTEGER.fullmatch(value.strip())) or (
            isinstance(value, float) and value.is_integer()
        ):
            number = int(value)
        if value is None:
            self.bad(column, "missing", "it is empty, and the rule is that it is given", value)
        elif type(number) is not int:
            self.bad(column, "not_an_integer", "it is no whole number", value)
        elif not lowest <= number <= highest:
            self.bad(column, "out_of_range", f"it is not between {lowest} and {highest}", value)
        else:
            return number
        return None

    def number(self, column: str, value: Any, *, optional: bool = False) -> Decimal | None:
        """Return a finite number by its shortest digits, or None where there is none."""
        if optional and self._is_empty(column, value):
            return None
        if value is None:
            self.bad(column, "missing", "it is empty, and the rule is that it is given", value)
        elif type(value) is int or (type(value) is float and math.isfinite(value)):
            return Decimal(repr(value))
        elif type(value) is float:
            self.bad(column, "out_of_range", "it is infinite", value)
        elif isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            return Decimal(value.strip())
        elif isinstance(value, str) and not is_storable(value):
            self._unstorable(column, value)
        else:
            self.bad(column, "not_a_number", "it is no number", value)
        return None

    def decimal(self, column: str, value: Any, number: Decimal, lowest: Decimal, highest: Decimal) -> str:
        """Return the cell of a number with two places."""
        # What is far away is not rounded first: it may have more digits than there are places for.
        cell = numeric_cell(number, 2) if lowest / 10 <= number <= highest * 10 else ""
        if not cell or not lowest <= Decimal(cell) <= highest:
            self.bad(column, "out_of_range", f"it is not between {lowest} and {highest}", value)
        elif is_rounded(number, cell):
            self.note(column, *ROUNDED, value, cell)
        return cell

    def boolean(self, column: str, value: Any) -> str:
        """Return the cell of a truth value."""
        if type(value) is int and value in (0, 1):
            return TRUE if value else FALSE
        if isinstance(value, str) and value.strip().lower() in _TRUTH:
            return _TRUTH[value.strip().lower()]
        self.bad(column, "not_a_boolean", "it is neither true nor false", value)
        return FALSE

    # Time.

    def time(self, column: str, value: Any, *, optional: bool = False) -> str:
        """Return the cell of a time."""
        if optional and self._is_empty(column, value):
            return NULL
        if value is None:
            self.bad(column, "missing", "it is empty, and the rule is that it is given", value)
            return NULL
        if isinstance(value, str) and not is_storable(value):
            self._unstorable(column, value)
            return NULL
        try:
            cell = time_cell(value)
        except OverflowError:
            self.bad(column, "out_of_range", "it is not within the years 1 to 9999", value)
        except ValueError:
            self.bad(column, "not_a_time", "it is no time that can be read", value)
        else:
            if isinstance(value, str) and re.search(r"[.,][0-9]{6}0*[1-9]", value):
                self.note(column, "rounded", "what is finer than a microsecond was cut", value, cell)
            return cell
        return NULL

    def last_change(self, column: str, value: Any, created: str) -> str:
        """Return the cell of the time of the last change; an unreadable one is the time of creation."""
        if not (isinstance(value, bytes) or (isinstance(value, str) and not is_storable(value))):
            with suppress(ValueError, OverflowError):
                if value:
                    return time_cell(value)
            self.note(column, "no_time", "it is no time, and the time of creation stands for it", value, created)
            return created
        return self.time(column, value)

    # Words.

    def code(self, column: str, value: Any, field: str, *, optional: bool = False) -> str:
        """Return the code that a word means; an unknown one is the default of its field, which is noted."""
        word = self.plain(column, value)
        if optional and not word.strip():
            return ""
        code = code_for(field, word)
        if code is None:
            code = default_of(field)
            self.note(
                column, "unknown_word", f"the word is unknown, and {code or 'nothing'} stands for it", value, code
            )
        return code

    # Other rows.

    def parent(self, column: str, table: str, value: Any, rowid: int | None) -> str:
        """Return the cell of the key of a row without which this one cannot be."""
        if value is None or value == "":
            self.bad(column, "missing", f"it names no row of {table}, and the rule is that it does", value)
        elif rowid is None:
            self.bad(column, "orphan", f"{table} has no row with this id", value)
        elif self._context.keys.is_refused(table, rowid):
            because = f"{table} {_as_text(value)}"
            message = "it belongs to a row that cannot be moved"
            self.bad(column, "hangs_on_bad_row", message, value, because_of=because)
        else:
            return str(rowid)
        return NULL

    def relative(self, column: str, table: str, value: Any, rowid: int | None) -> str:
        """Return the cell of the key of a row that may be missing, which is noted."""
        if value is None or value == "":
            return NULL
        if rowid is None:
            if is_storable(self.plain(column, value)) and not isinstance(value, bytes):
                self.note(column, "unresolved", f"{table} has no row with this id", value)
        elif self._context.keys.is_refused(table, rowid):
            because = f"{table} {_as_text(value)}"
            self.note(column, "hangs_on_bad_row", "it names a row that cannot be moved", value, because_of=because)
        else:
            return str(rowid)
        return NULL

    def single(self, column: str, value: Any, name: str, keeper: Keeper | None) -> None:
        """Refuse the row if another one keeps the value of which there may be one only."""
        if keeper is not None:
            message = f"{keeper.id} has it as well, and keeps it"
            self.bad(column, f"duplicate_{name}", message, value)


def is_rounded(number: Decimal, cell: str) -> bool:
    """Whether a number lost digits that somebody wrote."""
    return abs(Decimal(cell) - number) > FLOAT_NOISE


def time_cell(value: Any) -> str:
    """Return the cell of a time as PartPal's files have them: milliseconds, seconds or text, in UTC without a zone.

    Raises ValueError for what is no time, OverflowError outside of the years 1 to 9999.
    """
    if type(value) is int:
        return milliseconds_cell(value if abs(value) >= FIRST_IN_MILLISECONDS else value * 1000)
    if type(value) is float:
        return _fraction_cell(value)
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if not found:
        raise ValueError("no time")
    # Of the fraction, Python takes what PostgreSQL keeps.
    text = f"{found['date']}T{found['time'] or '00:00'}{(found['zone'] or 'Z').upper()}"
    return moment_cell(datetime.fromisoformat(text))


def _fraction_cell(value: float) -> str:
    milliseconds = value if abs(value) >= FIRST_IN_MILLISECONDS else value * 1000
    if not FIRST_MILLISECOND <= milliseconds <= LAST_MILLISECOND:
        raise OverflowError(milliseconds)
    whole, thousandths = divmod(round(milliseconds * 1000), 1000)
    cell = milliseconds_cell(whole)
    if not thousandths:
        return cell
    moment = datetime.fromisoformat(cell.replace("+00", "+00:00"))
    return moment_cell(moment.replace(microsecond=moment.microsecond + thousandths))


def decoded_json(text: str) -> tuple[Any, bool]:
    """Return the value of a JSON text, and whether it was JSON in a text, up to twice. Raises JSONProblem."""
    value = parse_json(text)
    inner = value
    for _ in range(_WRITTEN_TWICE):
        if type(inner) is not str:
            break
        try:
            inner = parse_json(inner)
        except JSONProblem:
            return value, False
    # A text that happens to be a number is a text.
    is_decoded = inner is not value and (inner is None or isinstance(inner, dict | list))
    return (inner, True) if is_decoded else (value, False)


def _as_text(value: Any) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
