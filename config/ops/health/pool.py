"""Connections kept open for requests: what the settings allow, what the server bears, and what is in use now."""

from __future__ import annotations

import psutil
from django.conf import settings

from config.metrics_files import gauges
from config.ops.health.look import USABLE_CONNECTIONS, USABLE_CONNECTIONS_SOURCE, Look, percent
from config.ops.health.report import Section, State


def pool(look: Look) -> Section:
    """Compare limits with each other and with what is in use."""
    section = Section("pool")
    if look.on_sqlite:
        section.notes.append("SQLite has no connections to pool.")
        return section
    if settings.PGBOUNCER:
        section.notes.append(
            "PgBouncer is the pool: `psql --port 6432 pgbouncer --command 'SHOW POOLS'`, as one of its stats_users, "
            "shows what is in use."
        )
        return section
    _limits(look, section)
    _in_use(look, section)
    return section


def _size(look: Look) -> int:
    """Return how many connections each process may keep; 0 without a pool."""
    options = look.connection.settings_dict["OPTIONS"].get("pool") or {}
    return int(options.get("max_size", 0))


def _limits(look: Look, section: Section) -> None:
    size = _size(look)
    processes, threads = settings.WEB_CONCURRENCY, settings.WEB_THREADS
    section.figure("pool_size", size, source="DATABASE_POOL_SIZE, per process")
    section.figure("processes", processes, source="WEB_CONCURRENCY")
    section.figure("threads", threads, source="WEB_THREADS, per process")
    # Without a pool each thread has a connection of its own.
    most = (size or threads) * processes
    section.figure("most", most, source="pool_size (without a pool: threads) * processes")
    cores = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    section.figure(
        "rule", 2 * cores + 1, source=f"2 * cores + disks, if the database ran here: {cores} cores, one disk"
    )
    usable = look.value(f"SELECT {USABLE_CONNECTIONS}")
    section.figure("server_limit", usable, source=USABLE_CONNECTIONS_SOURCE)
    if most > usable:
        section.find(
            State.WARNING,
            f"The processes may open {most} connections ({size or threads} * {processes}), but the server bears "
            f"{usable}: lower DATABASE_POOL_SIZE or WEB_CONCURRENCY, or raise max_connections.",
        )


def _in_use(look: Look, section: Section) -> None:
    states = gauges(look.metrics_folder, "forecourt_database_pool_connections", "state")
    if not states:
        section.missing.append(
            f"What is in use is not known: gunicorn writes it into {look.metrics_folder} on the machine where it runs."
        )
        return
    limit = int(states.get("limit", 0))
    in_use, waiting = int(states.get("in_use", 0)), int(states.get("waiting", 0))
    source = "the web processes, as of their last requests"
    section.figure("in_use", in_use, source=source)
    section.figure("open", int(states.get("open", 0)), source=source)
    section.figure("waiting", waiting, source=source)
    share = percent(in_use, limit)
    section.figure("in_use_share", share, "%", source="in_use / the limits of the pools")
    look.weigh(section, "pool", share, f"{in_use} of the pools' {limit} connections are in use, {waiting} wait for one")
