#!/usr/bin/env python
"""Forecourt's command line."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import DatabaseError

from config.db.errors import Refused


def main() -> None:
    """Run the command in ``sys.argv``; a wrong setting or a refusing database is one sentence and exit code 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, DatabaseError, Refused) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"Error: {str(error).strip()}")


if __name__ == "__main__":
    main()
