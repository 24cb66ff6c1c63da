"""`migrate --backup`: nothing is applied before the database is backed up."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config.ops.backup.encryption import Keys
from tests import commands
from tests.builders import make_car
from tests.ops.backup.shops import Shop, content_of, manifest_of

PASSPHRASE = "correct horse battery staple"


@pytest.mark.django_db(transaction=True)
def test_the_whole_database_is_backed_up_before_anything_is_applied(tmp_path: Path) -> None:
    make_car(vin="TMBZZZ1Z8JA123456")
    out = StringIO()

    call_command("migrate", "--backup", str(tmp_path / "copies"), "--verbosity", "0", stdout=out)

    (backup,) = (path for path in (tmp_path / "copies").glob("*/*/*/*") if path.suffix != ".json")
    assert out.getvalue() == f"Backed up the database to {backup}\n"
    assert "TMBZZZ1Z8JA123456" in content_of(backup)
    assert manifest_of(backup).retention_days is None


@pytest.mark.django_db(transaction=True)
def test_nothing_is_applied_when_no_backup_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    before = MigrationRecorder(connection).applied_migrations()

    with pytest.raises(CommandError, match="Backups cannot be written to"):
        call_command("migrate", "analytics", "zero", "--backup", str(tmp_path / "file"), "--verbosity", "0")

    assert MigrationRecorder(connection).applied_migrations() == before


@pytest.mark.django_db
def test_an_empty_database_is_backed_up_and_migrated_and_the_passphrase_counts(shop: Shop, tmp_path: Path) -> None:
    for table in ("lead", "car", "django_migrations"):
        shop.execute(f"DROP TABLE {table}")
    shop.connection.close()
    variables = shop.variables(BACKUP_ENCRYPTION_KEY=PASSPHRASE)

    done = commands.manage("migrate", "--backup", str(tmp_path / "copies"), environment=variables)

    assert done.returncode == 0, done.stderr
    assert "Applying accounts.0001_initial... OK" in done.stdout
    (backup,) = (tmp_path / "copies").glob("*/*/*/*.age")
    assert "CREATE TABLE" not in content_of(backup, Keys(passphrase=PASSPHRASE))
