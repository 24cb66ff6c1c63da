"""Copying a finished backup elsewhere: to a folder, such as a mounted disk, or to S3-compatible storage."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.files import File
from django.core.files.storage import InvalidStorageError, storages

from config.db.errors import Refused
from config.ops.backup.folders import discard
from config.ops.backup.manifest import check_backup, flush_folder, manifest_path

if TYPE_CHECKING:
    from config.ops.backup.manifest import Manifest

S3 = "storages.backends.s3.S3Storage"
S3_OPTIONS = ("endpoint_url", "region_name", "addressing_style")
PART_SIZE = 8 << 20  # bytes; larger by itself where that would make more than 10,000 parts


def check_destination(url: str, root: Path) -> None:
    """Raise Refused for a destination that cannot be one beside the backups in `root`, before anything is dumped."""
    parts = urlsplit(url)
    if parts.scheme == "s3":
        endpoint = urlsplit(dict(parse_qsl(parts.query)).get("endpoint_url", ""))
        if parts.username or parts.password or endpoint.username or endpoint.password:
            raise Refused(
                "--upload: keys do not belong into the address, which others can see; "
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        if not parts.hostname:
            raise Refused(f"--upload {url}: write s3://bucket/folder.")
        if unknown := [name for name, _ in parse_qsl(parts.query) if name not in S3_OPTIONS]:
            raise Refused(f"--upload: {', '.join(unknown)} is not understood; options are {', '.join(S3_OPTIONS)}.")
    elif parts.scheme and (parts.scheme != "file" or parts.netloc):
        raise Refused(f"--upload {parts.scheme}://...: write s3://bucket/folder, file:///folder or a folder's path.")
    else:
        _refuse_same_place(_folder(url).resolve(), root.resolve())


def _refuse_same_place(target: Path, root: Path) -> None:
    if target.is_relative_to(root) or root.is_relative_to(target):
        raise Refused(
            f"--upload {target}: the backups themselves lie in {root}, and both would be lost together; name a folder "
            "that is neither in it nor around it, on another disk."
        )


def upload(backup: Path, manifest: Manifest, root: Path, url: str) -> None:
    """Copy a backup and then its manifest to `url`, under the path that it has below `root`.

    Raises Refused with a sentence when it does not arrive.
    """
    relative = backup.relative_to(root)
    try:
        if urlsplit(url).scheme == "s3":
            _to_s3(backup, manifest, relative, url)
        else:
            _to_folder(backup, manifest, _folder(url) / relative)
    except OSError as error:
        raise Refused(f"{error.strerror or error}") from error


def _folder(url: str) -> Path:
    return Path(unquote(urlsplit(url).path) if url.startswith("file:") else url)


def _to_folder(backup: Path, manifest: Manifest, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    discard(unfinished)
    try:
        if backup.is_dir():
            shutil.copytree(backup, unfinished)
        else:
            shutil.copyfile(backup, unfinished)
            unfinished.chmod(0o600)
        for path in [unfinished, *unfinished.rglob("*")]:
            _flush(path)
        check_backup(manifest, unfinished)
        unfinished.rename(target)
    finally:
        discard(unfinished)
    shutil.copyfile(manifest_path(backup), unfinished)
    unfinished.chmod(0o600)
    _flush(unfinished)
    unfinished.rename(manifest_path(target))
    flush_folder(target.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _to_s3(backup: Path, manifest: Manifest, relative: Path, url: str) -> None:
    storage = _s3_storage(url)
    pairs = [(backup / entry.path, relative / entry.path) for entry in manifest.files] or [(backup, relative)]
    # The manifest last: where it is, everything else is as well.
    pairs.append((manifest_path(backup), manifest_path(relative)))
    for local, remote in pairs:
        try:
            with local.open("rb") as file:
                name = storage.save(remote.as_posix(), File(file))
            size = storage.size(name)
        except Exception as error:
            raise Refused(str(error)) from error
        if size != local.stat().st_size:
            raise Refused(f"{name} arrived with {size:,} bytes.")


def _s3_storage(url: str) -> Any:
    try:
        from boto3.s3.transfer import TransferConfig
    except ImportError as error:
        raise Refused("the storage's library is not installed: uv sync --extra s3, or pip install .[s3]") from error
    parts = urlsplit(url)
    options = {
        "bucket_name": parts.hostname,
        "location": unquote(parts.path).strip("/"),
        "file_overwrite": True,
        "default_acl": None,
        # One part at a time: ten, the library's own choice, are 80 MB of memory.
        "transfer_config": TransferConfig(multipart_chunksize=PART_SIZE, max_concurrency=1, use_threads=False),
        **dict(parse_qsl(parts.query)),
    }
    try:
        return storages.create_storage({"BACKEND": S3, "OPTIONS": options})
    except InvalidStorageError as error:
        raise Refused("the storage's library is not installed: uv sync --extra s3, or pip install .[s3]") from error
