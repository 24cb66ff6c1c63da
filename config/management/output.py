"""Telling what was done where nobody may be able to hear it: the disk is full, or the output is closed."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO, cast

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.core.management.base import BaseCommand, OutputWrapper

STANDARD_ERROR = 2


class Closed(io.TextIOBase):
    """Stands for an output that was closed before we began."""

    def write(self, text: str, /) -> int:
        """Raise OSError, as the system would."""
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def standard_output() -> TextIO:
    """Return where to print to; where there is nothing, what raises OSError."""
    if sys.stdout is not None:
        return sys.stdout
    # The next file to be opened would get its number, and programs would print into that.
    while os.open(os.devnull, os.O_RDWR) <= STANDARD_ERROR:
        pass
    return cast("TextIO", Closed())


def told(command: BaseCommand, tell: Callable[[], object]) -> list[str]:
    """Print what was done, and return a sentence if that did not arrive: it is done all the same."""
    try:
        tell()
        command.stdout.flush()
    except OSError as error:
        print_no_more()
        return [f"It is done, and could not be told: {error.strerror or error}."]
    return []


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
        print_no_more(output)
        raise Unheard(f"The output cannot be written: {error.strerror}.") from error


def print_no_more(output: OutputWrapper | TextIO | None = None) -> None:
    """Drop what is still to be printed: Python would try again when it ends, and end with that failure's exit code."""
    output = output or sys.stdout
    with suppress(OSError, ValueError):
        if output is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
