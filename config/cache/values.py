"""What stands under a key: a head that says when the value was true and how it is packed, and the value."""

from __future__ import annotations

import pickle
import struct
import zlib
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

from django.db.models import Model, QuerySet

# Smaller values cost more to unpack than they save on the way. Setting up zstd takes longer than all of zlib's work.
PACKED_FROM = 8192  # bytes
LEVEL = 1
# Frozen values that a process keeps ready.
IN_MEMORY = 128

_HEAD = struct.Struct(">dB")
_PLAIN, _PACKED, _NOTHING = range(3)


class _Writer(pickle.Pickler):
    """Writes data classes as calls of themselves, which are read in half the time of what they write of their own."""

    def reducer_override(self, value: Any) -> Any:
        if not is_dataclass(value) or isinstance(value, type):
            return NotImplemented
        members = fields(value)
        if not all(member.init and not member.kw_only for member in members):
            return NotImplemented
        return type(value), tuple(getattr(value, member.name) for member in members)


@dataclass(frozen=True, slots=True)
class Kept:
    """A value out of the cache; with `is_due` somebody should build it anew."""

    value: Any
    is_due: bool


def pack(value: Any, *, stamp: bytes, due: float) -> bytes:
    """Return the bytes that keep `value`, true while the generations are those of `stamp`, to be renewed from `due`.

    Raises TypeError for a queryset, which would be asked again by whoever reads it, and for a model's instance.
    """
    if value is None:
        return _HEAD.pack(due, _NOTHING) + stamp
    if isinstance(value, (QuerySet, Model)):
        raise TypeError(f"{type(value).__name__} cannot be cached: build plain values, such as a list of dictionaries.")
    written = BytesIO()
    _Writer(written, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    content = written.getvalue()
    form = _PLAIN
    if len(content) >= PACKED_FROM:
        content, form = zlib.compress(content, LEVEL), _PACKED
    return _HEAD.pack(due, form) + stamp + content


def unpack(data: bytes | None, *, stamp: bytes, now: float, frozen: bool = False) -> Kept | None:
    """Return what `pack` kept; None if that is nothing, of other generations, or cannot be read.

    A `frozen` value is read once from the same bytes, and then handed out again.
    """
    if data is None or not data.startswith(stamp, _HEAD.size):
        return None
    due, form = _HEAD.unpack_from(data)
    if form == _NOTHING:
        return Kept(None, is_due=now >= due)
    read = _read_once if frozen else _read
    try:
        value = read(data[_HEAD.size + len(stamp) :], form == _PACKED)
    except Exception:  # noqa: BLE001 - a class that is gone or another shape: whatever it is, the value is of no use
        return None
    return Kept(value, is_due=now >= due)


def _read(content: bytes, is_packed: bool) -> Any:
    # Only our own processes write under our prefix, as with Django's own cached sessions.
    return pickle.loads(zlib.decompress(content) if is_packed else content)  # noqa: S301


_read_once = lru_cache(IN_MEMORY)(_read)
