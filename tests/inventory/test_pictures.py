from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from config.db.errors import Refused
from inventory.models import Car, CarImage, Part, PartImage
from inventory.services import attach_image, keep_one_primary, remove_image, set_primary_image
from tests.builders import NOON, make_car, make_part, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def png() -> SimpleUploadedFile:
    content = BytesIO()
    Image.new("RGB", (4, 3), "red").save(content, format="PNG")
    return SimpleUploadedFile("front.png", content.getvalue(), content_type="image/png")


def car_with_pictures(count: int) -> tuple[Car, list[CarImage]]:
    car = make_car()
    pictures = [
        CarImage.objects.create(car=car, url=f"/{place}.png", position=place, is_primary=place == 0)
        for place in range(count)
    ]
    return car, pictures


def primaries(car: Car) -> list[str]:
    return list(CarImage.objects.filter(car=car, is_primary=True).values_list("url", flat=True))


def test_the_first_picture_of_a_car_becomes_primary_and_the_next_goes_behind() -> None:
    car, clerk = make_car(), make_user("ADMIN")

    first = attach_image(row=car, upload=png(), alt_text="Front", actor=clerk)
    second = attach_image(row=car, upload=png(), actor=clerk)

    assert isinstance(first, CarImage)
    assert isinstance(second, CarImage)
    assert (first.is_primary, first.position, first.alt_text) == (True, 0, "Front")
    assert (second.is_primary, second.position) == (False, 1)
    assert first.file is not None
    assert (first.url, first.file.owner, first.file.folder) == (first.file.url, clerk, f"cars/{car.public_id}")


def test_a_file_that_is_no_picture_is_refused_and_nothing_is_attached() -> None:
    part = make_part()

    with pytest.raises(Refused):
        attach_image(row=part, upload=SimpleUploadedFile("x.png", b"<svg/>", content_type="image/png"))

    assert not PartImage.objects.exists()


def test_a_deleted_row_takes_no_pictures() -> None:
    with pytest.raises(Refused, match="is deleted"):
        attach_image(row=make_car(deleted_at=NOON), upload=png())


def test_another_picture_takes_the_mark_over(announcements: list[dict[str, Any]]) -> None:
    car, pictures = car_with_pictures(3)

    set_primary_image(image=pictures[2])
    set_primary_image(image=pictures[2])

    assert primaries(car) == ["/2.png"]
    assert [fact["event_type"] for fact in announcements] == ["PRIMARY_PICTURE_SET"]


def test_removing_the_primary_picture_promotes_the_next() -> None:
    car, pictures = car_with_pictures(3)

    remove_image(image=pictures[0])
    assert primaries(car) == ["/1.png"]

    remove_image(image=pictures[2])
    assert primaries(car) == ["/1.png"]

    remove_image(image=pictures[1])
    assert primaries(car) == []


def test_a_car_whose_pictures_lost_their_mark_gets_its_first_one_marked() -> None:
    car, _ = car_with_pictures(2)
    CarImage.objects.update(is_primary=False)

    keep_one_primary(car=car)
    keep_one_primary(car=car)

    assert primaries(car) == ["/0.png"]


def test_the_first_picture_of_a_part_is_the_one_that_was_made_primary() -> None:
    part: Part = make_part()
    pictures = [PartImage.objects.create(part=part, url=f"/{name}.png") for name in "abc"]

    set_primary_image(image=pictures[2])

    assert [(image.url, image.position) for image in part.images.all()] == [("/c.png", 0), ("/a.png", 1), ("/b.png", 2)]
