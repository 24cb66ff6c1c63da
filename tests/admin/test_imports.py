"""The import of stock through the lists of vehicles and parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Seller, User
from accounts.models.users import Role
from inventory.models import Part, Vehicle
from tests.admin.conftest import said
from tests.admin.forms import address
from tests.admin.rows import staff
from tests.builders import make_seller, make_user, make_vehicle, make_vin

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

HEADER = "vin,year,make,model,seller"


@pytest.fixture
def yard() -> Seller:
    return make_seller(name="Yard", owner=staff(Role.SELLER))


def vehicle(seller: str = "Yard", **cells: Any) -> str:
    return f"{cells.get('vin') or make_vin()},{cells.get('year', 2015)},Fiat,Uno,{seller}"


def check(client: Client, *lines: str, model: Any = Vehicle, name: str = "stock.csv") -> Any:
    file = SimpleUploadedFile(name, "\n".join(lines).encode(), "text/csv")
    return client.post(address(model, "import"), {"file": file})


def confirm(client: Client, report: Any, model: Any = Vehicle) -> Any:
    kept = re.search(r'name="kept" value="([^"]+)"', report.content.decode())
    assert kept is not None
    return client.post(address(model, "import"), {"kept": kept[1]})


def test_a_file_is_reported_on_first_and_imported_when_that_is_confirmed(super_admin: Client, yard: Seller) -> None:
    known = make_vehicle()
    lines = [HEADER, vehicle(), vehicle(vin=known.vin), vehicle("Nobody"), vehicle(year="x")]
    report = check(super_admin, *lines)
    page = report.content.decode()
    rows = report.context_data["report"].rows
    assert (rows.processed, rows.created, rows.skipped, rows.failed) == (4, 1, 1, 2)
    assert "Nobody" in page
    assert "Import 1 donor vehicle" in page
    assert Vehicle.objects.count() == 1

    done = confirm(super_admin, report)
    assert said(done) == ["1 donor vehicle imported."]
    assert set(Vehicle.objects.exclude(pk=known.pk).values_list("seller__name", flat=True)) == {"Yard"}
    assert confirm(super_admin, report).status_code == 302
    assert Vehicle.objects.count() == 2


def test_parts_come_the_same_way_and_a_file_without_objections_leads_back_to_the_list(
    super_admin: Client, yard: Seller
) -> None:
    donor = make_vehicle(seller=yard)
    lines = ["name,description,price,vehicle,seller", f"Door,Tested.,500,{donor.vin},Yard"]
    report = check(super_admin, *lines, model=Part)
    assert confirm(super_admin, report, Part).headers["Location"] == address(Part, "changelist")
    assert Part.objects.get().vehicle == donor


def test_a_seller_imports_for_own_sellers_only(yard: Seller, sign_in: Callable[[User], Client]) -> None:
    make_seller(name="Rival")
    client = sign_in(yard.owner)
    report = check(client, HEADER, vehicle(), vehicle("Rival"))
    rows = report.context_data["report"].rows
    assert (rows.created, rows.failed) == (1, 1)
    confirm(client, report)
    assert set(Vehicle.objects.values_list("seller__name", flat=True)) == {"Yard"}


def test_what_one_person_checked_another_cannot_confirm(
    super_admin: Client, yard: Seller, sign_in: Callable[[User], Client]
) -> None:
    report = check(super_admin, HEADER, vehicle())
    answer = confirm(sign_in(yard.owner), report)
    assert answer.status_code == 302
    assert "Nothing was imported" in said(answer)[0]
    assert not Vehicle.objects.exists()


def test_who_may_not_add_rows_finds_no_button_and_no_page(sign_in: Callable[[User], Client]) -> None:
    client = sign_in(staff(Role.VIEWER))
    assert address(Vehicle, "import") not in client.get(address(Vehicle, "changelist")).content.decode()
    assert client.get(address(Vehicle, "import")).status_code == 403
    assert sign_in(make_user()).get(address(Vehicle, "import")).status_code == 302


def test_who_may_finds_the_button(super_admin: Client) -> None:
    for model in (Vehicle, Part):
        assert address(model, "import") in super_admin.get(address(model, "changelist")).content.decode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "empty"),
        ("colour\nred", "Columns are missing: vin"),
        ("PK\x03\x04....", "spreadsheet"),
        ("x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_beside_its_field(
    content: str, sentence: str, super_admin: Client
) -> None:
    response = check(super_admin, content)
    assert response.status_code == 200
    assert sentence in " ".join(response.context_data["form"].errors["file"])


def test_a_long_report_shows_its_beginning_and_counts_the_rest(super_admin: Client, yard: Seller) -> None:
    report = check(super_admin, HEADER, *[vehicle("Nobody") for _ in range(60)])
    assert len(report.context_data["findings"]) == 50
    assert "and 10 more" in report.content.decode()
    assert 'name="kept"' not in report.content.decode()


def test_a_name_that_was_not_given_out_is_refused(super_admin: Client) -> None:
    answer = super_admin.post(address(Vehicle, "import"), {"kept": "made-up"})
    assert said(answer)[0].startswith("Nothing was imported")
