"""`manage.py maintain`: does what is due, once."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import Subscription
from config.ops import maintenance
from config.ops.maintenance import Step
from tests.builders import make_user

pytestmark = pytest.mark.django_db


def make_overdue(count: int) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    for _ in range(count):
        Subscription.objects.create(user=make_user(), start_date=yesterday, end_date=yesterday)


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("maintain", *arguments, stdout=output, stderr=output)
    return output.getvalue()


def test_expires_what_is_overdue_and_the_second_run_finds_nothing() -> None:
    make_overdue(2)
    assert "subscriptions: set subscriptions that passed their end to expired: 2" in run()
    assert Subscription.objects.filter(status="expired").count() == 2
    assert "expired: 0" in run()


def test_dry_run_counts_and_changes_nothing() -> None:
    make_overdue(1)
    assert "would set subscriptions that passed their end to expired: 1" in run("--dry-run")
    assert Subscription.objects.get().status == "active"


def test_json_is_for_programs() -> None:
    make_overdue(1)
    answer = json.loads(run("--only", "subscriptions", "--json"))
    assert answer == {
        "dry_run": False,
        "steps": [
            {
                "step": "subscriptions",
                "does": "set subscriptions that passed their end to expired",
                "rows": 1,
                "error": "",
            }
        ],
    }


def test_an_unknown_step_is_refused_with_the_known_ones() -> None:
    with pytest.raises(CommandError, match="choose from 'subscriptions'"):
        run("--only", "dusting")


def test_verbosity_zero_is_silent() -> None:
    assert run("--verbosity", "0") == ""


def test_a_step_that_fails_is_reported_and_the_next_one_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    make_overdue(1)
    broken = Step(name="broken", does="divide", run=lambda now: 1 // 0, preview=lambda now: 0)
    monkeypatch.setattr(maintenance, "STEPS", (broken, *maintenance.STEPS))
    output = StringIO()
    with pytest.raises(SystemExit) as ending:
        call_command("maintain", stdout=output, stderr=output)
    assert ending.value.code == 1
    assert "broken: failed: ZeroDivisionError" in output.getvalue()
    assert Subscription.objects.get().status == "expired"
