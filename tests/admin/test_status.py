"""The page on which super administrators see whether all is well."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Subscription, User
from accounts.models.users import Role
from config.ops.backup.run import Request, run_backup
from config.status import status
from inventory.stock_import import plan_import, run_import
from tests.admin.rows import staff
from tests.builders import NOON, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_folders(settings: Any, tmp_path: Path) -> None:
    """No backups and no figures but the test's own."""
    settings.BACKUP_DIR = tmp_path / "backups"
    settings.METRICS_DIR = tmp_path / "metrics"


def cards() -> dict[str, dict[str, Any]]:
    return {card["title"]: card for card in status(now=timezone.now())["cards"]}


@pytest.mark.parametrize("role", [Role.ADMIN, Role.VIEWER, Role.SELLER])
def test_it_is_for_super_administrators_alone(sign_in: Callable[[User], Client], role: Role) -> None:
    client = sign_in(staff(role))
    assert client.get(reverse("admin:status")).status_code == 403
    assert b"/admin/status/" not in client.get(reverse("admin:index")).content


def test_strangers_sign_in_first(client: Client) -> None:
    assert client.get(reverse("admin:status")).status_code == 302


def test_the_sidebar_leads_super_administrators_to_it(super_admin: Client) -> None:
    assert b"/admin/status/" in super_admin.get(reverse("admin:index")).content
    page = super_admin.get(reverse("admin:status"))
    assert page.status_code == 200
    text = page.content.decode()
    for title in ("Database", "Cache", "Last backup", "Pending migrations", "Requests", "Disk", "Failed imports"):
        assert f"<span>{title}</span>" in text
    assert "run `manage.py backup`, daily" in text


def test_what_was_not_set_up_is_told_with_the_way_there(super_admin: Client) -> None:
    assert cards()["Requests"]["state"] is None
    assert "gunicorn does so on the machine where it runs" in super_admin.get(reverse("admin:status")).content.decode()


# On SQLite the transaction of the test itself keeps a backup waiting.
@pytest.mark.postgres_only
def test_the_backups_that_there_are_are_listed_with_their_proofs(super_admin: Client, settings: Any) -> None:
    assert "Backups of this database" not in super_admin.get(reverse("admin:status")).content.decode()
    made = run_backup(connection, Request(settings.BACKUP_DIR), now=timezone.now())
    page = super_admin.get(reverse("admin:status")).content.decode()
    assert f"<td>{made.manifest.file}</td><td>full</td>" in page
    assert "<td>read back</td>" in page


def test_imports_that_rejected_rows_are_counted_for_a_week() -> None:
    boss = make_user(Role.SUPER_ADMIN)
    assert cards()["Failed imports"]["number"] == "0"
    rows = b"vin,make,model,year,seller\n,Volvo,V60,x,nobody\n"
    plan_import("vehicles", io.BytesIO(rows), visible_to=boss)
    assert cards()["Failed imports"]["number"] == "0"
    report = run_import("vehicles", io.BytesIO(rows), visible_to=boss)
    assert report.rows.failed == 1
    card = cards()["Failed imports"]
    assert (card["number"], card["state"].name) == ("1", "WARNING")
    later = {card["title"]: card for card in status(now=timezone.now() + timedelta(days=8))["cards"]}
    assert later["Failed imports"]["number"] == "0"


def test_its_link_leads_to_those_imports(super_admin: Client, superuser: User) -> None:
    run_import("vehicles", io.BytesIO(b"vin,make,model,year,seller\n,Volvo,V60,x,nobody\n"), visible_to=superuser)
    page = super_admin.get(cards()["Failed imports"]["link"])
    assert page.status_code == 200
    assert "Vehicles imported" in page.content.decode()


def test_maintenance_that_is_a_day_late_is_overdue_and_what_is_due_today_is_not(super_admin: Client) -> None:
    now = timezone.now()
    Subscription.objects.create(
        user=make_user(), start_date=NOON - timedelta(days=900), end_date=now - timedelta(hours=2)
    )
    assert cards()["Overdue maintenance"]["number"] == "0"
    late = Subscription.objects.create(
        user=make_user(), start_date=NOON - timedelta(days=900), end_date=now - timedelta(hours=30)
    )
    assert cards()["Overdue maintenance"]["number"] == "1"
    assert "set subscriptions that passed their end to expired" in super_admin.get("/admin/status/").content.decode()
    late.refresh_from_db()
    assert late.status == "active"


def test_it_costs_few_queries(super_admin: Client, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(60):
        super_admin.get(reverse("admin:status"))
