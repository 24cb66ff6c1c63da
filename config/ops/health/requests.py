"""What became of requests in the last minutes, as the web processes of this machine counted them."""

from __future__ import annotations

from config import metrics_files
from config.metrics_files import Requests
from config.ops.health.look import Look, percent
from config.ops.health.report import Column, Section

# Below so few requests a share or a mean says nothing.
ENOUGH_REQUESTS = 20


def requests(look: Look) -> Section:
    """Show errors and times of the last five minutes, in all and by route."""
    section = Section("requests")
    found = metrics_files.recent(look.metrics_folder, look.now.timestamp())
    if found is None:
        section.missing.append(
            f"Nobody counts requests in {look.metrics_folder}: gunicorn does so on the machine where it runs."
        )
        return section
    whole = metrics_files.together(found.values())
    source = f"the web processes of this machine, last {metrics_files.WINDOW // 60} minutes"
    section.figure("requests", int(whole.count), source=source)
    errors = percent(whole.errors, whole.count)
    mean, slow, slowest = (_milliseconds(value) for value in (whole.mean, whole.quantile(0.95), whole.quantile(0.99)))
    section.figure("errors", errors, "%", source=f"answers of 500 and above, {source}")
    section.figure("mean", mean, "ms", source=source)
    section.figure("p95", slow, "ms", source=f"{source}, between the bounds of its buckets")
    section.figure("p99", slowest, "ms", source=f"{source}, between the bounds of its buckets")
    _routes(look, section, found, source)
    if whole.count >= ENOUGH_REQUESTS:
        look.weigh(section, "errors", errors, f"{errors:g} % of the last {whole.count:,.0f} requests failed")
        look.weigh(section, "mean_response", mean, f"Requests take {mean:,.0f} ms on average")
        look.weigh(section, "slow_response", slow, f"One request in twenty takes longer than {slow:,.0f} ms")
    return section


def _routes(look: Look, section: Section, found: dict[str, Requests], source: str) -> None:
    rows = [
        (
            route,
            int(requests.count),
            percent(requests.errors, requests.count),
            _milliseconds(requests.mean),
            _milliseconds(requests.quantile(0.95)),
            _milliseconds(requests.quantile(0.99)),
        )
        for route, requests in found.items()
    ]
    rows.sort(key=lambda row: (-row[4], row[0]))
    section.table(
        "routes",
        "Requests by route, slowest first",
        (
            Column("route", "Route"),
            Column("requests", "Requests"),
            Column("errors", "Failed", "%"),
            Column("mean", "Mean", "ms"),
            Column("p95", "95 % within", "ms"),
            Column("p99", "99 % within", "ms"),
        ),
        rows,
        source=source,
        limit=look.limit,
    )


def _milliseconds(seconds: float) -> float:
    return round(1000 * seconds, 1)
