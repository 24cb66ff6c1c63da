"""The settings, with a page that fails."""

from __future__ import annotations

from config.settings import *  # noqa: F403 - all of them

ROOT_URLCONF = "tests.config.broken_urls"
ALLOWED_HOSTS = ["testserver"]
