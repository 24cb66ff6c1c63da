"""What a text finds, or where it finds nothing, what those words find that were likely meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from config.db.search import better_text
from config.pages import Page

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import Manager


class Answer(Protocol):
    """A data class that tells how many rows there are, and for which words a text with a typing error was taken."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def total(self) -> int | None: ...

    @property
    def searched_for(self) -> str | None: ...


AnswerT = TypeVar("AnswerT", bound=Answer)


def as_meant(read: Callable[[str], AnswerT], text: str, rows: Manager[Any]) -> AnswerT:
    """Read the answer for `text`; where that finds nothing, the one for its misspelled words repaired."""
    found = read(text)
    if not text or not _is_empty(found):
        return found
    better = better_text(text, rows.model, using=rows.db)
    if not better or _is_empty(meant := read(better)):
        return found
    return replace(meant, searched_for=better)


def _is_empty(answer: Answer) -> bool:
    # A page by cursor has no total.
    return not answer.total and not (isinstance(answer, Page) and answer.items)
