"""What several commands need to read their options and to end in order."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from django.core.management.base import OutputWrapper

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


class Unheard(Refused):
    """Nobody takes what is printed: the disk is full, the reader gone, or the output was closed from the start."""


def speak(output: OutputWrapper, text: str) -> None:
    """Print at once. Raises Unheard when it cannot be printed."""
    # Django wraps even an output that is not there.
    if not hasattr(output, "writable"):
        raise Unheard("The output is closed.")
    try:
        output.write(text)
        output.flush()
    except OSError as error:
        _give_up(output)
        raise Unheard(f"The output cannot be written: {error.strerror}.") from error


def _give_up(output: OutputWrapper) -> None:
    # Python would try once more to print the rest when it ends, and exit with a code of its own.
    with suppress(OSError), open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - it is no path of ours
        os.dup2(nowhere.fileno(), output.fileno())


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Tidy up when a service manager or a closed terminal ends us: by itself Python would just stop."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    # What was started to outlive its terminal (nohup) goes on doing so.
    heard = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
