"""Uploaded pictures."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pytest_django import Settings

from accounts.images import PictureRefused
from accounts.models import StoredFile
from accounts.services import store_image
from config.db.errors import Refused
from tests.builders import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 480), mode: str = "RGB", **options: object) -> bytes:
    target = BytesIO()
    Image.new(mode, size, "red").save(target, format=kind, **options)
    return target.getvalue()


def upload(content: bytes, name: str = "a.png", content_type: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type)


def kept(media: Path) -> list[Path]:
    return [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("kind", "name", "content_type"),
    [
        ("PNG", "a.png", "image/png"),
        ("JPEG", "A.JPEG", "image/jpeg"),
        ("WEBP", "a.webp", "image/webp"),
        ("GIF", "a.gif", "image/gif"),
    ],
)
def test_a_picture_is_kept_with_a_thumbnail(kind: str, name: str, content_type: str) -> None:
    content, owner = picture(kind), make_user()
    file = store_image(upload=upload(content, name, content_type), owner=owner, folder="cars")
    assert (file.owner, file.file_name, file.content_type, file.size) == (owner, name, content_type, len(content))
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert default_storage.open(file.storage_key).read() == content
    assert file.url == default_storage.url(file.storage_key)
    with default_storage.open(file.metadata["thumbnail_key"]) as small, Image.open(small) as image:
        assert (image.format, image.size) == ("WEBP", (300, 225))
    assert file.metadata["thumbnail"] == default_storage.url(file.metadata["thumbnail_key"])


def noted(kind: str, **options: Any) -> bytes:
    """Return a picture with a red left and a blue right half, to be turned by 90 degrees, and the place it is from."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    image = Image.new("RGB", (64, 32), "red")
    image.paste("blue", (32, 0, 64, 32))
    target = BytesIO()
    image.save(target, format=kind, exif=exif, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    ("kind", "name", "content_type", "options"),
    [
        ("JPEG", "a.jpg", "image/jpeg", {"quality": 95, "subsampling": 0, "comment": b"at home"}),
        ("PNG", "a.png", "image/png", {}),
        ("WEBP", "a.webp", "image/webp", {"lossless": True, "xmp": b"<at-home/>"}),
    ],
)
def test_a_picture_is_published_upright_and_without_the_cameras_notes(
    kind: str, name: str, content_type: str, options: dict[str, Any]
) -> None:
    content = noted(kind, **options)
    file = store_image(upload=upload(content, name, content_type), owner=None, folder="cars")
    with default_storage.open(file.storage_key) as stored, Image.open(stored) as image:
        assert (image.format, image.size, dict(image.getexif())) == (kind, (32, 64), {})
        assert {"exif", "xmp", "comment"}.isdisjoint(image.info)
        (red, *_), (*_, blue) = (image.convert("RGB").getpixel(place) for place in ((16, 8), (16, 56)))  # type: ignore[misc]
        assert min(red, blue) > 245
        if kind == "JPEG":
            with Image.open(BytesIO(content)) as original:
                assert image.quantization == original.quantization  # type: ignore[attr-defined]
    stored_bytes = default_storage.open(file.storage_key).read()
    assert (file.size, file.sha256) == (len(stored_bytes), hashlib.sha256(stored_bytes).hexdigest())


def test_of_several_pictures_in_a_file_as_telephones_write_them_the_first_is_kept() -> None:
    content = picture("MPO", save_all=True, append_images=[Image.new("RGB", (64, 64), "blue")])
    file = store_image(upload=upload(content, "a.jpg", "image/jpeg"), owner=None, folder="cars")
    with default_storage.open(file.storage_key) as stored, Image.open(stored) as image:
        assert (image.format, image.size) == ("JPEG", (640, 480))


def test_notes_in_a_picture_that_moves_are_refused(media: Path) -> None:
    content = noted("WEBP", save_all=True, append_images=[Image.new("RGB", (64, 32), "green")])
    with pytest.raises(PictureRefused):
        store_image(upload=upload(content, "a.webp", "image/webp"), owner=None, folder="cars")
    assert kept(media) == []


def test_the_thumbnail_is_upright_and_without_the_cameras_notes() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010E] = "at home"
    file = store_image(upload=upload(picture("JPEG", exif=exif), "a.jpg", "image/jpeg"), owner=None, folder="cars")
    with default_storage.open(file.metadata["thumbnail_key"]) as small, Image.open(small) as image:
        assert image.size == (225, 300)
        assert not image.getexif()


@pytest.mark.parametrize(
    ("content", "name", "content_type", "reason"),
    [
        (b"%PDF-1.7", "a.png", "image/png", "not a picture"),
        (b"", "a.png", "image/png", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "image/svg+xml", "not a picture"),
        (picture("BMP"), "a.png", "image/png", "not a picture"),
        (picture("JPEG"), "a.png", "image/png", "says it is image/png, but it is image/jpeg"),
        (picture("PNG"), "a.jpg", "image/png", "name ends in .jpg"),
        (picture("PNG"), "a.php", "image/png", "name ends in .php"),
        (picture("PNG")[:200], "a.png", "image/png", "damaged"),
        (picture("PNG", (10_000, 5001), "1"), "a.png", "image/png", "10000 by 5001 pixels"),
        (picture("PNG") + b"\0" * 10 * 1024 * 1024, "a.png", "image/png", "larger than 10 MB"),
    ],
    ids=["pdf", "empty", "svg", "bmp", "other type", "other name", "script", "cut off", "bomb", "large"],
)
def test_anything_else_is_refused_and_nothing_is_kept(
    content: bytes, name: str, content_type: str, reason: str, media: Path
) -> None:
    with pytest.raises(PictureRefused, match=reason):
        store_image(upload=upload(content, name, content_type), owner=None, folder="cars")
    assert kept(media) == []
    assert not StoredFile.objects.exists()


def test_the_clients_name_decides_nothing_about_the_place(media: Path) -> None:
    file = store_image(upload=upload(picture(), "../../etc/a.png"), owner=None, folder="cars")
    assert file.storage_key.startswith("cars/")
    assert all(path.parent == media / "cars" for path in kept(media))


def test_a_folder_that_climbs_is_refused(media: Path) -> None:
    with pytest.raises(Refused, match="no folder"):
        store_image(upload=upload(picture()), owner=None, folder="../cars")
    assert kept(media) == []


def test_files_of_a_row_that_could_not_be_written_are_removed(media: Path) -> None:
    unsaved = make_user()
    unsaved.delete()
    with pytest.raises(ValueError, match="unsaved"):
        store_image(upload=upload(picture()), owner=unsaved, folder="cars")
    assert kept(media) == []
