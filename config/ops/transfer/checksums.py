"""Checksums of a table's content, from the lines that were sent and from those that come back."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.db.models import AutoField, IntegerField

if TYPE_CHECKING:
    from django.db.models import Model


class OrderedChecksum:
    """SHA-256 over the lines of a table in the order of its primary key, each with its line end."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = hashlib.sha256()

    def add(self, lines: bytes, rows: int) -> None:
        """Take the next whole lines."""
        self.rows += rows
        self._sum.update(lines)

    def hexdigest(self) -> str:
        return self._sum.hexdigest()


class UnorderedChecksum:
    """The sum, modulo 2**256, of the SHA-256 of every line: for keys whose order the two sides see differently."""

    def __init__(self) -> None:
        self.rows = 0
        self._sum = 0

    def add(self, lines: bytes, rows: int) -> None:
        """Take some whole lines."""
        self.rows += rows
        for line in lines.split(b"\n")[:-1]:
            self._sum += int.from_bytes(hashlib.sha256(line).digest(), "big")

    def hexdigest(self) -> str:
        return f"{self._sum % 2**256:064x}"


Checksum = OrderedChecksum | UnorderedChecksum


def new_checksum(model: type[Model]) -> Checksum:
    """Return an empty checksum of the kind that suits the model's primary key."""
    return OrderedChecksum() if has_integer_key(model) else UnorderedChecksum()


def has_integer_key(model: type[Model]) -> bool:
    """Whether the primary key is a number, and so the rowid of the source's row."""
    return isinstance(model._meta.pk, AutoField | IntegerField)
