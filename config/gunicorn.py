"""How gunicorn serves Forecourt: ``gunicorn -c python:config.gunicorn config.wsgi``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from config import env

if TYPE_CHECKING:
    from gunicorn.arbiter import Arbiter

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
    manage = Path(__file__).resolve().parent.parent / "manage.py"
    if subprocess.run([sys.executable, str(manage), "verify_start"], check=False).returncode:
        sys.exit(1)
