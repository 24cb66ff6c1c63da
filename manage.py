#!/usr/bin/env python
"""Forecourt's command line."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from config.db.connecting import be_command
from config.db.errors import Refused

# Commands that work on the database as a whole. They start without the apps, which takes half the time and memory,
# and so they also work while an app is broken.
WITHOUT_APPS = ("backup", "restore")
# Those that answer requests, and those whose answer is whether the database is there.
IMPATIENT = ("check", "dbhealth", "runserver", "verify_start")


def main() -> None:
    """Run the command in ``sys.argv``; a wrong setting or a refusing database is one sentence and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] and sys.argv[1] not in IMPATIENT:
        be_command()
    try:
        if sys.argv[1:2] and sys.argv[1] in WITHOUT_APPS:
            run_without_apps(sys.argv)
        else:
            execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, DatabaseError, Refused) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"Error: {str(error).strip()}")


def run_without_apps(arguments: list[str]) -> None:
    """Run a command as Django does, but for the apps and the log; it prints what it has to say."""
    import_module(f"config.management.commands.{arguments[1]}").Command().run_from_argv(arguments)


if __name__ == "__main__":
    main()
