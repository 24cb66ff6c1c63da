"""How gunicorn serves Forecourt: ``gunicorn -c python:config.gunicorn config.wsgi``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from config import env, metrics_files

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

_PROJECT = Path(__file__).resolve().parent.parent
_metrics_folder = _PROJECT / env.text("METRICS_DIR", "var/metrics")

bind = env.text("BIND", "127.0.0.1:8000")
workers = env.integer("WEB_CONCURRENCY", 2, minimum=1, maximum=256)
worker_class = "gthread"
threads = env.integer("WEB_THREADS", 4, minimum=1, maximum=64)
# A worker that hangs longer than the longest statement may take is replaced.
timeout = 60
graceful_timeout = 30
# Workers are renewed now and then, not all at once, so that a slow leak never becomes an outage.
max_requests = 10_000
max_requests_jitter = 1_000
accesslog = "-"
# Without the query: it may hold what people search for, or a token.
access_log_format = '%({x-forwarded-for}i)s %(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms'
control_socket_disable = True


def on_starting(server: Arbiter) -> None:
    """Refuse to start on settings or a database that cannot serve.

    In a process of its own: what the master imports, its workers could not reload.
    """
    if subprocess.run([sys.executable, str(_PROJECT / "manage.py"), "verify_start"], check=False).returncode:
        sys.exit(1)


def when_ready(server: Arbiter) -> None:
    """Begin to count anew, once the address is ours; in a folder that goes with us where ours cannot be written."""
    global _metrics_folder  # noqa: PLW0603 - gunicorn keeps nothing between its hooks
    try:
        metrics_files.clear(_metrics_folder)
    except OSError as error:
        server.log.warning("METRICS_DIR: %s cannot be written: %s; dbhealth sees none.", _metrics_folder, error)
        _metrics_folder = Path(tempfile.mkdtemp(prefix="forecourt-metrics-"))


def pre_fork(server: Arbiter, worker: Worker) -> None:
    """Give the worker the lowest place that no living one has."""
    taken = {getattr(other, "place", None) for other in server.WORKERS.values()}
    worker.place = next(place for place in range(len(taken) + 1) if place not in taken)


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Let the worker count along, before it imports what counts."""
    metrics_files.count_together(_metrics_folder, worker.place)


def child_exit(server: Arbiter, worker: Worker) -> None:
    """Forget what the worker was just doing."""
    metrics_files.leave(_metrics_folder, worker.place)
