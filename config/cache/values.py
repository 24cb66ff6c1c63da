"""What stands under a key: a head that says when the value was true and how it is packed, and the value."""

from __future__ import annotations

import pickle
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet

# Smaller values cost more to unpack than they save on the way. Setting up zstd takes longer than all of zlib's work.
PACKED_FROM = 8192  # bytes
LEVEL = 1

_HEAD = struct.Struct(">dB")
_PLAIN, _PACKED, _NOTHING = range(3)


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
    content = pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)
    form = _PLAIN
    if len(content) >= PACKED_FROM:
        content, form = zlib.compress(content, LEVEL), _PACKED
    return _HEAD.pack(due, form) + stamp + content


def unpack(data: bytes | None, *, stamp: bytes, now: float) -> Kept | None:
    """Return what `pack` kept; None if that is nothing, of other generations, or cannot be read."""
    if data is None or not data.startswith(stamp, _HEAD.size):
        return None
    due, form = _HEAD.unpack_from(data)
    if form == _NOTHING:
        return Kept(None, is_due=now >= due)
    content = memoryview(data)[_HEAD.size + len(stamp) :]
    try:
        # Only our own processes write under our prefix, as with Django's own cached sessions.
        value = pickle.loads(zlib.decompress(content) if form == _PACKED else content)  # noqa: S301
    except Exception:  # noqa: BLE001 - a class that is gone or another shape: whatever it is, the value is of no use
        return None
    return Kept(value, is_due=now >= due)
