"""A second copy elsewhere: S3-compatible storage, served by a real server, and folders."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.db.errors import Refused
from config.ops.backup.draft import Wanted
from config.ops.backup.manifest import check_backup, manifest_path, read_manifest
from config.ops.backup.upload import check_destination
from tests.ops.backup.conftest import MakeShop
from tests.ops.backup.shops import Shop, content_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@dataclass(frozen=True)
class Storage:
    """An S3 server whose buckets are folders below `folder`."""

    folder: Path
    endpoint: str
    key: str = "key-of-the-test"
    secret: str = "secret-of-the-test"

    @property
    def variables(self) -> dict[str, str]:
        return {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    program = shutil.which("rclone", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program, "rclone comes with the packages for developers: run make install."
    folder = tmp_path_factory.mktemp("buckets")
    (folder / "bucket").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = Storage(folder, f"http://127.0.0.1:{port}")
    command = [program, "serve", "s3", "--config", os.devnull, "--addr", f"127.0.0.1:{port}"]
    command += ["--auth-key", f"{served.key},{served.secret}", "--vfs-cache-mode", "writes", "--vfs-write-back", "0"]
    process = subprocess.Popen([*command, "--cache-dir", str(tmp_path_factory.mktemp("cache")), str(folder)])
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield served
    finally:
        process.terminate()
        process.wait()


def the_copy(shop: Shop, folder: Path) -> Path:
    """Return where the only backup was copied to below `folder`."""
    (backup,) = shop.backups()
    return folder / backup.relative_to(shop.folder)


@pytest.mark.parametrize("rows", [50, 40_000], ids=["small", "in several parts"])
def test_a_copy_in_s3_storage_is_complete(make_shop: MakeShop, storage: Storage, rows: int) -> None:
    shop = make_shop(rows)

    done = shop.manage("--no-compress", "--upload", f"s3://bucket/of/{rows}", **storage.variables)

    assert done.returncode == 0, done.stderr
    assert f"Copied to s3://bucket/of/{rows}" in done.stdout
    copy = the_copy(shop, storage.folder / "bucket" / "of" / str(rows))
    check_backup(read_manifest(manifest_path(copy)), copy)
    assert content_of(copy).count("VIN0") == rows
    (manifest,) = shop.manifests()
    assert [(upload.to, upload.error) for upload in manifest.uploads] == [(f"s3://bucket/of/{rows}", "")]


def test_the_endpoint_may_stand_in_the_address(shop: Shop, storage: Storage) -> None:
    variables = {name: value for name, value in storage.variables.items() if name != "AWS_ENDPOINT_URL_S3"}

    done = shop.manage("--upload", f"s3://bucket?endpoint_url={storage.endpoint}&region_name=us-east-1", **variables)

    assert done.returncode == 0, done.stderr
    assert the_copy(shop, storage.folder / "bucket").exists()


@pytest.mark.postgres_only
def test_a_folder_of_files_is_copied_as_one(shop: Shop, storage: Storage, tmp_path: Path) -> None:
    backup = shop.run(wanted=Wanted(jobs=1), upload_to=str(tmp_path / "disk")).backup

    copy = tmp_path / "disk" / backup.relative_to(shop.folder)
    check_backup(read_manifest(manifest_path(copy)), copy)

    done = shop.manage("--jobs", "1", "--upload", "s3://bucket/folders", **storage.variables)
    assert done.returncode == 0, done.stderr
    copies = list((storage.folder / "bucket" / "folders").rglob("*.dir"))
    check_backup(read_manifest(manifest_path(copies[0])), copies[0])


def failures(storage: Storage, tmp_path: Path) -> dict[str, tuple[str, dict[str, str]]]:
    (tmp_path / "file").write_text("")
    return {
        "a wrong key": ("s3://bucket", storage.variables | {"AWS_SECRET_ACCESS_KEY": "wrong"}),
        "no such bucket": ("s3://nowhere", storage.variables),
        "nobody there": ("s3://bucket", storage.variables | {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"}),
        "no folder": (str(tmp_path / "file" / "copies"), {}),
    }


@pytest.mark.parametrize("case", ["a wrong key", "no such bucket", "nobody there", "no folder"])
def test_a_copy_that_fails_is_recorded_and_the_backup_stays(
    shop: Shop, storage: Storage, tmp_path: Path, case: str
) -> None:
    url, variables = failures(storage, tmp_path)[case]

    done = shop.manage("--upload", url, **variables, AWS_MAX_ATTEMPTS="1")

    assert done.returncode == 3
    assert "The backup was not copied" in done.stderr
    assert "Traceback" not in done.stderr
    (backup,) = shop.backups()
    (manifest,) = shop.manifests()
    check_backup(manifest, backup)
    assert [upload.to for upload in manifest.uploads] == [url]
    assert manifest.uploads[0].error
    for secret in (storage.secret, "wrong"):
        assert secret not in manifest_path(backup).read_text() + done.stdout + done.stderr


@pytest.mark.parametrize("as_url", [False, True], ids=["path", "URL"])
def test_a_copy_in_a_folder_is_complete(shop: Shop, tmp_path: Path, as_url: bool) -> None:
    folder = tmp_path / "mounted disk"

    done = shop.manage("--upload", folder.as_uri() if as_url else str(folder))

    assert done.returncode == 0, done.stderr
    copy = the_copy(shop, folder)
    check_backup(read_manifest(manifest_path(copy)), copy)
    assert copy.stat().st_mode & 0o777 == manifest_path(copy).stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in copy.parent.iterdir()) == sorted([copy.name, manifest_path(copy).name])


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://key:secret@bucket/folder", "keys do not belong"),
        ("s3://bucket?endpoint_url=https://key:secret@host", "keys do not belong"),
        ("s3:///folder", "write s3://bucket/folder"),
        ("s3://bucket?secret_key=x", "secret_key is not understood"),
        ("ftp://host/folder", "write s3://"),
        ("file://host/folder", "write s3://"),
    ],
)
def test_a_destination_that_cannot_be_is_refused_before_anything_is_dumped(url: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason) as refusal:
        check_destination(url, Path("/backups"))
    assert "secret@" not in str(refusal.value)


@pytest.mark.parametrize("place", ["", "2026", "..", "../link", "../link/copies"])
def test_the_folder_of_backups_is_no_place_elsewhere(shop: Shop, place: str) -> None:
    shop.folder.mkdir()
    (shop.folder.parent / "link").symlink_to(shop.folder)
    folder = shop.folder / place

    for url in (str(folder), folder.as_uri()):
        done = shop.manage("--upload", url)

        assert done.returncode == 2
        assert "the backups themselves lie in" in done.stderr
        assert shop.backups() == []
