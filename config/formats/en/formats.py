"""How dates and times are written in the back office: short, the same everywhere, and never broken within a date."""

from __future__ import annotations

DATE_FORMAT = "j\xa0M\xa0Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j\xa0M\xa0Y, H:i"
