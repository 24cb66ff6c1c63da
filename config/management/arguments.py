"""What several commands need to read their options, to ask, and to end in order."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.core.management.base import CommandError

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

MOST_JOBS = 64
DONE_WITH_FINDINGS = 3


def number(lowest: int, highest: int) -> Callable[[str], int]:
    """Return what reads an option that is a whole number within bounds."""

    def parse(text: str) -> int:
        if not text.isdecimal() or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(f"{text}: write a whole number from {lowest} to {highest}")
        return int(text)

    return parse


def moment(text: str) -> datetime:
    """Read an option that is a time; the zone must be there, because nobody knows at night which one is meant."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        parsed = datetime.min  # noqa: DTZ901 - a time without a zone is refused below
    if parsed.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text}: write a time with its zone, such as 2026-11-21T14:05:00Z")
    return parsed.astimezone(UTC)


def answer(question: str) -> str:
    """Ask whoever is at the terminal. Raises Refused when nobody answers any more (Ctrl-D)."""
    try:
        return input(question)
    except EOFError:
        # The question's line is not at its end.
        sys.stderr.write("\n")
        raise Refused("Nothing was changed.") from None


class Ended(SystemExit):
    """A service manager or a closed terminal ends us."""


@contextmanager
def ended_in_order(sentence: str) -> Iterator[None]:
    """Tidy up and say what that means when somebody ends us: by itself Python would just stop.

    Raises CommandError with the sentence for Ctrl-C, and Ended for SIGTERM and SIGHUP.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise Ended(128 + number)

    # What was started to outlive its terminal (nohup) goes on doing so.
    heard = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    except KeyboardInterrupt:
        raise CommandError(sentence) from None
    except Ended:
        # The terminal may be gone.
        with suppress(OSError):
            sys.stderr.write(f"{sentence}\n")
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
