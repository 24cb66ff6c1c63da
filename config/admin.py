"""The staff site."""

from __future__ import annotations

from unfold.sites import UnfoldAdminSite


class StaffSite(UnfoldAdminSite):
    """Where staff work."""
