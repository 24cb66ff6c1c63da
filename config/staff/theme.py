"""How the staff site looks: the theme's settings. The settings import this, so it may import no model."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static

# One accent (a deep petrol) on greys that lean a little towards it.
ACCENT = {
    "50": "oklch(97.5% 0.013 205)",
    "100": "oklch(94% 0.03 205)",
    "200": "oklch(88.5% 0.055 207)",
    "300": "oklch(80.5% 0.085 209)",
    "400": "oklch(70% 0.105 212)",
    "500": "oklch(60% 0.105 214)",
    "600": "oklch(50.5% 0.092 216)",
    "700": "oklch(43.5% 0.078 218)",
    "800": "oklch(37.5% 0.064 220)",
    "900": "oklch(32.5% 0.052 222)",
    "950": "oklch(24% 0.04 224)",
}
GREY = {
    "50": "oklch(98.4% 0.003 225)",
    "100": "oklch(96.4% 0.004 225)",
    "200": "oklch(92.4% 0.007 225)",
    "300": "oklch(86.6% 0.011 227)",
    "400": "oklch(70.2% 0.02 230)",
    "500": "oklch(54.6% 0.023 232)",
    "600": "oklch(44.2% 0.024 233)",
    "700": "oklch(36.8% 0.025 234)",
    "800": "oklch(27.4% 0.023 235)",
    "900": "oklch(20.8% 0.02 236)",
    "950": "oklch(14.6% 0.016 237)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Forecourt",
    "SITE_HEADER": "Forecourt",
    "SITE_SUBHEADER": "Back office",
    "SITE_URL": None,
    "SITE_ICON": lambda request: static("staff/logo.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("staff/logo.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "BORDER_RADIUS": "7px",
    "COLORS": {"base": GREY, "primary": ACCENT},
    "STYLES": [lambda request: static("staff/staff.css")],
    "SCRIPTS": [lambda request: static("staff/staff.js")],
    "COMMAND": {"show_history": False},
    # The sidebar's box opens the one over everything, as its keys do.
    "SIDEBAR": {"show_search": True, "command_search": True, "show_all_applications": False},
}
