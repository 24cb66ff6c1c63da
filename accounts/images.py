"""Pictures that people upload: what they really are, whatever they claim to be, and small copies of them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from config.db.errors import Refused

MEGABYTE = 1024 * 1024
LARGEST_PICTURE = 10 * MEGABYTE
MOST_PIXELS = 50_000_000  # a small file can unfold into a memory full of pixels
THUMBNAIL_EDGE = 300  # px
THUMBNAIL_QUALITY = 80
WEBP_QUALITY = 90

# Several JPEG pictures in one file, as telephones write them: programs show the first one.
_SEVERAL_JPEGS = "MPO"
# What Pillow calls the notes in a picture, and what decides how it looks.
_NOTES = frozenset({"exif", "xmp", "XML:com.adobe.xmp", "photoshop", "comment"})
_SHOWN = frozenset({"icc_profile", "transparency", "gamma", "srgb", "adobe", "adobe_transform"})


class PictureRefused(Refused):
    """The file is no picture, not the one it claims to be, or too large."""


@dataclass(frozen=True, slots=True)
class PictureType:
    format: str  # as Pillow names it
    content_type: str
    extensions: tuple[str, ...]


TYPES = (
    PictureType("JPEG", "image/jpeg", (".jpg", ".jpeg")),
    PictureType("PNG", "image/png", (".png",)),
    PictureType("WEBP", "image/webp", (".webp",)),
    PictureType("GIF", "image/gif", (".gif",)),
)
_OFFERED = "JPEG, PNG, WebP or GIF"


def recognise(content: bytes, *, file_name: str, claimed_type: str) -> PictureType:
    """Return what the bytes are. Raises PictureRefused unless they can be read and name, claim and content agree."""
    if len(content) > LARGEST_PICTURE:
        raise PictureRefused(f"The picture is larger than {LARGEST_PICTURE // MEGABYTE} MB: make it smaller first.")
    found = _type_of(content)
    if claimed_type.lower() != found.content_type:
        raise PictureRefused(f"The file says it is {claimed_type or 'nothing'}, but it is {found.content_type}.")
    extension = PurePath(file_name).suffix.lower()
    if extension not in found.extensions:
        raise PictureRefused(f"The file's name ends in {extension or 'nothing'}, but it is {found.content_type}.")
    return found


def _type_of(content: bytes) -> PictureType:
    try:
        with Image.open(BytesIO(content), formats=[kind.format for kind in TYPES]) as image:
            width, height = image.size
            if width * height > MOST_PIXELS:
                raise PictureRefused(f"The picture has {width} by {height} pixels: make it smaller first.")
            image.load()
            found = "JPEG" if image.format == _SEVERAL_JPEGS else image.format
            return next(kind for kind in TYPES if kind.format == found)
    except UnidentifiedImageError as error:
        raise PictureRefused(f"This is not a picture that can be shown: use {_OFFERED}.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureRefused("The picture is damaged: save it again and upload that.") from error


def without_notes(content: bytes) -> bytes:
    """Return a picture upright and without what cameras and programs noted in it, such as the place it was taken at.

    A picture without notes comes back byte for byte, and so does a GIF, which no camera writes. Raises PictureRefused
    for notes in a picture that moves.
    """
    with Image.open(BytesIO(content)) as image:
        if image.format == "GIF" or not _has_notes(image):
            return content
        if image.format != _SEVERAL_JPEGS and getattr(image, "n_frames", 1) > 1:
            raise PictureRefused("A picture that moves must carry no notes of a camera or program: save it without.")
        options: dict[str, Any] = {"format": image.format}
        if isinstance(image, JpegImageFile):
            # The tables that the camera used, and thus its quality.
            options = {"format": "JPEG", "qtables": image.quantization, "subsampling": get_sampling(image)}
        elif image.format == "WEBP":
            options |= {"quality": WEBP_QUALITY, "lossless": b"VP8L" in content[:64]}
        upright = ImageOps.exif_transpose(image)
        upright.info = {name: value for name, value in upright.info.items() if name in _SHOWN}
        target = BytesIO()
        upright.save(target, icc_profile=upright.info.get("icc_profile"), **options)
    return target.getvalue()


def _has_notes(image: Image.Image) -> bool:
    notes = image.format == _SEVERAL_JPEGS or image.getexif() or getattr(image, "text", None)
    return bool(notes) or not _NOTES.isdisjoint(image.info)


def thumbnail(content: bytes) -> bytes:
    """Return a WebP of at most 300 pixels a side, upright and without the camera's notes."""
    with Image.open(BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image)
        small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
        target = BytesIO()
        small.save(target, format="WEBP", quality=THUMBNAIL_QUALITY)
    return target.getvalue()
