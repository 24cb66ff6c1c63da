"""Moving a file as a whole: what arrives, what is refused, and what the target is afterwards."""

from __future__ import annotations

import json
import os
import resource
import shlex
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from config.cache import cached, families
from config.db.errors import Refused
from config.ops.scratch import child_environment
from config.ops.transfer.planning import Order, planned
from config.ops.transfer.run import ReportLost, carry_out
from tests.commands import MANAGE, manage
from tests.transfer.conftest import sqlite_url
from tests.transfer.moving import Watch, all_rows, catalog, contents, editing, execute, move, query

pytestmark = [pytest.mark.postgres_only, pytest.mark.usefixtures("any_database"), pytest.mark.timeout(300)]


def test_every_row_arrives_as_it_was(demo: Path, target: str) -> None:
    before = demo.read_bytes()

    done = move(demo, "--yes", target=target)

    assert done.code == 0, done.err
    assert all_rows(target) == all_rows(sqlite_url(demo))
    assert demo.read_bytes() == before
    assert "layout Forecourt" in done.out
    assert "Every row is accounted for" in done.out
    assert "set DATABASE_URL to this database, then run `manage.py backup`" in done.out


def test_the_proof_is_printed_per_table(demo: Path, target: str) -> None:
    done = move(demo, "--yes", "--json", target=target)

    with closing(sqlite3.connect(demo)) as source:
        for proof in done.json["proofs"]:
            (rows,) = source.execute(f'SELECT count(*) FROM "{proof["table"]}"').fetchone()
            assert proof["rows_sent"] == proof["rows_found"] == rows
            assert proof["checksum_sent"] == proof["checksum_found"]
            assert proof["holds"]
    for table in done.json["tables"]:
        assert table["rows"] == sum(table[outcome] for outcome in ("moved", "noted", "left_out", "bad", "hanging"))
    assert done.json["committed"]
    assert done.json["accounted"]


def test_answers_from_before_the_move_are_not_given_after_it(empty: Path, target: str, settings: Settings) -> None:
    settings.CACHE_READS = True
    answers = iter((["of before"], ["of after"]))

    def ask() -> list[str]:
        return cached(families.CARS_MAKES, "makes", lambda: next(answers))

    assert [ask(), ask()] == [["of before"]] * 2
    call_command("sqlite_to_postgres", str(empty), "--yes", "--verbosity", "0", target=target)
    assert ask() == ["of after"]


def test_the_target_has_its_indexes_rules_and_triggers_as_before(demo: Path, target: str) -> None:
    execute(target, "CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION $$seen$$; END'")
    execute(target, "CREATE TRIGGER watch AFTER INSERT ON leads_lead FOR EACH ROW EXECUTE FUNCTION watch()")
    execute(target, "CREATE INDEX of_their_own ON leads_lead (lower(name)) WHERE status = ANY ('{NEW,LOST}')")
    before = catalog(target)

    done = move(demo, "--yes", target=target)

    assert done.code == 0, done.err
    assert catalog(target) == before
    with pytest.raises(psycopg.errors.RaiseException, match="seen"):
        execute(
            target,
            'INSERT INTO leads_lead SELECT (jsonb_populate_record(l, \'{"id": 99999, "public_id": "x"}\')).*'
            " FROM leads_lead l LIMIT 1",
        )


def test_the_next_row_gets_a_key_that_is_free(demo: Path, target: str) -> None:
    move(demo, "--yes", target=target)

    for table, sequence in query(
        target,
        "SELECT table_name, pg_get_serial_sequence(table_name, 'id') FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'id' AND is_identity = 'YES'",
    ):
        ((free,),) = query(target, f"SELECT nextval('{sequence}') > COALESCE(max(id), 0) FROM \"{table}\"")
        assert free, table


def test_the_move_is_on_record(demo: Path, target: str) -> None:
    done = move(demo, "--yes", "--json", target=target)

    ((metadata,),) = query(target, "SELECT metadata FROM analytics_auditlog WHERE event_type = 'SQLITE_IMPORT'")
    assert metadata["layout"] == "Forecourt"
    assert metadata["source"]["inventory_part"]["moved"] == 24
    assert metadata["checksums"] == {proof["table"]: proof["checksum_found"] for proof in done.json["proofs"]}


def test_what_staff_took_from_a_role_is_not_given_back(empty: Path, target: str) -> None:
    of_admins = "FROM auth_group_permissions WHERE group_id = (SELECT id FROM auth_group WHERE name = 'ADMIN')"
    with editing(empty) as source:
        source.execute(f"DELETE {of_admins}")
        source.execute("INSERT INTO auth_group (name) VALUES ('Weekend shift')")
        source.execute(
            "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT g.id, p.id FROM auth_group g, "
            "auth_permission p WHERE g.name = 'Weekend shift' AND p.codename = 'view_lead'"
        )

    move(empty, "--yes", target=target)

    assert query(target, f"SELECT 1 {of_admins}") == []
    assert query(
        target,
        "SELECT p.codename FROM auth_group g JOIN auth_group_permissions l ON l.group_id = g.id"
        " JOIN auth_permission p ON p.id = l.permission_id WHERE g.name = 'Weekend shift'",
    ) == [("view_lead",)]


def test_permissions_of_another_order_still_lead_to_the_same(demo: Path, target: str) -> None:
    execute(
        target,
        "UPDATE auth_permission SET id = id + 1000, content_type_id = content_type_id + 500;"
        "UPDATE django_content_type SET id = id + 500;"
        "UPDATE auth_group SET id = id + 70;"
        "UPDATE auth_group_permissions SET group_id = group_id + 70, permission_id = permission_id + 1000",
    )

    done = move(demo, "--yes", target=target)

    assert done.code == 0, done.err
    assert all_rows(target) == all_rows(sqlite_url(demo))


def test_a_row_bigger_than_a_megabyte_arrives(demo: Path, target: str) -> None:
    text = "Ääniä ja \\N ja \t" * 200_000
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET description = ? WHERE id = 1", [text])

    done = move(demo, "--yes", target=target)

    assert done.code == 0, done.err
    assert query(target, "SELECT description FROM inventory_part WHERE id = 1") == [(text,)]


def test_a_file_in_wal_mode_with_rows_in_the_log_arrives(demo: Path, target: str) -> None:
    with closing(sqlite3.connect(demo)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE inventory_part SET name = 'in the log' WHERE id = 1")
        writer.commit()

        done = move(demo, "--yes", target=target)

    assert done.code == 0, done.err
    assert query(target, "SELECT name FROM inventory_part WHERE id = 1") == [("in the log",)]


# Rehearsals.


def test_a_rehearsal_writes_nothing(demo: Path, target: str) -> None:
    before, schema = contents(target), catalog(target)

    done = move(demo, "--dry-run", target=target)

    assert done.code == 0, done.err
    assert "This was a rehearsal: nothing was written." in done.out
    assert "can be moved" in done.out
    assert (contents(target), catalog(target)) == (before, schema)


def rehearse(source: Path, *options: str, database: str) -> subprocess.CompletedProcess[str]:
    """Rehearse in a process of its own whose DATABASE_URL is `database`."""
    return manage("sqlite_to_postgres", str(source), "--dry-run", *options, environment=child_environment(database))


def test_a_rehearsal_needs_no_target_unless_it_is_to_compare(demo: Path, tmp_path: Path) -> None:
    own = sqlite_url(tmp_path / "own.sqlite3")

    alone, comparing = rehearse(demo, database=own), rehearse(demo, "--merge", database=own)

    assert alone.returncode == 0, alone.stderr
    assert "Target: not looked at" in alone.stdout
    assert (comparing.returncode, "name it with --target or DATABASE_URL" in comparing.stderr) == (1, True)


def test_a_rehearsal_looks_at_the_database_that_the_move_would_fill(demo: Path, unmigrated: str) -> None:
    done = rehearse(demo, database=unmigrated)

    assert (done.returncode, "manage.py migrate" in done.stderr) == (1, True), done.stderr


def test_a_rehearsal_finds_what_the_move_finds(demo: Path, target: str) -> None:
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET price = 'R 12' WHERE id = 2")

    rehearsal, real = move(demo, "--dry-run", target=target), move(demo, "--yes", target=target)

    assert rehearsal.code == real.code == 1
    assert rehearsal.err == real.err != ""


# What the target must be.


def test_a_target_with_rows_is_refused_with_what_is_there(demo: Path, target: str) -> None:
    move(demo, "--yes", target=target)
    before = contents(target)

    done = move(demo, "--yes", target=target)

    assert done.code == 1
    assert "is not empty: accounts_user 19, accounts_seller 8," in done.err
    assert "--merge" in done.err
    assert contents(target) == before


def test_a_target_without_migrations_is_refused(empty: Path, unmigrated: str) -> None:
    done = move(empty, "--yes", target=unmigrated)

    assert done.code == 1
    assert "migrations, the first is" in done.err
    assert "run `manage.py migrate`" in done.err
    assert contents(unmigrated) == {}


def test_a_target_of_a_newer_version_is_refused(empty: Path, target: str) -> None:
    execute(target, "INSERT INTO django_migrations (app, name, applied) VALUES ('leads', '0099_later', now())")

    done = move(empty, "--yes", target=target)

    assert (done.code, "does not know, such as leads.0099_later" in done.err) == (1, True)


def test_a_target_whose_tables_belong_to_somebody_else_is_refused(empty: Path, target: str) -> None:
    role = f"reader_{os.getpid()}"
    execute(target, f"CREATE ROLE {role} LOGIN; GRANT pg_read_all_data TO {role}")
    try:
        done = move(empty, "--yes", target=target.replace("//forecourt", f"//{role}"))
    finally:
        execute(target, f"DROP ROLE {role}")

    assert (done.code, "belongs to forecourt; connect as that user" in done.err) == (1, True)


def test_a_target_that_is_no_postgresql_is_wrong_usage(empty: Path, tmp_path: Path) -> None:
    done = move(empty, "--yes", target=f"sqlite:///{tmp_path / 'other.sqlite3'}")

    assert done.code == 2
    assert "rows are moved into PostgreSQL: write --target postgresql://" in done.err
    assert not (tmp_path / "other.sqlite3").exists()


def test_a_target_that_does_not_answer_is_refused_without_its_password(empty: Path) -> None:
    done = move(empty, "--yes", target="postgresql://me:verysecret@127.0.0.1:1/nowhere?connect_timeout=2")

    assert done.code == 1
    assert "PostgreSQL database nowhere on 127.0.0.1:1 cannot be reached" in done.err
    assert "verysecret" not in done.out + done.err


def test_a_target_that_is_in_use_is_refused_after_a_while(empty: Path, target: str, settings: Settings) -> None:
    settings.MIGRATION_LOCK_TIMEOUT = 200
    with psycopg.connect(target) as other:
        other.execute("LOCK TABLE leads_lead IN ACCESS SHARE MODE")
        other.execute("LOCK TABLE leads_lead IN ROW EXCLUSIVE MODE")

        done = move(empty, "--yes", target=target)

    assert (done.code, "is in use" in done.err) == (1, True)


def test_rows_that_come_in_between_looking_and_moving_are_noticed(demo: Path, target: str) -> None:
    with planned(Order(demo, target)) as plan:
        execute(
            target,
            "INSERT INTO accounts_language (code, name, direction, is_default, is_active, created_at, updated_at)"
            " VALUES ('fi', 'Finnish', 'ltr', false, true, now(), now())",
        )
        with pytest.raises(Refused, match="is not empty: accounts_language 1"):
            carry_out(plan, now=timezone.now(), watcher=Watch())


# When something fails half-way.


@pytest.mark.parametrize("phase", ["rows", "indexes and rules", "comparing", "proof"])
def test_a_server_that_goes_away_leaves_the_target_as_it_was(demo: Path, target: str, phase: str) -> None:
    before, schema = contents(target), catalog(target)

    def end_sessions() -> None:
        database = target.rpartition("/")[2]
        execute(
            target.rpartition("/")[0] + "/postgres",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'",
        )

    with planned(Order(demo, target)) as plan, pytest.raises(Refused, match="Nothing was moved"):
        carry_out(plan, now=timezone.now(), watcher=Watch(phase, end_sessions))

    assert (contents(target), catalog(target)) == (before, schema)


def test_content_that_the_target_changes_fails_the_proof(demo: Path, target: str) -> None:
    execute(target, "ALTER TABLE inventory_part ALTER COLUMN name TYPE char(300)")
    before, schema = contents(target), catalog(target)

    done = move(demo, "--yes", target=target)

    assert done.code == 1
    assert "inventory_part does not hold what was sent: 24 rows with the checksum" in done.err
    assert "Every row is accounted for" not in done.out
    assert (contents(target), catalog(target)) == (before, schema)


def test_rows_that_the_target_drops_fail_the_proof(demo: Path, target: str) -> None:
    execute(
        target,
        "ALTER TABLE inventory_partimage ADD CHECK (url <> ''), ADD note text GENERATED ALWAYS AS (url) STORED;"
        "CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER drop_row BEFORE INSERT ON django_admin_log FOR EACH ROW EXECUTE FUNCTION drop_row()",
    )
    with editing(demo) as source:
        source.execute(
            "INSERT INTO django_admin_log (action_time, object_repr, action_flag, change_message, user_id)"
            " VALUES ('2026-03-02 12:00:00', 'a part', 1, '', 1)"
        )

    done = move(demo, "--yes", target=target)

    assert done.code == 1
    assert "django_admin_log does not hold what was sent: 0 rows" in done.err


def test_a_rule_that_only_the_target_has_is_told_with_the_row(demo: Path, target: str) -> None:
    execute(target, "ALTER TABLE inventory_part ADD CONSTRAINT named_well CHECK (name <> 'Gearbox of mine')")
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET name = 'Gearbox of mine' WHERE id = 3")
    before = contents(target)

    done = move(demo, "--yes", target=target)

    assert done.code == 1
    assert "named_well" in done.err
    assert "Nothing was moved." in done.err
    assert contents(target) == before


def test_a_report_that_cannot_be_written_whole_takes_the_move_back(demo: Path, target: str, tmp_path: Path) -> None:
    with editing(demo) as source:
        source.execute("UPDATE analytics_event SET part_id = 999999")
    before = contents(target)
    command = [*MANAGE, "sqlite_to_postgres", str(demo), "--target", target, "--yes", "--report", "full.json"]

    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=child_environment(sqlite_url(tmp_path / "unused.sqlite3")),
        capture_output=True,
        text=True,
        check=False,
        # As a disk does that has room for some of it.
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )

    assert done.returncode == 1
    assert "The report full.json cannot be written" in done.stderr
    assert contents(target) == before
    assert list(tmp_path.glob("*full*")) == []


def test_a_report_in_a_folder_that_is_not_there_is_refused_at_once(demo: Path, target: str, tmp_path: Path) -> None:
    done = move(demo, "--yes", "--report", str(tmp_path / "missing" / "report.json"), target=target)

    assert (done.code, "cannot be written: No such file or directory" in done.err) == (1, True)


@pytest.mark.parametrize("names", [("demo.sqlite3", "copy.db"), ("copy.db", "copy.db"), ("copy.db-wal", "copy.db")])
def test_a_report_that_would_overwrite_a_database_is_wrong_usage(demo: Path, names: tuple[str, str]) -> None:
    report, copy = (demo.with_name(name) for name in names)
    before = demo.read_bytes()

    done = move(demo, "--dry-run", "--report", str(report), "--migrated-copy", str(copy))

    assert (done.code, "would overwrite" in done.err, done.out) == (2, True, "")
    assert demo.read_bytes() == before
    assert [file.name for file in demo.parent.iterdir()] == [demo.name]


def test_a_rehearsal_takes_the_place_of_the_report_of_the_one_before(demo: Path, target: str, tmp_path: Path) -> None:
    for _ in range(2):
        done = move(demo, "--dry-run", "--report", str(tmp_path / "report.json"), target=target)
        assert done.code == 0, done.err


# When nobody hears what came of it.


def shell(command: str, demo: Path, target: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the shell in which $MOVE is the command."""
    words = [*MANAGE, "sqlite_to_postgres", str(demo), "--target", target, "--yes"]
    return subprocess.run(
        ["/bin/bash", "-c", command.replace("$MOVE", shlex.join(words))],
        env=child_environment(sqlite_url(demo.with_name("unused.sqlite3"))),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("lost", [">/dev/full", ">&-", "> >(exec true)"])
def test_a_move_whose_result_cannot_be_printed_is_done_and_says_so(demo: Path, target: str, lost: str) -> None:
    done = shell(f"$MOVE --json {lost}", demo, target)

    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("The move is done, but what came of it could not be told. The output ")
    assert done.stderr.count("\n") == 1
    assert query(target, "SELECT count(*) FROM inventory_part") == [(24,)]


def test_the_exit_code_tells_that_a_move_is_done_even_when_no_line_can(demo: Path, target: str) -> None:
    done = shell("$MOVE --json >/dev/full 2>&1", demo, target)

    assert (done.returncode, done.stderr) == (3, "")
    assert query(target, "SELECT count(*) FROM inventory_part") == [(24,)]


def test_a_move_that_cannot_say_what_it_does_has_not_happened(demo: Path, target: str) -> None:
    before = contents(target)

    done = shell("$MOVE >/dev/full", demo, target)

    assert done.returncode == 1
    assert done.stderr == "CommandError: The output cannot be written: No space left on device. Nothing was moved.\n"
    assert contents(target) == before


def test_a_move_whose_report_cannot_get_its_name_is_done_and_says_so(demo: Path, target: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with planned(Order(demo, target, report=report)) as plan, pytest.raises(ReportLost, match="Is a directory"):
        carry_out(plan, now=timezone.now(), watcher=Watch("proof", report.mkdir))

    assert query(target, "SELECT count(*) FROM inventory_part") == [(24,)]


# Asking.


def test_without_a_terminal_nothing_is_moved_unless_it_is_wished(demo: Path, target: str) -> None:
    before = contents(target)

    done = move(demo, target=target)

    assert done.code == 1
    assert "Nobody is there to ask: write --yes" in done.err
    assert contents(target) == before


def test_json_asks_nothing(demo: Path, target: str) -> None:
    done = move(demo, "--json", target=target)

    assert (done.code, done.err) == (2, "--json asks nothing: write --yes as well.")


def test_the_file_may_come_from_the_environment(demo: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLITE_URL", f"file:{demo}")
    monkeypatch.setenv("POSTGRES_URL", target)

    done = move(Path(), "--yes")

    assert done.code == 1
    assert "is a folder" in done.err


def test_the_target_is_shown_without_its_password(demo: Path, target: str) -> None:
    done = move(demo, "--yes", target=target.replace("//forecourt", "//forecourt:verysecret"))

    assert done.code == 0, done.err
    assert "Target: PostgreSQL database transfer_" in done.out
    assert "verysecret" not in done.out + done.err


# Older versions.


@pytest.fixture
def older(demo: Path) -> Path:
    """A file from before the roles came."""
    back = manage("migrate", "accounts", "0001", "--verbosity", "0", environment=child_environment(sqlite_url(demo)))
    assert back.returncode == 0, back.stderr
    return demo


def test_an_older_file_is_told_to_migrate_first_on_a_copy(older: Path, target: str) -> None:
    done = move(older, "--yes", target=target)

    assert done.code == 1
    assert "of an older version" in done.err
    assert "--migrated-copy FILE makes one" in done.err


def test_an_older_file_moves_by_way_of_a_migrated_copy(older: Path, target: str, tmp_path: Path) -> None:
    before = older.read_bytes()

    done = move(older, "--yes", "--migrated-copy", str(tmp_path / "copy.sqlite3"), target=target)

    assert done.code == 0, done.err
    assert older.read_bytes() == before
    assert all_rows(target) == all_rows(sqlite_url(tmp_path / "copy.sqlite3"))
    assert query(target, "SELECT count(*) FROM inventory_part") == [(24,)]


def test_a_migrated_copy_does_not_replace_another_file(older: Path, target: str, tmp_path: Path) -> None:
    (tmp_path / "copy.sqlite3").write_text("something else")

    done = move(older, "--yes", "--migrated-copy", str(tmp_path / "copy.sqlite3"), target=target)

    assert (done.code, "exists already" in done.err) == (1, True)
    assert (tmp_path / "copy.sqlite3").read_text() == "something else"


def test_a_file_of_a_newer_version_is_refused(empty: Path, target: str) -> None:
    with editing(empty) as source:
        source.execute(
            "INSERT INTO django_migrations (app, name, applied) VALUES ('leads', '0099_later', '2026-01-01')"
        )

    done = move(empty, "--yes", target=target)

    assert (done.code, "does not know, such as leads.0099_later" in done.err) == (1, True)


def test_a_file_that_lacks_a_column_is_refused(empty: Path, target: str) -> None:
    with editing(empty) as source:
        source.execute("ALTER TABLE leads_leadnote RENAME COLUMN author_label TO author_name")

    done = move(empty, "--yes", target=target)

    assert (done.code, "the column author_label of leads_leadnote is missing" in done.err) == (1, True)


def test_tables_of_others_are_named_and_stay(demo: Path, target: str) -> None:
    with editing(demo) as source:
        source.execute("CREATE TABLE recipes (name TEXT)")
        source.execute("INSERT INTO recipes VALUES ('soup')")

    done = move(demo, "--yes", "--json", target=target)

    assert done.json["elsewhere"] == {"recipes": 1}


# Bad rows.


def test_every_bad_row_is_listed_and_nothing_changes(demo: Path, target: str, tmp_path: Path) -> None:
    with editing(demo) as source:
        source.execute("UPDATE inventory_part SET price = 'R 12' WHERE id = 2")
        source.execute("UPDATE inventory_vehicle SET year = 'unknown' WHERE id = 5")
        source.execute(
            "UPDATE analytics_event SET occurred_at = 'yesterday' WHERE id = (SELECT max(id) FROM analytics_event)"
        )
    before, schema = contents(target), catalog(target)

    done = move(demo, "--yes", "--report", str(tmp_path / "report.json"), target=target)

    assert done.code == 1
    report = json.loads((tmp_path / "report.json").read_text())
    own = [entry for entry in report["findings"] if entry["outcome"] == "bad" and "because_of" not in entry]
    assert [(entry["table"], entry["column"], entry["value"]) for entry in own] == [
        ("inventory_vehicle", "year", "unknown"),
        ("inventory_part", "price", "R 12"),
        ("analytics_event", "occurred_at", "yesterday"),
    ]
    for entry in own:
        assert f"bad: {entry['table']} {entry['id']} {entry['column']}: " in done.err
    assert "Nothing was moved, because of the bad rows above" in done.out
    assert (contents(target), catalog(target)) == (before, schema)


def test_quarantine_moves_the_rest_and_says_what_hangs_on_what(demo: Path, target: str, tmp_path: Path) -> None:
    with editing(demo) as source:
        source.execute("UPDATE inventory_vehicle SET year = 'unknown' WHERE id = 1")
        (vehicle,) = source.execute("SELECT public_id FROM inventory_vehicle WHERE id = 1").fetchone()
        parts = source.execute("SELECT count(*) FROM inventory_part WHERE vehicle_id = 1").fetchone()[0]
        events = source.execute(
            "SELECT count(*) FROM analytics_event WHERE part_id IN (SELECT id FROM inventory_part WHERE vehicle_id = 1)"
        ).fetchone()[0]
    assert parts
    assert events

    done = move(demo, "--yes", "--on-error", "quarantine", "--report", str(tmp_path / "left.json"), target=target)

    assert done.code == 3, done.err
    report = json.loads((tmp_path / "left.json").read_text())
    hanging = [entry for entry in report["findings"] if entry.get("because_of")]
    assert {entry["because_of"] for entry in hanging if entry["table"] == "inventory_part"} == {"inventory_vehicle 1"}
    tables = {table["table"]: table for table in report["summary"]["tables"]}
    assert (tables["inventory_vehicle"]["bad"], tables["inventory_part"]["hanging"]) == (1, parts)
    assert tables["analytics_event"]["noted"] == events
    assert query(target, "SELECT count(*) FROM inventory_vehicle WHERE public_id = %s", vehicle) == [(0,)]
    assert query(target, "SELECT count(*) FROM inventory_part") == [(24 - parts,)]
    assert "hang on bad" in done.out


def test_quarantine_always_leaves_a_report(
    demo: Path, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = move(demo, "--yes", "--on-error", "quarantine", "--json", target=target)

    (report,) = tmp_path.glob("sqlite_to_postgres-*.json")
    assert done.code == 0
    assert done.json["report"] == report.name
    assert report.stat().st_mode & 0o777 == 0o600
    assert json.loads(report.read_text())["summary"]["committed"]
