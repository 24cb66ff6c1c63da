#!/usr/bin/env python
"""Forecourt's command line."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from config.db.connecting import be_command
from config.db.errors import Refused
from config.management.output import print_no_more

# Commands that work on the database as a whole. They start without the apps, which takes half the time and memory,
# and so they also work while an app is broken.
WITHOUT_APPS = ("backup", "restore")
# Those that answer requests, and those whose answer is whether the database is there.
IMPATIENT = ("check", "dbhealth", "runserver", "verify_start")
# Those that end with another code where what they did could not be told.
TELLING = ("backup", "restore", "sqlite_to_postgres")
# What shells say of a program whose output nobody reads any more, and of one that was stopped by Ctrl-C.
NOBODY_READS = 128 + signal.SIGPIPE
STOPPED = 128 + signal.SIGINT
# What monitoring says of a state that is not known.
UNKNOWN = 3


def main() -> None:
    """Run the command in ``sys.argv``; what keeps it from its work is one sentence and exit code 1, or 130 for Ctrl-C.

    Of `dbhealth` these codes mean something else: there it is 3.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = sys.argv[1] if sys.argv[1:] else ""
    if sys.stdout is None and command not in TELLING:
        # Closed by whoever started this.
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - until the end
    if command and command not in IMPATIENT:
        be_command()
    try:
        try:
            run(command)
        finally:
            flush()
    except BrokenPipeError:
        print_no_more()
        sys.exit(NOBODY_READS)
    except KeyboardInterrupt:
        if "--traceback" in sys.argv:
            raise
        end("Stopped.", STOPPED, command)
    except (ImproperlyConfigured, DatabaseError, OSError, Refused) as error:
        if "--traceback" in sys.argv:
            raise
        try:
            flush()
        except OSError:
            print_no_more()
        end(f"Error: {str(error).strip()}", 1, command)


def end(sentence: str, code: int, command: str) -> NoReturn:
    """End with a sentence and this code, or as monitoring understands it."""
    if command == "dbhealth":
        sentence, code = f"UNKNOWN: {sentence.removeprefix('Error: ')}", UNKNOWN
    sys.stderr.write(f"{sentence}\n")
    sys.exit(code)


def run(command: str) -> None:
    """Run the command in ``sys.argv``, with the apps if it needs them."""
    if command in WITHOUT_APPS:
        run_without_apps(sys.argv)
    else:
        execute_from_command_line(sys.argv)


def flush() -> None:
    """Print what waits, so that what cannot be printed is known in time."""
    if sys.stdout is not None:
        sys.stdout.flush()


def run_without_apps(arguments: list[str]) -> None:
    """Run a command as Django does, but for the apps and the log; it prints what it has to say."""
    import_module(f"config.management.commands.{arguments[1]}").Command().run_from_argv(arguments)


if __name__ == "__main__":
    main()
