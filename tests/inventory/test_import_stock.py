from __future__ import annotations

import json
import tracemalloc
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Seller, User
from config.db.errors import Refused
from inventory.models import Part, Vehicle
from inventory.stock_files import open_stock_file
from inventory.stock_import import ImportReport, plan_import, run_import
from tests.builders import make_seller, make_vehicle, make_vin

pytestmark = pytest.mark.django_db

HEADER = "vin,year,make,model,seller"


@pytest.fixture
def seller() -> Seller:
    return make_seller(name="Yard")


def line(**cells: str) -> str:
    return ",".join(
        ({"vin": make_vin(), "year": "2015", "make": "Fiat", "model": "Uno", "seller": "Yard"} | cells).values()
    )


def csv_file(*lines: str) -> BytesIO:
    return BytesIO("\n".join(lines).encode())


def run(content: bytes | str, kind: str = "vehicles", visible_to: User | None = None) -> ImportReport:
    data = content.encode() if isinstance(content, str) else content
    return run_import(kind, BytesIO(data), visible_to=visible_to)


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("import_stock", *arguments, stdout=out)
    return out.getvalue()


def test_a_plan_reports_what_the_run_does_and_writes_nothing(
    seller: Seller, announcements: list[dict[str, Any]]
) -> None:
    vin = make_vin()
    lines = [HEADER, line(), line(vin=vin), line(vin=vin), line(year="x"), line(seller="Nobody")]

    plan = plan_import("vehicles", csv_file(*lines), visible_to=None)
    assert not Vehicle.objects.exists()

    report = run_import("vehicles", csv_file(*lines), visible_to=None)
    assert plan.rows == report.rows
    assert (plan.dry_run, report.dry_run) == (True, False)
    assert (report.rows.created, report.rows.skipped, report.rows.failed) == (2, 1, 2)
    assert [finding.row for finding in report.rows.findings] == [4, 5, 6]
    assert Vehicle.objects.count() == 2


@pytest.mark.parametrize(
    "content",
    [
        "vin;year;make;model;seller\nV;2015;Škoda;Octavia;Yard\n".encode("utf-8-sig"),
        "VIN\tYear\tBrand\tModel\tSeller\r\nV\t2015\tŠkoda\tOctavia\tYard\r\n".encode(),
        "\n".join(["vin,year,make,model,seller", 'V,2015,"Škoda",Octavia,Yard']).encode("cp1252"),
        json.dumps([{"vin": "V", "year": 2015, "make": "Škoda", "model": "Octavia", "seller": "Yard"}]).encode(),
        b'\xef\xbb\xbf{"vin": "V", "year": 2015,\n "Make": "\xc5\xa0koda", "model": "Octavia", "seller": "Yard"}\n',
    ],
)
def test_files_as_people_save_them_are_read(content: bytes, seller: Seller) -> None:
    vin = make_vin()

    report = run(
        content.replace(b"V\t", vin.encode() + b"\t")
        .replace(b"\nV", b"\n" + vin.encode())
        .replace(b'"V"', b'"' + vin.encode() + b'"')
    )

    assert report.rows.findings == []
    vehicle = Vehicle.objects.get()
    assert (vehicle.vin, vehicle.year, vehicle.make, vehicle.seller) == (vin, 2015, "Škoda", seller)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty."),
        (b" \n \n", "The file is empty."),
        (b"vin,year,make,model\n", "Columns are missing: seller. The file has: vin, year, make, model."),
        (b"hello world", "Columns are missing: vin, year, make, model, seller."),
        (f"{HEADER},VIN\n".encode(), "Columns occur twice: vin."),
        (f'{HEADER}\n"V"x,2015,Fiat,Uno,Yard\n'.encode(), "The quotes do not match at or before line 2"),
        (f'{HEADER}\n"V,2015,Fiat,Uno,Yard\n'.encode(), "The quotes do not match at or before line 2"),
        (f"{HEADER}\nV,2015,Fiat,{'U' * 200_000},Yard\n".encode(), "larger than field limit"),
        ("vin".encode("utf-16"), "written in UTF-16"),
        (b"PK\x03\x04rest", "is a spreadsheet"),
        (b"\x1f\x8b\x08rest", "is compressed"),
        ("Škoda".encode() + "ä".encode("cp1252"), "neither UTF-8 nor Windows-1252"),
        (b"caf\xe9 \x81", "neither UTF-8 nor Windows-1252"),
        (b"[", "breaks off, or lacks a comma, after row 0"),
        (b'[{"vin": "a"}', "breaks off, or lacks a comma, after row 1"),
        (b'[{"vin": "a"} {"vin": "b"}]', "lacks a comma, after row 1"),
        (b'[{"vin": "a"},]', "Row 2 is not valid JSON"),
        (b'[{"vin": "a"}] x', "goes on after its JSON list"),
        (b'{"vin": "' + b"a" * 2_200_000, "Row 1 is not valid JSON, or longer than 1 MB"),
        (b"[" * 100_000, "lists within lists"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole(content: bytes, reason: str, seller: Seller) -> None:
    with pytest.raises(Refused) as refused:
        run(content)

    assert reason in str(refused.value)
    assert not Vehicle.objects.exists()


def test_rows_before_a_broken_one_are_not_kept(seller: Seller) -> None:
    lines = [HEADER, *[line() for _ in range(1200)], 'V"x",2015,"Fiat"x,Uno,Yard']

    with pytest.raises(Refused, match="line 1202"):
        run_import("vehicles", csv_file(*lines), visible_to=None)

    assert not Vehicle.objects.exists()


@pytest.mark.parametrize("content", [HEADER, f"{HEADER}\n\n \n,,,,\n", "[]", " [ \n ] "])
def test_a_file_without_rows_creates_nothing(content: str) -> None:
    report = run(content)

    assert (report.rows.processed, report.rows.created) == (0, 0)


def test_rows_are_numbered_as_in_a_spreadsheet_and_a_row_of_another_width_is_rejected(seller: Seller) -> None:
    report = run("\n".join([HEADER, "", line(), f"{line()},extra", "a,b", ""]))

    assert [(finding.row, finding.reason) for finding in report.rows.findings] == [
        (4, "The row has 6 cells where the header has 5."),
        (5, "The row has 2 cells where the header has 5."),
    ]
    assert report.rows.created == 1


def test_quoted_cells_hold_delimiters_quotes_and_line_breaks() -> None:
    vehicle = make_vehicle(seller=make_seller(name='Smith, "Sons" & Co'))
    content = (
        "name,description,price,vehicle,seller\n"
        f'"Door, left","two\nlines; with ""quotes""",100,{vehicle.vin},"Smith, ""Sons"" & Co"\n'
    )

    run(content, "parts")

    part = Part.objects.get()
    assert (part.name, part.description) == ("Door, left", 'two\nlines; with "quotes"')


def test_json_numbers_keep_their_digits_and_wrong_kinds_are_rejected() -> None:
    vehicle = make_vehicle()
    known = {"vehicle": vehicle.vin, "seller": vehicle.seller.public_id}
    rows = (
        json.dumps(known | {"name": "A", "description": 5, "price": 0, "isListed": True}).replace(" 0", " 19.90")
        + json.dumps(known | {"name": "B", "description": "b", "price": float("nan")})
        + json.dumps(known | {"name": ["B"], "description": "b", "price": 1, "vehicle": None})
        + '"text" [1]'
    )

    report = run(rows, "parts")

    part = Part.objects.get()
    assert (str(part.price), part.description, part.is_listed) == ("19.90", "5", True)
    assert [(finding.row, finding.reason[:40]) for finding in report.rows.findings] == [
        (2, "price: “NaN” is not a number as we read "),
        (3, "name: must be a text or a number. vehicl"),
        (4, "The row is not an object with columns."),
        (5, "The row is not an object with columns."),
    ]


def test_columns_that_mean_nothing_are_named(seller: Seller) -> None:
    report = run(f"{HEADER},shoe size\n{line()},44")

    assert report.unused_columns == ["shoe_size"]
    assert report.rows.created == 1


def test_a_seller_imports_for_own_sellers_only(seller: Seller) -> None:
    make_seller(name="Other")

    report = run("\n".join([HEADER, line(), line(seller="Other")]), visible_to=seller.owner)

    assert [finding.reason for finding in report.rows.findings] == ["seller: “Other” is unknown."]
    assert Vehicle.objects.get().seller == seller


def test_reading_takes_the_same_memory_for_many_rows_as_for_few(tmp_path: Path) -> None:
    def peak(name: str, start: str, row: str, end: str, rows: int) -> int:
        path = tmp_path / name
        path.write_text(start + row * rows + end)
        tracemalloc.start()
        with path.open("rb") as stream, open_stock_file(stream, known={"vin", "year"}, required=["vin"]) as file:
            assert sum(1 for _ in file.rows) == rows + 1
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    for start, row, end in (("vin,year\n", "A,2015\n", "B,2016\n"), ("[", '{"vin": "A", "year": 1},', '{"vin": "B"}]')):
        few, many = (peak("rows", start, row, end, rows) for rows in (10_000, 40_000))
        assert many < few * 1.2 + 50_000


def test_the_command_creates_rows_and_says_how_many(tmp_path: Path, seller: Seller) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("\n".join([HEADER, line(), line()]))

    out = command("vehicles", str(path))

    assert out.splitlines()[-1] == "2 vehicles processed: 2 created, 0 skipped, 0 rejected."
    assert Vehicle.objects.count() == 2


def test_the_command_ends_with_3_when_rows_were_rejected_and_keeps_the_others(
    tmp_path: Path, seller: Seller, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("\n".join([HEADER, line(), line(year="x")]))

    with pytest.raises(SystemExit) as ended:
        call_command("import_stock", "vehicles", str(path))

    assert ended.value.code == 3
    assert "row 3: failed: year: “x” is not a whole number" in capsys.readouterr().out
    assert Vehicle.objects.count() == 1


def test_the_command_plans_without_writing_and_answers_in_json(tmp_path: Path, seller: Seller) -> None:
    path = tmp_path / "stock.csv"
    path.write_text("\n".join([f"{HEADER},note", f"{line()},x"]))

    report = json.loads(command("vehicles", str(path), "--dry-run", "--json"))

    assert report == {
        "kind": "vehicles",
        "dry_run": True,
        "format": "csv",
        "encoding": "UTF-8",
        "unused_columns": ["note"],
        "processed": 1,
        "created": 1,
        "skipped": 0,
        "failed": 0,
        "findings": [],
        "findings_left_out": 0,
    }
    assert not Vehicle.objects.exists()


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "Nothing was written: The file is empty."), (None, "cannot be read")]
)
def test_the_command_fails_with_1_for_a_file_it_cannot_read(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "stock.csv"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CommandError, match=reason) as failed:
        call_command("import_stock", "vehicles", str(path))

    assert failed.value.returncode == 1
