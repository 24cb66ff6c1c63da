"""`restore --table --where`: single rows come back out of a backup, and no row that is there is changed."""

from __future__ import annotations

import json
import re

import pytest

from tests.ops.restoring.sites import CTRL_D, Site
from tests.ops.restoring.test_restore import refused
from tests.servers import engine

pytestmark = pytest.mark.django_db


def bring_back(site: Site, table: str, condition: str, *more: str) -> dict[str, object]:
    done = site.restore("latest", "--table", table, "--where", condition, "--yes", "--json", *more)
    assert done.code == 0, done.err
    told: dict[str, object] = json.loads(done.out)
    return told


def test_missing_rows_come_back_and_rows_that_are_there_stay_as_they_are(site: Site) -> None:
    site.backup()
    lost = site.ask("SELECT * FROM lead WHERE id IN (3, 4)")
    site.execute("DELETE FROM lead WHERE id IN (3, 4)")
    site.execute("UPDATE lead SET car_id = 40 WHERE id = 5")
    site.execute("INSERT INTO lead VALUES (900, 1)")

    told = bring_back(site, "lead", "id BETWEEN 3 AND 6")

    assert (told["matching"], told["there"], told["brought_back"]) == (4, 2, 2)
    assert site.ask("SELECT * FROM lead WHERE id IN (3, 4)") == lost
    assert site.ask("SELECT car_id FROM lead WHERE id = 5") == [(40,)]
    assert site.ask("SELECT count(*) FROM lead") == [(26,)]
    assert site.kept() == []


def test_every_value_comes_back_as_it_was(site: Site) -> None:
    binary = "blob" if engine() == "sqlite" else "bytea"
    literal = "x'00ff27'" if engine() == "sqlite" else "'\\x00ff27'"
    site.execute(f"CREATE TABLE thing (id integer PRIMARY KEY, a text, b {binary}, c numeric(9, 3), d text)")
    site.execute(f"INSERT INTO thing VALUES (1, 'tab\t, quote '' and \\ backslash', {literal}, 1.250, NULL)")
    site.execute("INSERT INTO thing VALUES (2, '', NULL, NULL, 'é\u2028')")
    site.backup()
    before = site.content()
    site.execute("DELETE FROM thing")

    bring_back(site, "thing", "true")

    assert site.content() == before


def test_a_dry_run_counts_and_brings_nothing_back(site: Site) -> None:
    site.backup()
    site.execute("DELETE FROM lead WHERE id = 3")
    before = site.content()

    done = site.restore("latest", "--table", "lead", "--where", "id < 5", "--dry-run")

    assert done.code == 0, done.err
    assert "5 rows of lead match in the backup, 4 of them are there." in done.out
    assert "Would bring back 1 row. Nothing was changed." in done.out
    assert site.content() == before


def test_the_name_is_asked_for(site: Site) -> None:
    site.backup()
    site.execute("DELETE FROM lead WHERE id = 3")
    rows = ("latest", "--table", "lead", "--where", "id < 5")

    assert refused(site.restore(*rows), "Nobody is there to ask")
    assert site.restore_at_terminal(*rows, answer="no").code == 1
    left = site.restore_at_terminal(*rows, answer=CTRL_D)
    assert (left.code, "Nothing was changed." in left.out, "Traceback" in left.out) == (1, True, False)
    assert site.ask("SELECT count(*) FROM lead") == [(24,)]
    assert site.restore_at_terminal(*rows, answer=site.name).code == 0
    assert site.ask("SELECT count(*) FROM lead") == [(25,)]


def test_rows_whose_owners_are_gone_are_listed_and_refused_all_together(site: Site) -> None:
    site.backup()
    site.execute("DELETE FROM lead WHERE id IN (3, 4)")
    site.execute("DELETE FROM car WHERE id = 3")

    done = site.restore("latest", "--table", "lead", "--where", "id IN (3, 4)", "--yes")

    assert refused(done, r"id=3: car_id=3 is not in .*car")
    assert re.search(r'--table [\w.]*car --where "id IN \(3\)"', done.err)
    assert "id=4" not in done.err
    assert site.ask("SELECT count(*) FROM lead WHERE id IN (3, 4)") == [(0,)]
    bring_back(site, "car", "id = 3")
    assert bring_back(site, "lead", "id IN (3, 4)")["brought_back"] == 2


def test_rows_that_point_to_each_other_come_back_together(site: Site) -> None:
    site.execute("CREATE TABLE part (id integer PRIMARY KEY, whole_id integer REFERENCES part (id))")
    site.execute("INSERT INTO part VALUES (1, NULL), (2, 1), (3, 2)")
    site.backup()
    site.execute("DELETE FROM part")

    assert bring_back(site, "part", "id IN (1, 2)")["brought_back"] == 2
    assert bring_back(site, "part", "id = 3")["brought_back"] == 1


def test_a_row_whose_place_was_taken_is_refused(site: Site) -> None:
    site.backup()
    (vin,) = site.ask("SELECT vin FROM car WHERE id = 40")[0]
    site.execute("DELETE FROM car WHERE id IN (40, 41)")
    site.execute(f"INSERT INTO car VALUES (900, '{vin}', 1, '')")
    before = site.content()

    done = site.restore("latest", "--table", "car", "--where", "id IN (40, 41)", "--yes")

    assert refused(done, "Nothing was brought back: .*(UNIQUE constraint failed: car.vin|car_vin_key)")
    assert site.content() == before


@pytest.mark.parametrize(
    "condition",
    [
        "nosuch = 1",
        "id = 1; DELETE FROM car",
        "true) OR true; DELETE FROM car WHERE (true",
        "id = ",
        "",
    ],
)
def test_a_condition_that_is_none_is_refused_and_runs_nowhere(site: Site, condition: str) -> None:
    site.backup()
    before = site.content()

    done = site.restore("latest", "--table", "car", "--where", condition, "--yes")

    assert done.code in {1, 2}
    assert "Traceback" not in done.err
    assert site.content() == before


def test_the_condition_sees_the_backup_and_not_the_live_database(site: Site) -> None:
    site.backup()
    site.execute("DELETE FROM lead")

    told = bring_back(site, "lead", "car_id IN (SELECT id FROM car WHERE price < 3) -- the cheap ones")

    assert told["brought_back"] == 3


@pytest.mark.postgres_only
def test_the_condition_can_write_nothing(site: Site) -> None:
    site.execute(
        "CREATE FUNCTION gone() RETURNS boolean LANGUAGE plpgsql AS $$BEGIN DELETE FROM lead; RETURN true; END$$"
    )
    site.backup()

    done = site.restore("latest", "--table", "car", "--where", "gone()", "--yes")

    assert refused(done, "cannot execute DELETE in a read-only transaction")


def test_a_table_that_is_not_there_is_refused(site: Site) -> None:
    site.backup()
    site.execute("CREATE TABLE younger (id integer PRIMARY KEY)")
    site.execute("CREATE TABLE keyless (name text)")

    for table, reason in (
        ("nosuch", "There is no table nosuch in the database"),
        ("younger", "There is no table younger in the backup"),
        ("keyless", "keyless has no primary key"),
    ):
        assert refused(site.restore("latest", "--table", table, "--where", "true", "--yes"), reason)


def test_columns_that_changed_since_are_told_or_refused(site: Site) -> None:
    site.backup()
    site.execute("DELETE FROM car WHERE id = 40")
    site.execute("ALTER TABLE car DROP COLUMN note")
    site.execute("ALTER TABLE car ADD COLUMN colour text DEFAULT 'red' NOT NULL")

    assert bring_back(site, "car", "id = 40")["left_out"] == ["note"]
    assert site.ask("SELECT colour FROM car WHERE id = 40") == [("red",)]
    if engine() == "postgres":
        site.execute("ALTER TABLE car ALTER COLUMN colour DROP DEFAULT")
        done = site.restore("latest", "--table", "car", "--where", "id = 40", "--yes")
        assert refused(done, "car of the backup has no colour")


@pytest.mark.postgres_only
def test_computed_columns_are_computed_and_new_keys_stay_free(site: Site) -> None:
    site.execute(
        "CREATE TABLE offer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, price integer,"
        " double integer GENERATED ALWAYS AS (price * 2) STORED)"
    )
    site.execute("INSERT INTO offer (price) VALUES (10), (20), (30)")
    site.backup()
    site.execute("TRUNCATE offer RESTART IDENTITY")

    assert bring_back(site, "offer", "price > 10")["brought_back"] == 2
    site.execute("INSERT INTO offer (price) VALUES (99)")
    assert site.ask("SELECT id, price, double FROM offer ORDER BY id") == [(2, 20, 40), (3, 30, 60), (4, 99, 198)]


@pytest.mark.postgres_only
def test_the_key_that_the_server_gives_out_first_stays_free_too(site: Site) -> None:
    site.execute("CREATE TABLE offer (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, price integer)")
    site.execute("INSERT INTO offer (price) VALUES (10)")
    site.backup()
    site.execute("TRUNCATE offer RESTART IDENTITY")

    assert bring_back(site, "offer", "true")["brought_back"] == 1
    site.execute("INSERT INTO offer (price) VALUES (99)")
    assert site.ask("SELECT id, price FROM offer ORDER BY id") == [(1, 10), (2, 99)]
