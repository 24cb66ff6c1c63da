"""Fills a database with one of the profiles in `fixtures/`, in one transaction, and says what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection, transaction

from config.db.errors import Refused
from config.ops.migrating import session_settings
from config.ops.search_words import refresh_words
from config.ops.seeding.demo import load_demo
from config.ops.seeding.people import ensure_administrator, ensure_roles_and_languages
from config.ops.seeding.profiles import Stock, load_kroi, load_partpal, load_venta
from config.ops.seeding.run import SeedRun

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class SeedRefused(Refused):
    """Demo data does not belong into this database."""


# What each profile loads beyond the minimum: roles, languages and the administrator.
PROFILES: dict[str, Callable[[SeedRun, Stock], None] | None] = {
    "minimal": None,
    "partpal": load_partpal,
    "kroi": load_kroi,
    "venta": load_venta,
    "demo": load_demo,
}


def check_allowed(*, debug: bool, force: bool) -> None:
    """Raise SeedRefused where DEBUG is off, unless forced."""
    if not (debug or force):
        message = "DEBUG is off, so this may be a live site: use --force to load demo data into it all the same."
        raise SeedRefused(message)


def run_seed(
    *,
    profile: str,
    now: datetime,
    debug: bool,
    admin_email: str,
    admin_password: str,
    say: Callable[[str], None] = lambda line: None,
) -> SeedRun:
    """Load `profile`, counting times back from `now`; returns the run's books. `say` is told what happens now.

    Creates what is missing and changes nothing that is there; either all of it or, if anything fails, nothing. The
    administrator gets `admin_password`, or one that is made up where that is empty. The demo's other people can sign in
    only where `debug` is on. Raises Refused if the administrator cannot be made.
    """
    # The limits on statements and idle transactions are meant for web requests.
    no_limits = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
    with session_settings(connection, **no_limits), transaction.atomic():
        run = SeedRun(now=now, debug=debug, say=say)
        say("Loading roles, languages and the administrator")
        ensure_roles_and_languages(run)
        ensure_administrator(run, email=admin_email, password=admin_password)
        load = PROFILES[profile]
        if load is not None:
            load(run, Stock())
        refresh_words(connection)
        return run
