"""What a write service raises when a rule forbids the change."""

from __future__ import annotations


class Refused(Exception):
    """A rule forbids the change and nothing was written; ``str()`` is a sentence for staff."""
