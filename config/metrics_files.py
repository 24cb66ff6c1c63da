"""The files in which the web processes of one machine count, and what can be read from them.

Each process counts into files of its own, which the Prometheus library maps into memory; together they are the totals
since the start. Once a minute one of the processes also writes the totals down, so that the last minutes can be told
from the rest: the difference between two totals.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REQUESTS = "forecourt_http_request_seconds"
WINDOW = 300  # seconds
SERVER_ERROR = 500
_PREFIX, _SUFFIX = "totals-", ".json"
# Where the Prometheus library looks for the folder.
_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(slots=True)
class Requests:
    """What became of requests: `errors` are answers of 500 and above, `buckets` count by upper bound in seconds."""

    count: float = 0
    errors: float = 0
    seconds: float = 0
    buckets: dict[float, float] = field(default_factory=dict)

    def __iadd__(self, other: Requests) -> Requests:
        self.count += other.count
        self.errors += other.errors
        self.seconds += other.seconds
        for bound, count in other.buckets.items():
            self.buckets[bound] = self.buckets.get(bound, 0) + count
        return self

    def since(self, earlier: Requests) -> Requests:
        """Return what came on top of `earlier`."""
        return Requests(
            self.count - earlier.count,
            self.errors - earlier.errors,
            self.seconds - earlier.seconds,
            {bound: count - earlier.buckets.get(bound, 0) for bound, count in self.buckets.items()},
        )

    @property
    def mean(self) -> float:
        """Seconds per request."""
        return self.seconds / self.count if self.count else 0.0

    def quantile(self, share: float) -> float:
        """Return the seconds within which this share of the requests was answered, even within a bucket.

        The same interpolation as Prometheus' histogram_quantile; beyond the last bound it is that bound.
        """
        wanted, below, below_bound = share * self.count, 0.0, 0.0
        for bound, count in sorted(self.buckets.items()):
            # Buckets hold what is at most their bound, so each contains those before it.
            if count >= wanted and count > below:
                if math.isinf(bound):
                    return below_bound
                return below_bound + (bound - below_bound) * (wanted - below) / (count - below)
            below, below_bound = count, bound
        return 0.0


def totals(folder: Path) -> dict[str, Requests]:
    """Return what became of all requests since the start, by route; empty when nobody counts in this folder."""
    by_route: dict[str, Requests] = {}
    for metric in MultiProcessCollector.merge([str(path) for path in folder.glob("histogram_*.db")]):
        if metric.name == REQUESTS:
            for sample in metric.samples:
                _add(by_route.setdefault(sample.labels["route"], Requests()), sample)
    return by_route


def _add(requests: Requests, sample: Any) -> None:
    if sample.name.endswith("_sum"):
        requests.seconds += sample.value
    elif sample.name.endswith("_count"):
        requests.count += sample.value
        if int(sample.labels["status"]) >= SERVER_ERROR:
            requests.errors += sample.value
    else:
        bound = float(sample.labels["le"])
        requests.buckets[bound] = requests.buckets.get(bound, 0) + sample.value


def recent(folder: Path, now: float) -> dict[str, Requests] | None:
    """Return what became of the requests of the last `WINDOW` seconds, by route; None when nobody counts here.

    `now` is in seconds since 1970. The window begins with a whole minute.
    """
    if not any(folder.glob("histogram_*.db")):
        return None
    # Totals are written down before the first request of a minute is counted: without any in the window, none came.
    start = next((path for at, path in _written(folder) if at + 60 > now - WINDOW), None)
    if start is None:
        return {}
    earlier = _read(start)
    changes = {route: found.since(earlier.get(route, Requests())) for route, found in totals(folder).items()}
    return {route: change for route, change in changes.items() if change.count > 0}


def together(by_route: Iterable[Requests]) -> Requests:
    """Return several as one."""
    whole = Requests()
    for requests in by_route:
        whole += requests
    return whole


def write_down(folder: Path, now: float) -> None:
    """Write the totals down, unless another process has done so this minute, and remove what is out of date."""
    minute = int(now // 60) * 60
    path = folder / f"{_PREFIX}{minute}{_SUFFIX}"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError:
        # Another process was first, or the folder is gone: figures never keep a request from its answer.
        return
    content = {
        route: [found.count, found.errors, found.seconds, list(found.buckets.items())]
        for route, found in totals(folder).items()
    }
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        json.dump(content, file)
    for at, old in list(_written(folder)):
        if at < now - 2 * WINDOW:
            old.unlink(missing_ok=True)


def _written(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield what was written down, oldest first."""
    found = [
        (int(digits), path)
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}")
        if (digits := path.name.removeprefix(_PREFIX).removesuffix(_SUFFIX)).isdecimal()
    ]
    yield from sorted(found)


def _read(path: Path) -> dict[str, Requests]:
    try:
        content = json.loads(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        # Just being written, or just removed: then nothing is taken off, for a moment.
        return {}
    return {
        route: Requests(count, errors, seconds, dict(buckets))
        for route, (count, errors, seconds, buckets) in content.items()
    }


def gauges(folder: Path, name: str, label: str) -> dict[str, float]:
    """Return a gauge's values by one of its labels, over all live processes; empty when nobody counts here."""
    files = [str(path) for path in folder.glob("gauge_live*.db")]
    return {
        sample.labels[label]: sample.value
        for metric in MultiProcessCollector.merge(files)
        if metric.name == name
        for sample in metric.samples
    }


def count_together(folder: Path, place: int) -> None:
    """Let this process count into the folder; to be called before any figure is made.

    `place` is its number among the processes that live now. A process that takes the place of one that ended goes on
    with its files, so that there are never more of them than processes.
    """
    os.environ[_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: place)


def counted_together() -> Path | None:
    """Return the folder into which this process counts along with others; None when it counts for itself."""
    return Path(os.environ[_VARIABLE]) if _VARIABLE in os.environ else None


def leave(folder: Path, place: int) -> None:
    """Forget what a process that ended was just doing; what it counted stays."""
    mark_process_dead(place, str(folder))


def clear(folder: Path) -> None:
    """Make the folder, or empty it of what an earlier start counted. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    for pattern in ("*.db", f"{_PREFIX}*{_SUFFIX}"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
