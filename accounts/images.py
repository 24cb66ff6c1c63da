"""Pictures that people upload: what they really are, whatever they claim to be, and small copies of them."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import PurePath

from PIL import Image, ImageOps, UnidentifiedImageError

from config.db.errors import Refused

MEGABYTE = 1024 * 1024
LARGEST_PICTURE = 10 * MEGABYTE
MOST_PIXELS = 50_000_000  # a small file can unfold into a memory full of pixels
THUMBNAIL_EDGE = 300  # px
THUMBNAIL_QUALITY = 80


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
            return next(kind for kind in TYPES if kind.format == image.format)
    except UnidentifiedImageError as error:
        raise PictureRefused(f"This is not a picture that can be shown: use {_OFFERED}.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureRefused("The picture is damaged: save it again and upload that.") from error


def thumbnail(content: bytes) -> bytes:
    """Return a WebP of at most 300 pixels a side, upright and without the camera's notes."""
    with Image.open(BytesIO(content)) as image:
        upright = ImageOps.exif_transpose(image)
        small = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
        small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
        target = BytesIO()
        small.save(target, format="WEBP", quality=THUMBNAIL_QUALITY)
    return target.getvalue()
