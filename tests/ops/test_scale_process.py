"""`seed --scale` as a process of its own: what it needs, and what is left when it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from accounts.models import User
from analytics.models import PageView
from config.database_url import url_of
from config.ops.scale.run import BLOCKS_AT_A_TIME
from inventory.models import Category

# Loads rows into the database of DATABASE_URL, and takes them back, so that no other test meets them.
PROGRAM = """
import os, signal, sys
import django
django.setup()
from datetime import UTC, datetime
from django.db import transaction
from config.ops.scale import ROWS_PER_BLOCK, run_scale

scale, kill_after = map(int, sys.argv[1:])

def progress(rows):
    if kill_after and rows >= kill_after:
        os.kill(os.getpid(), signal.SIGKILL)

with transaction.atomic():
    counts = run_scale(scale=scale, random_seed=1, now=datetime(2026, 3, 2, tzinfo=UTC), progress=progress)
    transaction.set_rollback(True)
assert sum(counts.values()) == scale * ROWS_PER_BLOCK
# Not ru_maxrss, which starts at what the process that started this one had taken.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""

pytestmark = pytest.mark.django_db(transaction=True)


def load(scale: int, *, kill_after: int = 0) -> subprocess.CompletedProcess[str]:
    url = url_of(connection.settings_dict)
    # Measuring coverage takes memory that is not the program's.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, str(scale), str(kill_after)],
        env=environment | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"},
        cwd=Path(settings.BASE_DIR),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process its highest memory")
def test_more_rows_need_hardly_more_memory() -> None:
    few, many = load(BLOCKS_AT_A_TIME), load(3 * BLOCKS_AT_A_TIME)

    assert (few.returncode, many.returncode) == (0, 0), few.stderr + many.stderr
    # Kilobytes. The rows themselves would be some 60 MB more.
    assert int(many.stdout) - int(few.stdout) < 25_000
    assert int(many.stdout) < 200_000


def test_a_killed_run_leaves_nothing() -> None:
    killed = load(2 * BLOCKS_AT_A_TIME, kill_after=BLOCKS_AT_A_TIME * 10_000 + 5_000)

    assert killed.returncode == -signal.SIGKILL
    assert (User.all_objects.count(), Category.all_objects.count(), PageView.objects.count()) == (0, 0, 0)
