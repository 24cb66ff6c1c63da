"""What our commands have in common."""

from __future__ import annotations

from django.core.management.base import BaseCommand

# The tag of the checks of settings. None of them asks the database, so they run with every command.
CONFIGURATION = "configuration"


class DataCommand(BaseCommand):
    """A command that works on data: it starts with the checks of the settings alone, because pages have no part in it.

    Checking those too would load every page, which takes as long as all the rest of a start.
    """

    requires_system_checks = (CONFIGURATION,)
