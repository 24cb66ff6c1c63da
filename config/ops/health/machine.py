"""Processors and memory of the machine that this runs on, and of our web processes on it."""

from __future__ import annotations

import psutil

from config.ops.health.look import Look, percent
from config.ops.health.report import Section

MEGABYTE = 1_000_000
SAMPLE = 0.5  # seconds


def machine(look: Look) -> Section:
    """Measure load and memory."""
    section = Section("machine")
    cores = psutil.cpu_count() or 1
    load = psutil.getloadavg()[1]
    section.figure("processors", cores, source="the system")
    section.figure("load", round(load, 2), source="the system's load average of five minutes")
    share = percent(load, cores)
    section.figure("load_share", share, "%", source="load / processors")
    busy = psutil.cpu_percent(interval=SAMPLE)
    section.figure("busy", busy, "%", source=f"the processors' time, during {SAMPLE:g} s")
    # A moment says little, and a long queue may wait for the disk: both together mean that processors are short.
    look.weigh(
        section, "processor", min(busy, share),
        f"The {cores} processors are {busy:g} % busy, and have had work for {load:.1f} in the last minutes",
    )  # fmt: skip
    memory = psutil.virtual_memory()
    used = percent(memory.total - memory.available, memory.total)
    section.figure("memory", memory.total, "bytes", source="the system")
    section.figure("memory_available", memory.available, "bytes", source="the system")
    section.figure("memory_used", used, "%", source="1 - memory_available / memory")
    look.weigh(section, "memory", used, f"{used:g} % of the memory is used")
    section.figure("swap_used", psutil.swap_memory().used, "bytes", source="the system")
    _web_processes(look, section)
    return section


def _web_processes(look: Look, section: Section) -> None:
    resident = []
    for process in psutil.process_iter(["cmdline", "memory_info"]):
        words = process.info["cmdline"] or []
        if "config.wsgi" in words and process.info["memory_info"]:
            resident.append(process.info["memory_info"].rss)
    source = "processes on this machine that serve config.wsgi"
    section.figure("web_processes", len(resident), source=source)
    section.figure("web_memory", sum(resident), "bytes", source=source)
    megabytes = sum(resident) / MEGABYTE
    look.weigh(section, "resident", megabytes, f"The web processes keep {megabytes:,.0f} MB in memory")
