"""Archives: rows go only once a checked file has them, and come back with their keys."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from accounts.models import Integration, Seller
from accounts.services import delete_user
from analytics.models import AuditLog
from analytics.settings import set_setting
from config.database_url import url_of
from config.db.errors import Refused
from config.ops.backup.compression import zstd
from config.ops.backup.manifest import Damaged
from config.ops.maintenance.archives import archive_root, read_archive
from config.ops.maintenance.archiving import archive_and_act
from config.ops.maintenance.steps import STEPS
from inventory.models import Part, PartImage, Vehicle
from leads.models import Lead
from tests.builders import make_category, make_lead, make_part, make_seller, make_user, make_vehicle
from tests.commands import MANAGE
from tests.ops.maintenance.running import rows_of, run

POLICIES = {step.name: step.policy for step in STEPS if step.policy}
COMMAND = [*MANAGE, "maintain", "--only", "audit"]
ROWS = 5000
LONG_AGO = timedelta(days=4000)

pytestmark = pytest.mark.django_db


def ago(span: timedelta = LONG_AGO) -> Any:
    return timezone.now() - span


def entries(count: int, **fields: Any) -> None:
    defaults = {"action": "other", "created_at": ago(), "description": "Ä “quoted”\nline", "metadata": {"a": [1, None]}}
    AuditLog.objects.bulk_create(AuditLog(**defaults | fields) for _ in range(count))


def audit_rows() -> list[dict[str, Any]]:
    """The old entries; a run writes new ones."""
    old: Any = AuditLog.objects.filter(created_at__lt=ago(timedelta(days=90)))
    return list(old.order_by("pk").values())


def everything(model: Any) -> list[dict[str, Any]]:
    return list(model._base_manager.order_by("pk").values())


def folders(root: Path) -> list[Path]:
    return sorted(path.parent for path in root.rglob("manifest.json"))


def lines(folder: Path, table: str) -> list[dict[str, Any]]:
    with zstd.open(folder / f"{table}.jsonl.zst", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class TestWriting:
    def test_a_file_of_lines_per_table_and_a_manifest_that_says_what_it_is(self, archive_folder: Path) -> None:
        entries(3)
        before = audit_rows()
        assert rows_of("audit") == 3
        (folder,) = folders(archive_folder)
        manifest = json.loads((folder / "manifest.json").read_text())
        (table,) = manifest["tables"]
        assert (manifest["step"], manifest["action"], manifest["state"]) == ("audit", "delete", "done")
        assert (table["table"], table["rows"], manifest["acted_on"]) == ("analytics_auditlog", 3, 3)
        assert manifest["migrations"]["analytics"] == "0001_initial"
        assert manifest["oldest"] <= manifest["newest"] == max(row["created_at"] for row in before).isoformat()
        found = lines(folder, "analytics_auditlog")
        assert [row["id"] for row in found] == [row["id"] for row in before]
        assert found[0]["description"] == "Ä “quoted”\nline"
        assert found[0]["created_at"] == before[0]["created_at"].isoformat()

    def test_only_the_owner_may_read_it(self, archive_folder: Path) -> None:
        entries(1)
        rows_of("audit")
        (folder,) = folders(archive_folder)
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
        assert folder.stat().st_mode & 0o077 == 0

    def test_nothing_due_writes_nothing(self, archive_folder: Path) -> None:
        assert rows_of("audit") == 0
        assert not archive_folder.exists()

    def test_what_hangs_on_the_rows_goes_along(self, archive_folder: Path) -> None:
        part = make_part(status="SOLD", sold_at=ago(), price=Decimal("12.30"))
        image = PartImage.objects.create(part=part, url="https://example.org/a.jpg")
        name = Integration.objects.create(service="search", external_id="7", target=part)
        PartImage.objects.create(part=make_part(), url="https://example.org/b.jpg")
        rows_of("parts")
        (folder,) = folders(archive_folder)
        (line,) = lines(folder, "inventory_part")
        assert (line["id"], line["price"]) == (part.pk, "12.30")
        assert [(row["_of"], row["id"]) for row in lines(folder, "inventory_partimage")] == [(part.pk, image.pk)]
        assert [(row["_of"], row["id"]) for row in lines(folder, "accounts_integration")] == [(part.pk, name.pk)]

    def test_no_password_is_archived(self, archive_folder: Path) -> None:
        user = make_user(email="ann@example.org", password="Correct-horse-7")
        delete_user(user=user, now=ago())
        rows_of("users")
        (folder,) = folders(archive_folder)
        (line,) = lines(folder, "accounts_user")
        assert "password" not in line
        assert line["email_before_delete"] == "ann@example.org"

    def test_two_databases_do_not_share_a_folder(self, archive_folder: Path) -> None:
        entries(1)
        rows_of("audit")
        (folder,) = folders(archive_folder)
        assert folder.parent == archive_root(archive_folder, connection)


class TestSafety:
    """What happens between the archive and the deletion."""

    def archive_only(self, step: str) -> Path:
        """Leave behind what a run leaves that is killed before it deletes anything."""
        policy = POLICIES[step]
        assert policy is not None
        root = archive_root(Path(project_settings.ARCHIVE_DIR), connection)

        class Killed(BaseException):
            pass

        def killed(*arguments: Any) -> int:
            raise Killed

        with pytest.raises(Killed):
            archive_and_act(
                type(policy)(policy.due, policy.dated, killed, policy.action, policy.along, policy.left_out),
                step=step, root=root, now=timezone.now(),
            )  # fmt: skip
        (folder,) = folders(root)
        assert read_archive(folder).manifest.state == "archived"
        return folder

    def test_the_next_run_goes_on_with_the_same_archive(self, archive_folder: Path) -> None:
        entries(4)
        folder = self.archive_only("audit")
        assert len(audit_rows()) == 4
        entries(2)
        assert rows_of("audit") == 6
        first, second = folders(archive_folder)
        assert first == folder
        assert len(lines(first, "analytics_auditlog")) == 4
        # Nothing is archived twice.
        assert len(lines(second, "analytics_auditlog")) == 2
        assert not audit_rows()
        assert rows_of("audit") == 0

    def test_a_row_that_was_changed_since_stays_and_is_archived_as_it_is(self, archive_folder: Path) -> None:
        changed, same = (make_part(status="SOLD", sold_at=ago()) for _ in range(2))
        self.archive_only("parts")
        Part.objects.filter(pk=changed.pk).update(name="Repainted")
        assert rows_of("parts") == 2
        first, second = folders(archive_folder)
        assert {row["id"] for row in lines(first, "inventory_part")} == {changed.pk, same.pk}
        assert [row["name"] for row in lines(second, "inventory_part")] == ["Repainted"]

    def test_a_row_that_got_something_since_stays_until_that_is_archived(self, archive_folder: Path) -> None:
        part = make_part(status="SOLD", sold_at=ago())
        self.archive_only("parts")
        PartImage.objects.create(part=part, url="https://example.org/late.jpg")
        assert rows_of("parts") == 1
        assert lines(folders(archive_folder)[1], "inventory_partimage")[0]["url"] == "https://example.org/late.jpg"

    def test_a_row_that_is_not_due_any_more_stays(self) -> None:
        part = make_part(status="SOLD", sold_at=ago())
        self.archive_only("parts")
        Part.objects.filter(pk=part.pk).update(hold="dispute")
        assert rows_of("parts") == 0
        assert Part.objects.filter(pk=part.pk).exists()

    def test_rows_whose_time_was_prolonged_stay(self) -> None:
        entries(2)
        self.archive_only("audit")
        set_setting("retention.audit_days", 5000)
        assert rows_of("audit") == 0
        assert len(audit_rows()) == 2

    def test_a_vehicle_that_got_a_part_since_stays(self) -> None:
        vehicle = make_vehicle(acquired_at=ago(), created_at=ago())
        self.archive_only("vehicles")
        make_part(vehicle=vehicle)
        assert rows_of("vehicles") == 0
        assert Vehicle.objects.filter(pk=vehicle.pk).exists()

    def test_a_damaged_archive_deletes_nothing_and_is_named(self) -> None:
        entries(3)
        folder = self.archive_only("audit")
        file = folder / "analytics_auditlog.jsonl.zst"
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        done = run("--only", "audit")
        assert done.code == 1
        assert f"move {folder} away" in done.output
        assert len(audit_rows()) == 3

    def test_what_a_killed_run_was_writing_is_removed(self, archive_folder: Path) -> None:
        root = archive_root(archive_folder, connection)
        left = root / ".audit.unfinished"
        left.mkdir(parents=True)
        (left / "analytics_auditlog.jsonl.zst").write_bytes(b"half")
        entries(1)
        assert rows_of("audit") == 1
        assert not left.exists()

    @pytest.mark.postgres_only
    @pytest.mark.django_db(transaction=True)
    def test_a_full_disk_deletes_nothing_and_leaves_no_file(self, archive_folder: Path) -> None:
        AuditLog.objects.bulk_create(
            AuditLog(action="other", created_at=ago(), description=os.urandom(1000).hex()) for _ in range(400)
        )
        done = subprocess.run(
            COMMAND,
            env=child_environment(archive_folder),
            capture_output=True,
            text=True,
            check=False,
            # As a disk does that has room for some of it.
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        )
        assert done.returncode == 1
        assert "File too large" in done.stderr
        assert len(audit_rows()) == 400
        assert not folders(archive_folder)
        assert not list(archive_folder.rglob("*.jsonl.zst"))


class TestBringingBack:
    def test_rows_come_back_as_they_were(self, archive_folder: Path) -> None:
        entries(3, actor=make_user(), ip_address="2001:db8::1", success=False)
        before = audit_rows()
        rows_of("audit")
        (folder,) = folders(archive_folder)
        assert "analytics_auditlog: 3 rows came back, 0 were there" in run("--unarchive", str(folder)).output
        assert audit_rows() == before
        assert "0 rows came back, 3 were there" in run("--unarchive", str(folder)).output

    def test_a_part_comes_back_with_pictures_names_and_the_sale(self, archive_folder: Path) -> None:
        seller = make_seller(total_sales=1)
        part = make_part(status="SOLD", sold_at=ago(), seller=seller, category=make_category(), price=Decimal("12.30"))
        PartImage.objects.create(part=part, url="https://example.org/a.jpg")
        Integration.objects.create(service="search", external_id="7", target=part)
        before = [everything(model) for model in (Part, PartImage, Integration)]
        rows_of("parts")
        assert Seller.objects.get(pk=seller.pk).archived_sales == 1
        (folder,) = folders(archive_folder)
        assert run("--unarchive", str(folder)).code == 0
        assert [everything(model) for model in (Part, PartImage, Integration)] == before
        seller.refresh_from_db()
        assert (seller.total_sales, seller.archived_sales) == (1, 0)

    @pytest.mark.postgres_only
    def test_new_rows_get_new_keys_even_in_a_database_that_has_not_counted_so_far(self, archive_folder: Path) -> None:
        part = make_part(status="SOLD", sold_at=ago())
        rows_of("parts")
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval(pg_get_serial_sequence('inventory_part', 'id'), 1, false)")
        run("--unarchive", str(folders(archive_folder)[0]))
        assert make_part(vehicle=part.vehicle).pk > part.pk

    def test_one_file_brings_one_table(self, archive_folder: Path) -> None:
        part = make_part(status="SOLD", sold_at=ago())
        PartImage.objects.create(part=part, url="https://example.org/a.jpg")
        rows_of("parts")
        (folder,) = folders(archive_folder)
        answer = run("--unarchive", str(folder / "inventory_part.jsonl.zst"), "--json").json()
        assert [(table["table"], table["written"]) for table in answer["tables"]] == [("inventory_part", 1)]
        assert (Part.objects.count(), PartImage.objects.count()) == (1, 0)

    def test_a_preview_writes_nothing(self, archive_folder: Path) -> None:
        entries(2)
        rows_of("audit")
        done = run("--unarchive", str(folders(archive_folder)[0]), "--dry-run")
        assert "2 rows would come back" in done.output
        assert not audit_rows()

    def test_links_that_may_be_empty_are_where_their_row_is_gone(self, archive_folder: Path) -> None:
        user = make_user()
        entries(2, actor=user)
        rows_of("audit")
        user.delete()
        assert "2 links left empty (actor_id)" in run("--unarchive", str(folders(archive_folder)[0])).output
        assert [row["actor_id"] for row in audit_rows()] == [None, None]

    def test_rows_whose_needed_row_is_gone_are_refused_by_name_and_nothing_is_written(
        self, archive_folder: Path
    ) -> None:
        first, second = (make_part(status="SOLD", sold_at=ago()) for _ in range(2))
        rows_of("parts")
        first.vehicle.delete()
        with pytest.raises(CommandError) as refusal:
            run("--unarchive", str(folders(archive_folder)[0]))
        assert f"inventory_part {first.pk} needs inventory_vehicle {first.vehicle_id} (vehicle)" in str(refusal.value)
        assert "nothing was written" in str(refusal.value)
        assert f"inventory_part {second.pk} " not in str(refusal.value)
        assert not Part.objects.exists()

    def test_a_key_that_another_row_took_is_refused(self, archive_folder: Path) -> None:
        part = make_part(status="SOLD", sold_at=ago())
        rows_of("parts")
        make_part(public_id=part.public_id, vehicle=part.vehicle)
        with pytest.raises(CommandError, match="nothing was written"):
            run("--unarchive", str(folders(archive_folder)[0]))
        assert Part.objects.count() == 1

    def test_a_vehicle_comes_back_with_its_deleted_parts(self, archive_folder: Path) -> None:
        vehicle = make_vehicle(acquired_at=ago(), created_at=ago())
        part = make_part(vehicle=vehicle, deleted_at=ago())
        rows_of("vehicles")
        assert run("--unarchive", str(folders(archive_folder)[0])).code == 0
        assert (Vehicle.objects.get().vin, Part.all_objects.get().public_id) == (vehicle.vin, part.public_id)

    def test_what_is_no_archive_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="is no archive"):
            run("--unarchive", str(tmp_path))
        with pytest.raises(CommandError, match="is not there"):
            run("--unarchive", str(tmp_path / "nothing.jsonl.zst"))

    def test_every_changed_byte_is_noticed(self, archive_folder: Path) -> None:
        entries(5)
        rows_of("audit")
        (folder,) = folders(archive_folder)
        for path in sorted(folder.iterdir()):
            whole = path.read_bytes()
            for offset in range(0, len(whole), max(1, len(whole) // 40)):
                changed = bytearray(whole)
                changed[offset] ^= 1
                path.write_bytes(changed)
                with pytest.raises((CommandError, Damaged, Refused, UnicodeDecodeError)):
                    run("--unarchive", str(folder))
            path.write_bytes(whole)
        assert not audit_rows()
        assert run("--unarchive", str(folder)).code == 0

    def test_leads_keep_what_they_were_about_only_as_a_link_that_is_gone(self, archive_folder: Path) -> None:
        lead = make_lead(part=make_part(status="SOLD", sold_at=ago()))
        rows_of("parts")
        run("--unarchive", str(folders(archive_folder)[0]))
        assert Lead.objects.get(pk=lead.pk).part is None


class TestKilled:
    """Real processes, killed at work: a row is in the database or in one archive, and never nowhere."""

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.timeout(300)
    def test_nothing_is_lost_or_doubled(self, archive_folder: Path) -> None:
        entries(ROWS, description="x" * 200)
        before = {row["id"] for row in audit_rows()}
        moments = {
            "writing": lambda: list(archive_folder.rglob("*.jsonl.zst")),
            "archived": lambda: folders(archive_folder),
            "deleting": lambda: len(audit_rows()) < ROWS,
            "deleting more": lambda: len(audit_rows()) < ROWS / 2,
        }
        killed = [self.kill_when(reached, archive_folder) for reached in moments.values()]
        # On busy processors the later runs may be done before their kill arrives.
        assert killed[:2] == [True, True]
        there, archived = {row["id"] for row in audit_rows()}, archived_keys(archive_folder)
        assert len(there) < ROWS / 2
        assert there | set(archived) == before
        subprocess.run(COMMAND, env=child_environment(archive_folder), check=True, stdout=subprocess.DEVNULL)
        assert sorted(archived_keys(archive_folder)) == sorted(before)
        assert not audit_rows()
        assert {read_archive(folder).manifest.state for folder in folders(archive_folder)} == {"done"}

    def kill_when(self, reached: Callable[[], Any], archive_folder: Path) -> bool:
        """Start a run, kill it once it has got so far, and return whether it was still at work."""
        with subprocess.Popen(
            COMMAND, env=child_environment(archive_folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                # Files may be renamed while we look.
                with suppress(FileNotFoundError):
                    if reached():
                        break
            process.kill()
            return process.wait() < 0


def archived_keys(archive_folder: Path) -> list[int]:
    return [row["id"] for folder in folders(archive_folder) for row in lines(folder, "analytics_auditlog")]


def child_environment(archive_folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "LANG", "REDIS_URL") if name in os.environ}
    database = {"DATABASE_URL": url_of(connection.settings_dict)}
    return {**kept, **database, "ENV_FILE": os.devnull, "ARCHIVE_DIR": str(archive_folder)}


def test_archiving_reads_in_pieces_and_not_all_at_once(archive_folder: Path) -> None:
    policy = POLICIES["audit"]
    assert policy is not None
    root = archive_root(archive_folder, connection)
    peaks = []
    for count in (1100, 3300):
        entries(count - len(audit_rows()))
        tracemalloc.start()
        assert archive_and_act(policy, step="audit", root=root, now=timezone.now()) == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Three times the rows; all of them in memory would be three times the peak.
    assert peaks[1] < peaks[0] * 2
