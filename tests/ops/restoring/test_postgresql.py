"""What a restore promises on PostgreSQL alone: the live database's properties go on, dumps of every kind come back."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from config.ops import servers
from config.ops.backup.clients import client_program
from config.ops.backup.draft import DATA, SCHEMA, Wanted
from config.ops.programs import POSTGRESQL, Search, wheel_program
from config.ops.restoring import swap as swapping
from config.ops.restoring.server import maintenance_session
from tests.ops.backup.conftest import new_database
from tests.ops.backup.shops import Shop
from tests.ops.restoring.conftest import MakeSite
from tests.ops.restoring.rights import rights_of
from tests.ops.restoring.sites import Site, session_of
from tests.ops.restoring.test_restore import refused

pytestmark = [pytest.mark.django_db, pytest.mark.postgres_only]


def dumped(site: Site, *options: str) -> bytes:
    """Return what the old scripts wrote: the output of pg_dump."""
    command = [str(client_program("pg_dump", 14).path), *options, site.shop.url]
    return subprocess.run(command, capture_output=True, check=True).stdout


@pytest.fixture
def roles(database_url: str) -> Iterator[tuple[str, str]]:
    """An owner and a reader, who are gone after the test."""
    names = (f"owner_{os.getpid()}", f"reader_{os.getpid()}")
    with psycopg.connect(database_url, autocommit=True) as session:
        for name in names:
            session.execute(f"CREATE ROLE {name}")
        yield names
        for name in names:
            session.execute(f"DROP ROLE {name}")


@contextmanager
def owned_by_us(site: Site, roles: tuple[str, str]) -> Iterator[None]:
    """Take everything from the roles after the block, so that they can go."""
    try:
        yield
    finally:
        for database in (site.name, *(entry.name for entry in site.kept())):
            url = site.shop.url.replace(f"/{site.name}?", f"/{database}?")
            with psycopg.connect(url, autocommit=True, options=WRITING) as session:
                session.execute(f'ALTER DATABASE "{database}" RESET ALL')
                for role in roles:
                    session.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}")


WRITING = "-c default_transaction_read_only=off"
ABOUT = (
    "SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datconnlimit,"
    " shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()"
)


def test_owner_rights_settings_limit_and_comment_of_the_live_database_go_on(site: Site, roles: tuple[str, str]) -> None:
    owner, reader = roles
    # The backup has other rights than the live database has when it is replaced.
    site.execute(f"GRANT ALL ON car, lead TO {reader}")
    site.execute(
        "CREATE SCHEMA reports; CREATE VIEW reports.cheap AS SELECT * FROM car; CREATE SEQUENCE reports.number"
    )
    site.execute("CREATE FUNCTION reports.twice(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2'")
    site.execute("CREATE TYPE reports.colour AS ENUM ('red')")
    site.backup()
    for statement in (
        f"REVOKE ALL ON car, lead FROM {reader}",
        f"GRANT SELECT ON car TO {reader}",
        f"GRANT UPDATE (price) ON car TO {reader}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO {reader}",
        f"ALTER TABLE car OWNER TO {owner}",
        f"ALTER TABLE lead OWNER TO {owner}",
        f"ALTER TABLE django_migrations OWNER TO {owner}",
        f'ALTER DATABASE "{site.name}" SET search_path TO "$user", public, "odd, name"',
        f"ALTER DATABASE \"{site.name}\" SET statement_timeout = '7min'",
        f'ALTER DATABASE "{site.name}" SET default_transaction_read_only = on',
        f"ALTER ROLE {reader} IN DATABASE \"{site.name}\" SET work_mem = '9MB'",
        f"COMMENT ON DATABASE \"{site.name}\" IS 'it''s ours'",
        f'REVOKE CONNECT ON DATABASE "{site.name}" FROM PUBLIC',
        f'GRANT CONNECT ON DATABASE "{site.name}" TO {reader} WITH GRANT OPTION',
        f'ALTER DATABASE "{site.name}" CONNECTION LIMIT 17',
        f"ALTER SCHEMA reports OWNER TO {reader}",
        f"ALTER VIEW reports.cheap OWNER TO {reader}; GRANT SELECT ON reports.cheap TO {owner}",
        f"ALTER FUNCTION reports.twice OWNER TO {reader}; REVOKE ALL ON FUNCTION reports.twice FROM PUBLIC",
        f"ALTER TYPE reports.colour OWNER TO {reader}; ALTER SEQUENCE reports.number OWNER TO {reader}",
        f'ALTER DATABASE "{site.name}" OWNER TO {owner}',
    ):
        with psycopg.connect(site.shop.url, autocommit=True, options=WRITING) as session:
            session.execute(statement)
    before = site.ask(ABOUT), rights_of(site.shop.url)
    assert "odd, name" in str(before)

    with owned_by_us(site, roles):
        done = site.restore("latest", "--yes")

        assert done.code == 0, done.err
        assert (site.ask(ABOUT), rights_of(site.shop.url)) == before
        with psycopg.connect(site.shop.url, autocommit=True, options=WRITING) as session:
            session.execute(f"SET ROLE {owner}; CREATE TABLE later (id integer)")
            session.execute(f"SET ROLE {reader}; SELECT * FROM later")


def test_encoding_and_collation_of_the_live_database_go_on(make_site: MakeSite) -> None:
    site = make_site()
    backup = site.backup()
    with psycopg.connect(site.shop.url.replace(site.name, "postgres"), autocommit=True) as session:
        session.execute(f'DROP DATABASE "{site.name}"')
        session.execute(
            f"CREATE DATABASE \"{site.name}\" TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    before = site.ask(ABOUT)

    assert site.restore(str(backup), "--yes").code == 0
    assert site.ask(ABOUT) == before
    assert site.ask("SELECT count(*) FROM car") == [(50,)]


def test_rights_of_roles_that_are_gone_are_a_finding(site: Site, roles: tuple[str, str], tmp_path: Path) -> None:
    backup, gone = tmp_path / "shop.dump", "x" * len(roles[1])
    site.execute(f"GRANT SELECT ON car TO {roles[1]}")
    site.execute(f"GRANT SELECT ON lead TO {roles[0]}")
    backup.write_bytes(dumped(site, "--format=custom").replace(roles[1].encode(), gone.encode()))
    site.execute(f"REVOKE ALL ON car, lead FROM {', '.join(roles)}")
    with new_database(site.shop.url, f"{site.name}_new") as url:
        done = site.restore(str(backup), "--yes", "--drop-database", "--target", url)
        with psycopg.connect(url) as session:
            rights = session.execute("SELECT relacl::text FROM pg_class WHERE relname IN ('car', 'lead')").fetchall()

    assert done.code == 3
    assert f'A right could not be given: role "{gone}" does not exist.' in done.err
    assert roles[0] in str(rights)


def test_a_database_that_is_not_there_is_made(site: Site) -> None:
    backup = site.backup()
    before = site.content()
    with psycopg.connect(site.shop.url.replace(site.name, "postgres"), autocommit=True) as session:
        session.execute(f'DROP DATABASE "{site.name}"')

    done = site.restore(str(backup), "--yes")

    assert done.code == 0, done.err
    assert site.content() == before
    assert site.kept() == []


def test_a_damaged_backup_is_refused_at_once_while_the_live_rows_are_still_counted(site: Site) -> None:
    backup = site.backup()
    backup.write_bytes(backup.read_bytes()[:-1] + b"?")
    with session_of(site) as session, session.transaction():
        session.execute("LOCK TABLE car")

        assert refused(site.restore(str(backup), "--yes"), "is damaged")


def test_the_planner_knows_every_column_and_autovacuum_adds_indexed_expressions(site: Site) -> None:
    site.execute("INSERT INTO car SELECT n, n::text, n % 7, 'rusty' FROM generate_series(100, 12000) n")
    site.execute("CREATE TABLE wreck AS SELECT * FROM car; ALTER TABLE wreck SET (autovacuum_enabled = off)")
    site.execute("CREATE INDEX car_vin ON car (lower(vin)); CREATE INDEX wreck_vin ON wreck (lower(vin))")
    site.backup()

    assert site.restore("latest", "--yes").code == 0
    known = site.ask("SELECT tablename, count(*) FROM pg_stats WHERE schemaname = 'public' GROUP BY 1")
    assert {("car", 4), ("wreck", 4), ("wreck_vin", 1)} <= set(known)
    (changed,) = site.ask("SELECT n_mod_since_analyze >= 11900 FROM pg_stat_user_tables WHERE relname = 'car'")
    # It may have come already.
    assert changed == (True,) or ("car_vin", 1) in known


def test_a_folder_is_restored_with_several_processes(site: Site) -> None:
    backup = site.backup(wanted=Wanted(jobs=2))
    before = site.content()
    site.change()

    assert site.restore(str(backup), "--yes", "--jobs", "2").code == 0
    assert site.content() == before
    (backup / "toc.dat").write_bytes((backup / "toc.dat").read_bytes()[:-1] + b"?")
    assert refused(site.restore(str(backup), "--yes"), "toc.dat is damaged: its SHA-256")


@pytest.mark.parametrize("options", [(), ("--clean",), ("--clean", "--if-exists", "--no-owner", "--no-privileges")])
@pytest.mark.parametrize("packed", [True, False])
def test_the_files_of_the_old_scripts_are_restored(
    site: Site, tmp_path: Path, options: tuple[str, ...], packed: bool
) -> None:
    site.execute("CREATE SCHEMA yard CREATE TABLE wreck (id integer PRIMARY KEY)")
    site.execute("CREATE VIEW cheap AS SELECT * FROM car WHERE price < 3")
    script = dumped(site, *options)
    backup = tmp_path / "backup.sql.gz"
    backup.write_bytes(gzip.compress(script) if packed else script)
    before = site.content()
    site.change()

    done = site.restore(str(backup), "--yes")

    assert done.code == 0, done.err
    assert "end marker" in done.out
    assert site.content() == before
    assert site.ask("SELECT count(*) FROM cheap") == [(3,)]


def test_a_script_cut_anywhere_is_refused(site: Site, tmp_path: Path) -> None:
    script, backup = dumped(site), tmp_path / "backup.sql"
    before = site.content()
    for part in range(1, 6):
        backup.write_bytes(script[: len(script) * part // 6])
        assert refused(site.restore(str(backup), "--yes"), "is cut: it does not end with|begins as none")
    assert site.content() == before


def test_the_first_error_of_a_script_ends_the_restore_and_is_told_with_its_line(site: Site, tmp_path: Path) -> None:
    lines = dumped(site).decode().splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("ALTER TABLE ONLY"))
    lines.insert(place, "CREATE INDEX nonsense ON car (nosuch);")
    (tmp_path / "backup.sql").write_text("\n".join(lines))
    before = site.content()

    done = site.restore(str(tmp_path / "backup.sql"), "--yes")

    assert refused(done, rf"<stdin>:{place + 1}: ERROR:  (relation|column) .* does not exist")
    assert site.content() == before
    assert site.kept() == []


def test_a_script_that_names_a_missing_role_says_what_to_create(site: Site, tmp_path: Path) -> None:
    script = dumped(site).replace(b"OWNER TO forecourt;", b"OWNER TO partpal_of_old;")
    (tmp_path / "backup.sql").write_bytes(script)

    assert refused(site.restore(str(tmp_path / "backup.sql"), "--yes"), 'CREATE ROLE "partpal_of_old" first')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("DROP DATABASE shop;", "would work on another database"),
        ("\\connect postgres", "would work on another database"),
        ("\\! touch /tmp/somewhere", "is a command to psql"),
    ],
)
def test_a_script_that_leaves_its_database_is_refused(site: Site, tmp_path: Path, line: str, reason: str) -> None:
    script = dumped(site).decode()
    (tmp_path / "backup.sql").write_text(script.replace("SET xmloption", f"{line}\nSET xmloption", 1))
    before = site.content()

    assert refused(site.restore(str(tmp_path / "backup.sql"), "--yes"), reason)
    assert site.content() == before


def test_a_dump_of_a_newer_server_is_refused(site: Site, tmp_path: Path) -> None:
    script = re.sub(rb"Dumped from database version \d+", b"Dumped from database version 99", dumped(site))
    (tmp_path / "backup.sql").write_bytes(script)

    done = site.restore(str(tmp_path / "backup.sql"), "--yes")

    assert refused(done, "comes from PostgreSQL 99 and the server is")


def test_parts_of_a_database_replace_no_rows(site: Site) -> None:
    rows, schema = site.backup(wanted=Wanted(kind=DATA)), site.backup(wanted=Wanted(kind=SCHEMA))
    before = site.content()

    assert refused(site.restore(str(rows), "--yes"), "holds rows without the tables")
    assert refused(site.restore(str(schema), "--yes"), "holds the definitions alone")
    assert site.content() == before


def test_who_is_connected_is_told_and_stops_the_restore(site: Site) -> None:
    site.backup()
    site.change()
    before = site.content()

    with session_of(site):
        looked, done = site.restore("latest", "--dry-run"), site.restore("latest", "--yes")

    assert looked.code == 3
    for told in (looked.out, done.err):
        assert re.search(r"1 session is connected to shop\w+", told)
        assert "the shop's web server of" in told
        assert "--disconnect" in told
    assert done.code == 1
    assert site.content() == before
    assert site.kept() == []


@pytest.mark.parametrize("way", [(), ("--drop-database",)])
def test_an_application_that_connects_all_the_time_is_sent_away_and_lands_in_the_new_database(
    site: Site, way: tuple[str, ...]
) -> None:
    site.backup()
    before = site.content()
    site.change()
    stop, connected = threading.Event(), threading.Event()

    def come_again() -> None:
        while not stop.is_set():
            try:
                with session_of(site) as session:
                    connected.set()
                    session.execute("SELECT pg_sleep(0.05)")
            except psycopg.Error:
                pass

    threads = [threading.Thread(target=come_again) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert connected.wait(20)
    done = site.restore("latest", "--yes", "--disconnect", *way)
    connected.clear()
    assert connected.wait(20)
    stop.set()
    for thread in threads:
        thread.join()

    assert done.code == 0, done.err
    assert site.content() == before


def test_no_acknowledged_row_is_lost_while_an_application_writes_and_the_database_is_dropped(site: Site) -> None:
    wanted = site.backup()
    stop, acknowledged = threading.Event(), list[int]()

    def write(first: int) -> None:
        number = first
        while not stop.is_set():
            with suppress(psycopg.Error), session_of(site) as session:
                while not stop.is_set():
                    number += 1
                    session.execute("INSERT INTO car VALUES (%s, %s, 1, 'written meanwhile')", [number, f"V{number}"])
                    acknowledged.append(number)

    threads = [threading.Thread(target=write, args=[first]) for first in (1_000_000, 2_000_000, 3_000_000)]
    for thread in threads:
        thread.start()
    done = site.restore("latest", "--yes", "--disconnect", "--drop-database")
    stop.set()
    for thread in threads:
        thread.join()

    assert done.code == 0, done.err
    after = {number for (number,) in site.ask("SELECT id FROM car")}
    (safety,) = [path for path in site.shop.backups() if path != wanted]
    assert site.restore(str(safety), "--yes").code == 0
    before = {number for (number,) in site.ask("SELECT id FROM car")}
    assert acknowledged
    assert set(acknowledged) <= before | after


def test_a_user_who_may_make_no_database_is_told_what_is_missing(site: Site, roles: tuple[str, str]) -> None:
    site.backup()
    with psycopg.connect(site.shop.url, autocommit=True) as session:
        session.execute(f"ALTER ROLE {roles[0]} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {roles[0]}")
    before = site.content()
    with owned_by_us(site, roles):
        url = site.shop.url.replace("//forecourt", f"//{roles[0]}", 1)

        looked = site.restore("latest", "--dry-run", "--target", url)
        done = site.restore("latest", "--yes", "--target", url)

    assert looked.code == 3
    assert "Tables with as many rows now as after: 3" in looked.out
    for told in (looked.out, done.err):
        assert f"ALTER ROLE {roles[0]} CREATEDB" in told
    assert done.code == 1
    assert site.content() == before


def test_a_dry_run_tells_what_it_can_without_a_server(site: Site, tmp_path: Path) -> None:
    backup = site.backup()

    done = site.restore(str(backup), "--dry-run", "--target", f"postgresql://u@/shop?host={tmp_path}")

    assert done.code == 3
    assert re.search(r"car +\? +50\n", done.out)
    assert "cannot be reached" in done.out


def test_what_a_killed_restore_left_behind_goes_with_the_next_one(site: Site) -> None:
    name = "forecourt_restore_0123456789ab"
    like_one = "forecourt_restore_of_mine"
    backup = site.backup()
    with psycopg.connect(site.shop.url, autocommit=True) as session:
        for database in (name, like_one):
            session.execute(f"CREATE DATABASE {database}")

    assert site.restore(str(backup), "--yes").code == 0
    left = site.unfinished()
    with psycopg.connect(site.shop.url, autocommit=True) as session:
        session.execute(f"DROP DATABASE {like_one}")

    assert name not in left
    assert like_one in left


def new_server() -> Path | None:
    """Return the folder of the newer PostgreSQL's programs that come as a wheel, if they are here."""
    program = wheel_program(POSTGRESQL)
    return program.parent if program else None


@pytest.mark.skipif(new_server() is None, reason="the newer server's wheel is not installed")
def test_a_backup_moves_up_to_a_newer_server_and_not_down(site: Site, tmp_path: Path) -> None:
    programs = new_server()
    assert programs is not None
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    old = site.backup(verify=True, wanted=Wanted(checksums=True))
    before = site.content()
    with servers.postgresql(Search(environment={"PATH": path})) as server:
        newer = Site(Shop(f"{server.url}_new", site.shop.connection, tmp_path / "newer", {"PATH": path}))

        up = newer.restore(str(old), "--yes")
        made = newer.shop.manage()
        down = site.restore(str(newer.shop.backups()[0]), "--yes")

    assert up.code == 0, up.err
    assert "checksum per table" in up.out
    assert made.returncode == 0, made.stderr
    assert refused(down, r"comes from PostgreSQL \d+ and the server is \d+: a dump goes to the same or a newer version")
    assert site.content() == before


@pytest.mark.skipif(new_server() is None, reason="the newer server's wheel is not installed")
def test_the_archive_of_a_newer_program_goes_back_to_the_older_server_it_came_from(site: Site, tmp_path: Path) -> None:
    programs = new_server()
    assert programs is not None
    backup = tmp_path / "shop.dump"
    command = [str(programs / "pg_dump"), "--format=custom", f"--file={backup}", site.shop.url]
    subprocess.run(command, capture_output=True, check=True)
    before = site.content()
    site.change()

    done = site.restore(str(backup), "--yes", PATH=f"{programs}{os.pathsep}{os.environ['PATH']}")

    assert done.code == 0, done.err
    assert site.content() == before


def test_what_restores_of_databases_with_long_names_kept_is_told_apart(make_site: MakeSite) -> None:
    sites = [make_site(rows=3, name=f"{'x' * 40}{letter}") for letter in "ab"]
    for site in sites:
        site.backup()
        assert site.restore("latest", "--yes").code == 0
    first, second = (site.kept() for site in sites)
    assert (len(first), len(second)) == (1, 1)

    assert sites[0].restore("--drop-old", "--yes").code == 0

    assert (sites[0].kept(), sites[1].kept()) == ([], second)


def test_a_session_that_stays_stops_the_swap_and_leaves_both_databases(
    make_site: MakeSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, restored = make_site(name="live"), make_site(rows=4, name="restored")
    before = live.content(), restored.content()
    monkeypatch.setattr(swapping, "PATIENCE", 1.0)
    connection, names = live.shop.connection, {"restored": restored.name, "live": live.name, "kept": "kept"}
    with (
        session_of(live),
        maintenance_session(connection) as server,
        pytest.raises(swapping.StillConnected, match="the shop's web server"),
    ):
        swapping.swap(connection, server, **names, disconnect=False)
    assert (live.content(), restored.content()) == before
