"""Free space where data, backups and pictures lie."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
from django.conf import settings
from django.db import DatabaseError

from config.database_url import has_network_host
from config.ops.health.look import Look, percent
from config.ops.health.report import Column, Section


def disk(look: Look) -> Section:
    """Measure the file systems of our folders."""
    section = Section("disk")
    rows, seen = [], set()
    for purpose, folder in _folders(look, section):
        place = _existing(folder)
        usage = psutil.disk_usage(str(place))
        # As df does: what only root may fill counts as taken.
        share = percent(usage.used, usage.used + usage.free)
        rows.append((purpose, str(folder), usage.total, usage.free, share))
        device = place.stat().st_dev
        if device not in seen:
            seen.add(device)
            look.weigh(section, "disk", share, f"The disk of {folder} ({purpose}) is {share:g} % full")
    section.table(
        "folders",
        "Disks by folder",
        (
            Column("purpose", "Holds"),
            Column("folder", "Folder"),
            Column("size", "Size", "bytes"),
            Column("free", "Free", "bytes"),
            Column("used_share", "Used", "%"),
        ),
        rows,
        source="statvfs on this machine",
    )
    return section


def _folders(look: Look, section: Section) -> list[tuple[str, Path]]:
    folders = [("backups", look.backup_folder), ("pictures and files", Path(settings.MEDIA_ROOT))]
    data = _data_folder(look, section)
    return [("data", data), *folders] if data else folders


def _data_folder(look: Look, section: Section) -> Path | None:
    """Return where the database keeps its files, if that is on this machine."""
    if look.on_sqlite:
        return Path(look.connection.settings_dict["NAME"]).parent
    host = look.connection.settings_dict.get("HOST")
    if has_network_host(look.connection.settings_dict) and host not in {"localhost", "127.0.0.1", "::1"}:
        section.notes.append(f"The database's disk is on {host}: run dbhealth there as well, or watch it there.")
        return None
    try:
        return Path(look.value("SELECT current_setting('data_directory')"))
    except DatabaseError:
        section.unread.append(f"Where the database keeps its files is hidden from {look.role}: {look.monitor_hint}.")
        return None


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that is there and may be looked at."""
    for place in (folder, *folder.parents):
        if os.access(place, os.F_OK):
            return place
    return Path("/")
