"""Reading rows out of CSV and JSON files that people made, one by one: a file of any length takes the same memory."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

CHUNK = 64 * 1024  # bytes, or characters once decoded
LARGEST_OBJECT = 1024 * 1024  # characters of one JSON row
DELIMITERS = ",;\t|"

# How files begin that are neither CSV nor JSON, and what to do about it.
OTHER_FORMATS = (
    ((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), "The file is written in UTF-16: save it as CSV in UTF-8."),
    ((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"), "The file is a spreadsheet: save it as CSV in UTF-8."),
    ((b"\x1f\x8b",), "The file is compressed: unpack it first."),
)
# Bytes that mean nothing in Windows-1252, and whole letters of UTF-8.
NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")

# How other systems and people head our columns.
ALIASES = {
    "brand": "make",
    "variant": "trim",
    "fuel": "fuel_type",
    "gearbox": "transmission",
    "drive_type": "drivetrain",
    "mileage": "mileage_km",
    "km": "mileage_km",
    "power": "power_hp",
    "colour": "color",
    "acquisition_date": "acquired_at",
    "acquired": "acquired_at",
    "location": "yard_location",
    "listed": "is_listed",
    "is_listed_on_marketplace": "is_listed",
    "id": "public_id",
    "vehicle_id": "vehicle",
    "seller_id": "seller",
    "category_id": "category",
    "business_name": "name",
    "user": "owner",
    "user_id": "owner",
}


@dataclass(frozen=True, slots=True)
class StockRow:
    """One row of a file: its number as a person counts it, its cells by column, or why it cannot be read."""

    number: int
    cells: dict[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(slots=True)
class StockFile:
    """An open file; `unused_columns` of a JSON file are complete only after the last row."""

    format: str
    encoding: str
    rows: Iterator[StockRow]
    unused_columns: list[str] = field(default_factory=list)


@contextmanager
def open_stock_file(stream: IO[bytes], *, known: Collection[str], required: Collection[str]) -> Iterator[StockFile]:
    """Read a seekable stream of bytes as CSV or JSON, whichever it is; the stream stays open.

    Cells under columns that are not `known` are left out. CSV rows are numbered as in a spreadsheet, the header being
    row 1; JSON rows from 1. Raises Refused, at once or while reading, where the file as a whole cannot be trusted.
    """
    encoding = _encoding_of(stream)
    text = io.TextIOWrapper(stream, encoding=encoding, newline="")
    try:
        start = text.read(CHUNK).lstrip()
        text.seek(0)
        if not start:
            raise Refused("The file is empty.")
        shown = "Windows-1252" if encoding == "cp1252" else "UTF-8"
        if start[0] in "[{":
            file = StockFile("json", shown, iter(()))
            file.rows = _json_rows(text, known, file.unused_columns)
        else:
            file = _csv_file(text, shown, known, required)
        yield file
    finally:
        text.detach()


def _encoding_of(stream: IO[bytes]) -> str:
    """Return Python's name of the encoding, having read the stream to its end. Raises Refused for any but our two."""
    stream.seek(0)
    for marks, words in OTHER_FORMATS:
        if stream.read(4).startswith(marks):
            raise Refused(words)
        stream.seek(0)
    try:
        decoder = codecs.getincrementaldecoder("utf-8")()
        for chunk in _chunks(stream):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        encoding = "cp1252"
    else:
        encoding = "utf-8-sig"
    # Where letters of both occur, either reading would garble those of the other.
    if encoding == "cp1252" and any(NOT_WINDOWS.search(chunk) for chunk in _chunks(stream)):
        raise Refused("The file's letters are neither UTF-8 nor Windows-1252 throughout: save it as CSV in UTF-8.")
    stream.seek(0)
    return encoding


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(CHUNK):
        yield chunk


def _csv_file(text: IO[str], encoding: str, known: Collection[str], required: Collection[str]) -> StockFile:
    delimiter = _delimiter_of(text.readline(CHUNK), known)
    text.seek(0)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    header = [column_name(cell) for cell in _next_record(reader) or []]
    missing = [name for name in required if name not in header]
    if missing:
        there = ", ".join(filter(None, header))[:300]
        raise Refused(f"Columns are missing: {', '.join(missing)}. The file has: {there}.")
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise Refused(f"Columns occur twice: {', '.join(twice)}.")
    unused = [name for name in header if name and name not in known]
    return StockFile("csv", encoding, _csv_rows(reader, header, known), unused)


def _delimiter_of(line: str, known: Collection[str]) -> str:
    """Return the delimiter that yields most of our columns."""

    def columns(delimiter: str) -> int:
        return sum(column_name(cell) in known for cell in next(csv.reader([line], delimiter=delimiter), []))

    return max(DELIMITERS, key=columns)


def column_name(heading: str) -> str:
    """Return our name of a column from its heading: engineSize, "Engine size" and engine_size are one."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", heading.strip())
    name = re.sub(r"[^0-9a-z]+", "_", snake.lower()).strip("_")
    return ALIASES.get(name, name)


def _next_record(reader: Any) -> list[str] | None:
    try:
        record: list[str] | None = next(reader, None)
    except csv.Error as error:
        raise Refused(
            f"The quotes do not match at or before line {reader.line_num} ({error}): close every quote, and write "
            "a quote inside a cell twice."
        ) from error
    return record


def _csv_rows(reader: Any, header: list[str], known: Collection[str]) -> Iterator[StockRow]:
    number = 1
    while (record := _next_record(reader)) is not None:
        number += 1
        if not any(cell.strip() for cell in record):
            continue
        if len(record) != len(header):
            yield StockRow(number, problem=f"The row has {len(record)} cells where the header has {len(header)}.")
            continue
        yield StockRow(number, {name: cell for name, cell in zip(header, record, strict=True) if name in known})


def _json_rows(text: IO[str], known: Collection[str], unused: list[str]) -> Iterator[StockRow]:
    for number, value in enumerate(_json_values(text), start=1):
        if not isinstance(value, dict):
            yield StockRow(number, problem="The row is not an object with columns.")
            continue
        cells = {column_name(key): cell for key, cell in value.items()}
        # As many as a person reads; a file whose every row has keys of its own must not fill the memory.
        unused += sorted(name for name in cells if name not in known and name not in unused)[: 50 - len(unused)]
        yield StockRow(number, {name: cell for name, cell in cells.items() if name in known})


def _json_values(text: IO[str]) -> Iterator[Any]:
    """Yield the members of a JSON list, or the values of JSON lines, without holding more than one and a chunk."""
    # Numbers stay as they are written: a float would lose cents, and NaN is no number here.
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    buffer = _Buffer(text)
    in_list = buffer.peek() == "["
    if in_list:
        buffer.skip()
    number = 0
    while (character := buffer.peek()) and not (in_list and number == 0 and character == "]"):
        number += 1
        yield buffer.take_value(decoder, number)
        if in_list and buffer.peek() != ",":
            break
        if in_list:
            buffer.skip()
    if in_list and buffer.peek() != "]":
        raise Refused(f"The JSON list breaks off, or lacks a comma, after row {number}.")
    if in_list:
        buffer.skip()
        if buffer.peek():
            raise Refused("The file goes on after its JSON list.")


class _Buffer:
    """The part of a text that is being read."""

    def __init__(self, text: IO[str]) -> None:
        self._text = text
        self._held = ""
        self._at = 0

    def peek(self) -> str:
        """Return the next character that is no blank, or nothing at the end."""
        while True:
            while self._at < len(self._held):
                if self._held[self._at] not in " \t\r\n":
                    return self._held[self._at]
                self._at += 1
            if not self._read():
                return ""

    def skip(self) -> None:
        self._at += 1

    def take_value(self, decoder: json.JSONDecoder, number: int) -> Any:
        """Return the next JSON value. Raises Refused if there is none."""
        while True:
            try:
                value, self._at = decoder.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                if len(self._held) - self._at > LARGEST_OBJECT or not self._read():
                    raise Refused(f"Row {number} is not valid JSON, or longer than 1 MB ({error.msg}).") from error
            except RecursionError as error:
                raise Refused(f"Row {number} has lists within lists without end.") from error
            else:
                return value

    def _read(self) -> bool:
        chunk = self._text.read(CHUNK)
        self._held = self._held[self._at :] + chunk
        self._at = 0
        return bool(chunk)
