"""Uploaded files."""

from __future__ import annotations

import hashlib
import re
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction

from accounts.images import LARGEST_PICTURE, recognise, thumbnail, without_notes
from accounts.models import StoredFile
from config.db.errors import Refused
from config.db.ids import new_ulid

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile
    from django.db.models import QuerySet

    from accounts.images import PictureType
    from accounts.models import User

_FOLDER = re.compile(r"[a-z0-9_-]+(/[A-Za-z0-9_-]+)*")


def store_image(*, upload: UploadedFile[Any], owner: User | None, folder: str) -> StoredFile:
    """Keep an uploaded picture and a thumbnail of it, whose address is in ``metadata["thumbnail"]``.

    Notes of the camera, such as the place, are left out of both.
    Raises PictureRefused for what is no picture, not the one it claims to be, or too large; nothing is kept then.
    """
    if not _FOLDER.fullmatch(folder):
        raise Refused(f"{folder!r} is no folder: use letters, digits, dashes and slashes.")
    file_name, kind = _name_of(upload), recognise_upload(upload)
    content = without_notes(_content_of(upload))
    # Never the client's name: it may clash, climb out of the folder or carry another extension.
    stem = f"{folder}/{new_ulid()}"
    written: list[str] = []
    try:
        key = _write(f"{stem}{kind.extensions[0]}", content, written)
        small_key = _write(f"{stem}-small.webp", thumbnail(content), written)
        with transaction.atomic():
            return StoredFile.objects.create(
                owner=owner,
                file_name=file_name[-255:],
                content_type=kind.content_type,
                size=len(content),
                sha256=hashlib.sha256(content).hexdigest(),
                folder=folder,
                storage_key=key,
                url=default_storage.url(key),
                is_public=True,
                metadata={"thumbnail": default_storage.url(small_key), "thumbnail_key": small_key},
            )
    except Exception:
        for name in written:
            default_storage.delete(name)
        raise


@transaction.atomic
def remove_files(files: QuerySet[StoredFile]) -> int:
    """Remove files and return their number; the bytes go once the transaction is committed, thumbnails included."""
    kept_here = files.filter(provider="").values_list("storage_key", "metadata__thumbnail_key")
    keys = [key for pair in kept_here for key in pair if key]
    number = files.delete()[0]
    for key in keys:
        # A file that cannot be removed is logged, and keeps no other one.
        transaction.on_commit(partial(default_storage.delete, key), robust=True)
    return number


def recognise_upload(upload: UploadedFile[Any]) -> PictureType:
    """Return what kind of picture was uploaded. Raises PictureRefused for what `store_image` would refuse."""
    return recognise(_content_of(upload), file_name=_name_of(upload), claimed_type=upload.content_type or "")


def _content_of(upload: UploadedFile[Any]) -> bytes:
    upload.seek(0)
    content: bytes = upload.read(LARGEST_PICTURE + 1)
    return content


def _name_of(upload: UploadedFile[Any]) -> str:
    return PurePath(upload.name or "").name


def _write(name: str, content: bytes, written: list[str]) -> str:
    key = default_storage.save(name, ContentFile(content))
    written.append(key)
    return key
