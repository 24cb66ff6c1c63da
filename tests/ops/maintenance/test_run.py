"""`manage.py maintain`: what is due, once, with one record of it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from accounts.models import Subscription
from analytics.models import AuditLog
from config.db.errors import Refused
from config.ops.maintenance.alone import alone
from config.ops.maintenance.run import maintain
from config.ops.maintenance.steps import STEPS, Step
from tests.builders import make_user
from tests.ops.maintenance.running import run

pytestmark = pytest.mark.django_db


@pytest.fixture
def refusing_audit_log() -> None:
    """An audit log that takes no entry of a run, as on a full disk."""
    table = AuditLog._meta.db_table
    if connection.vendor == "sqlite":
        action = "BEGIN SELECT RAISE(ABORT, 'no space for entries'); END"
        statements = [
            f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} WHEN NEW.event_type = 'MAINTENANCE_RUN' {action}"
        ]
    else:
        statements = [
            (
                "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
                " $$BEGIN RAISE EXCEPTION 'no space for entries'; END$$"
            ),
            (
                f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} FOR EACH ROW"
                " WHEN (NEW.event_type = 'MAINTENANCE_RUN') EXECUTE FUNCTION full_disk()"
            ),
        ]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def make_overdue(count: int) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    for _ in range(count):
        Subscription.objects.create(user=make_user(), start_date=yesterday, end_date=yesterday)


def test_expires_what_is_overdue_and_the_second_run_finds_nothing() -> None:
    make_overdue(2)
    assert "subscriptions: set subscriptions that passed their end to expired: 2" in run().output
    assert Subscription.objects.filter(status="expired").count() == 2
    assert "expired: 0" in run().output


def test_dry_run_counts_and_changes_nothing() -> None:
    make_overdue(1)
    assert "would set subscriptions that passed their end to expired: 1" in run("--dry-run").output
    assert Subscription.objects.get().status == "active"
    assert not AuditLog.objects.filter(event_type="MAINTENANCE_RUN").exists()


def test_several_steps_can_be_named_and_no_other_one_runs() -> None:
    answer = run("--only", "subscriptions", "--only", "vouchers", "--json").json()
    assert [step["step"] for step in answer["steps"]] == ["subscriptions", "vouchers"]


def test_json_is_for_programs() -> None:
    make_overdue(1)
    assert run("--only", "subscriptions", "--json").json() == {
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
    assert run("--verbosity", "0").output == ""


def test_a_run_leaves_one_record_with_the_numbers() -> None:
    make_overdue(1)
    run()
    record = AuditLog.objects.get(event_type="MAINTENANCE_RUN")
    assert record.description == "Maintenance: subscriptions 1."
    assert record.metadata is not None
    assert record.metadata["steps"]["subscriptions"] == 1
    assert record.success


def test_a_step_that_fails_is_reported_recorded_and_the_next_one_runs() -> None:
    make_overdue(1)
    broken = Step(name="broken", does="divide", run=lambda task: 1 // 0, preview=lambda task: 0)
    first, second, *_ = maintain(now=timezone.now(), steps=(broken, *STEPS))
    assert first.error == "ZeroDivisionError: integer division or modulo by zero"
    assert (second.step, second.rows) == ("subscriptions", 1)
    record = AuditLog.objects.get(event_type="MAINTENANCE_RUN")
    assert (record.success, record.error_message.split(":")[0]) == (False, "broken")


def test_a_failure_is_exit_code_1(archive_folder: Path) -> None:
    AuditLog.objects.create(action="other", created_at=timezone.now() - timedelta(days=100))
    archive_folder.write_text("a file where the folder should be")
    done = run("--only", "audit")
    assert done.code == 1
    assert f"audit: failed: Archives cannot be written to {archive_folder}" in done.output
    assert AuditLog.objects.filter(action="other", event_type="").count() == 1


def test_what_cannot_be_recorded_is_done_all_the_same_and_said(refusing_audit_log: None) -> None:
    make_overdue(1)

    done = run("--only", "subscriptions")

    assert done.code == 1
    assert "expired: 1" in done.output
    assert "record: failed: the steps are done, but their entry in the audit log could not be written: " in done.output
    assert "no space for entries" in done.output
    assert Subscription.objects.get().status == "expired"


def test_two_runs_at_once_do_not_meet() -> None:
    with alone(connection):
        with pytest.raises(CommandError, match="Another maintenance run is at work"):
            run()
        # A preview changes nothing and waits for nobody.
        assert run("--dry-run").code == 0
    assert run().code == 0


def test_the_lock_ends_with_the_process_that_had_it() -> None:
    child = os.fork()
    if child == 0:
        connection.connection = None  # the parent's session is not ours
        with alone(connection):
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    with alone(connection):
        pass
    with alone(connection), pytest.raises(Refused), alone(connection):
        pass
