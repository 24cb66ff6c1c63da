"""One run of `seed`: what it may rely on, what it creates and what it counts.

The rule of every profile: create what is missing, leave what is there. A row that staff edited, hid or that came from
elsewhere under the same natural key is kept as it is, so a second run changes nothing, whatever the day. Rows that have
no key of their own (features, pictures, notes) come with their parent, and only then.
"""

from __future__ import annotations

import functools
import operator
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID, uuid5

from django.db.models import Model, Q

from config.db.ids import CROCKFORD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

M = TypeVar("M", bound=Model)

NAMESPACE = UUID("5b1e9a52-3f0d-4c56-9c58-0e6c2f7a9d11")
BATCH = 500


@dataclass
class Tally:
    """How many rows of one model a run created, changed, and found as they should be."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody who can sign in; `password` only where this run made it up, for it is never shown again."""

    email: str
    role: str
    password: str | None


@dataclass
class SeedRun:
    """The moment from which the run counts back, and the books it keeps."""

    now: datetime
    debug: bool
    say: Callable[[str], None] = lambda line: None
    tallies: dict[str, Tally] = field(default_factory=dict)
    sign_ins: list[SignIn] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def total(self) -> Tally:
        books = self.tallies.values()
        return Tally(
            created=sum(tally.created for tally in books),
            changed=sum(tally.changed for tally in books),
            unchanged=sum(tally.unchanged for tally in books),
        )

    @cached_property
    def demo_password(self) -> str | None:
        """The one password of the demo people made in this run; outside of DEBUG they have none."""
        return new_password() if self.debug else None

    def moment(self, days_ago: float) -> datetime:
        """Return the time so many days back: to the minute for fractions, some working hour for whole numbers."""
        if not float(days_ago).is_integer():
            return self.now - timedelta(days=days_ago)
        morning = (self.now - timedelta(days=days_ago)).replace(hour=7, minute=0, second=0, microsecond=0)
        return morning + timedelta(minutes=int(days_ago) * 37 % 540)

    def ensure(self, model: type[M], /, *keys: Q, **values: Any) -> tuple[M, bool]:
        """Return the row that one of `keys` finds, hidden ones included, or create it; and whether it is new."""
        found = every_row(model).filter(functools.reduce(operator.or_, keys)).order_by("pk").first()
        if found is not None:
            self.tally(model).unchanged += 1
            return found, False
        row = model(**values)
        row.save(force_insert=True)
        self.tally(model).created += 1
        return row, True

    def ensure_children(self, parent: Model, parent_is_new: bool, relation: str, rows: Sequence[Model]) -> None:
        """Create the rows that belong to a parent made in this run; count those of any other parent.

        `relation` is the name by which the parent knows them; one that knows none has nothing to count.
        """
        related = getattr(parent, relation)
        tally = self.tally(related.model)
        if parent_is_new:
            self.create_many(related.model, rows)
        else:
            tally.unchanged += related.count()

    def ensure_many(self, model: type[M], rows: Sequence[M], *, key: str = "public_id") -> set[Any]:
        """Create those of `rows` whose `key` is not in the table yet; returns the keys of the new ones."""
        wanted = {getattr(row, key): row for row in rows}
        there = set(every_row(model).filter(**{f"{key}__in": list(wanted)}).values_list(key, flat=True))
        missing = [row for value, row in wanted.items() if value not in there]
        self.create_many(model, missing)
        self.tally(model).unchanged += len(there)
        return set(wanted) - there

    def create_many(self, model: type[M], rows: Sequence[M]) -> None:
        """Create rows that are known to be missing. As with every bulk write, no `save` runs."""
        every_row(model).bulk_create(rows, batch_size=BATCH)
        self.tally(model).created += len(rows)

    def tally(self, model: type[Model]) -> Tally:
        return self.tallies.setdefault(model._meta.label, Tally())


def every_row(model: type[Model]) -> Any:
    """Return the manager that also sees hidden rows."""
    return getattr(model, "all_objects", model._default_manager)


def seed_id(kind: str, key: str) -> str:
    """Return the public id of a seeded row: the same on every machine and every day."""
    return str(uuid5(NAMESPACE, f"{kind}/{key}"))


def made(at: datetime) -> dict[str, datetime]:
    """Return the timestamps of a row that was made then and not touched since."""
    return {"created_at": at, "updated_at": at}


def new_password() -> str:
    """Return a random password of 80 bits that can be typed from paper, in groups of four."""
    letters = [secrets.choice(CROCKFORD.lower()) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))
