"""`backup --verify`: restored into a scratch database and compared."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import psycopg
import pyrage
import pytest

from config.ops.backup.draft import Contents, Wanted
from config.ops.backup.folders import prepare, work_folder
from config.ops.backup.manifest import Damaged
from config.ops.backup.run import write_draft
from config.ops.backup.verification import verify
from tests.ops.backup.conftest import MakeShop
from tests.ops.backup.shops import Shop
from tests.servers import engine

pytestmark = pytest.mark.django_db
PASSPHRASE = "correct horse battery staple"


def scratch_databases(url: str) -> list[str]:
    if engine() == "sqlite":
        return []
    with psycopg.connect(url) as session:
        found = session.execute("SELECT datname FROM pg_database WHERE starts_with(datname, 'forecourt_scratch_')")
        number = session.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone()
        return [name for (name,) in found if number and f"_{number[0]}_" in name]


@pytest.mark.parametrize("arguments", [[], ["--no-compress"], ["--jobs", "2"]], ids=["zstd", "plain", "folder"])
def test_a_good_backup_is_restored_compared_and_recorded(shop: Shop, arguments: list[str]) -> None:
    if "--jobs" in arguments and engine() == "sqlite":
        pytest.skip("SQLite has no jobs.")
    done = shop.manage("--verify", *arguments)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("read back and restored")
    (manifest,) = shop.manifests()
    assert [proof.how for proof in manifest.verified] == ["read back", "restored"]
    assert manifest.checksums.keys() == manifest.rows.keys()
    assert [*scratch_databases(shop.url), *shop.unfinished()] == []


def test_what_is_locked_is_opened_with_an_identity_or_the_passphrase(shop: Shop, tmp_path: Path) -> None:
    person = pyrage.x25519.Identity.generate()
    (tmp_path / "identity").write_text(str(person))
    (tmp_path / "passphrase").write_text(PASSPHRASE)

    for arguments in (
        ["--encrypt", str(person.to_public()), "--identity", str(tmp_path / "identity")],
        ["--passphrase-file", str(tmp_path / "passphrase")],
    ):
        done = shop.manage("--verify", *arguments)
        assert (done.returncode, "read back and restored" in done.stdout) == (0, True), done.stderr


def test_without_the_identity_nothing_is_begun(shop: Shop) -> None:
    done = shop.manage("--verify", "--encrypt", str(pyrage.x25519.Identity.generate().to_public()))

    assert (done.returncode, "give --identity FILE" in done.stderr) == (2, True)
    assert not shop.folder.exists()


def verify_claiming(shop: Shop, *, rows: dict[str, int] | None = None, sums: dict[str, str] | None = None) -> None:
    """Write a draft, claim that it holds something else, and verify it."""
    wanted = Wanted(checksums=True)
    prepare(shop.folder)
    with work_folder(shop.folder) as work:
        draft = write_draft(shop.connection, work, wanted)
        true = draft.contents
        claimed = Contents(true.migrations, true.rows | (rows or {}), true.checksums | (sums or {}))
        verify(shop.connection, replace(draft, contents=claimed), work, wanted)


PREFIX = "" if engine() == "sqlite" else "public."


def test_a_row_less_and_another_content_are_noticed(shop: Shop) -> None:
    verify_claiming(shop)

    with pytest.raises(Damaged, match=rf"{PREFIX}car: expected 51, found 50"):
        verify_claiming(shop, rows={f"{PREFIX}car": 51})
    with pytest.raises(Damaged, match=rf"{PREFIX}lead: expected 1, found \d+"):
        verify_claiming(shop, sums={f"{PREFIX}lead": "1"})
    with pytest.raises(Damaged, match="gone: expected 1, found no such table"):
        verify_claiming(shop, rows={"gone": 1})
    assert scratch_databases(shop.url) == []


@pytest.mark.postgres_only
def test_a_backup_that_does_not_restore_is_none(shop: Shop) -> None:
    # It works only where it was made, and the restore needs it for the generated column.
    body = "BEGIN IF current_database() LIKE 'shop%' THEN RETURN 1; END IF; RAISE 'only at home'; END"
    shop.execute(f"CREATE FUNCTION here() RETURNS integer LANGUAGE plpgsql IMMUTABLE AS $${body}$$")
    shop.execute("CREATE TABLE picky (id integer, at_home integer GENERATED ALWAYS AS (here()) STORED)")
    shop.execute("INSERT INTO picky VALUES (1)")

    done = shop.manage("--verify")

    assert done.returncode == 1
    assert re.search("The backup does not restore: .*only at home", done.stderr, re.DOTALL)
    assert [*shop.backups(), *shop.unfinished(), *scratch_databases(shop.url)] == []


@pytest.mark.postgres_only
def test_without_the_right_to_make_a_scratch_database_the_backup_stays_and_says_so(shop: Shop) -> None:
    shop.execute("CREATE ROLE plain LOGIN")
    try:
        shop.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO plain")

        done = shop.manage("--verify", "--user", "plain")

        assert done.returncode == 3
        assert "was not restored" in done.stderr
        assert "SHADOW_DATABASE_URL" in done.stderr
        assert [proof.how for proof in shop.manifests()[0].verified] == ["read back"]
    finally:
        shop.execute("DROP OWNED BY plain")
        shop.execute("DROP ROLE plain")


@pytest.mark.postgres_only
def test_a_shadow_database_serves_as_the_scratch_database(make_shop: MakeShop) -> None:
    shop, shadow = make_shop(20), make_shop(5, name="shadow")

    for _ in range(2):
        done = shop.manage("--verify", SHADOW_DATABASE_URL=shadow.url)
        assert (done.returncode, "restored" in done.stdout) == (0, True), done.stderr

    with shadow.connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM car")
        assert cursor.fetchone() == (20,)


def test_odd_content_restores_to_the_same(shop: Shop) -> None:
    with shop.connection.cursor() as cursor:
        for number, text in enumerate(["", "NULL", "tab\tline\nend\r", "\\N", "ü€🚗", "'\"", "a" * 100_000]):
            cursor.execute("INSERT INTO car VALUES (%s, %s, NULL, %s)", [900 + number, f"ODD{number}", text])
    if engine() == "postgres":
        shop.execute("CREATE TABLE odd (f double precision, t timestamptz, j jsonb, b bytea, i interval, n numeric)")
        shop.execute(
            "INSERT INTO odd VALUES"
            " ('NaN', 'infinity', '{\"b\": 1, \"a\": [null]}', '\\x00ff', '1 mon -3 days', 1e-20),"
            " (0.1, '2026-03-29 02:30:00+02', 'null', '', '0', 'NaN'), (NULL, NULL, NULL, NULL, NULL, NULL)"
        )
    else:
        shop.execute("CREATE TABLE odd (v)")
        shop.execute(
            "INSERT INTO odd VALUES (0.1), (1e300), (9223372036854775807), (x'00ff'), (CAST(x'ff00fe' AS TEXT)), (NULL)"
        )

    done = shop.manage("--verify")

    assert (done.returncode, "restored" in done.stdout) == (0, True), done.stderr


def test_an_empty_passphrase_cannot_be_given_by_accident(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")

    done = shop.manage("--passphrase-file", str(tmp_path / "empty"))

    assert (done.returncode, "is empty" in done.stderr) == (1, True)
    assert shop.backups() == []
