"""What the HTTP API's routes take, checked before anything is asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from ninja import Field, Schema
from pydantic import StringConstraints

from config.pages import LARGEST_PAGE_SIZE, LAST_PAGE, PAGE_SIZE, Wanted

# PostgreSQL keeps no NUL in a text.
_NO_NUL = r"^[^\x00]*$"

Word = Annotated[str, StringConstraints(max_length=100, pattern=_NO_NUL)]
CarName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=_NO_NUL),
    Field(json_schema_extra={"description": "Slug or public id.", "example": "skoda-octavia-2018"}),
]
PublicId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=36, pattern=_NO_NUL),
    Field(json_schema_extra={"description": "Public id.", "example": "01HFVRV302N138Z5EDHZ18YVT6"}),
]
Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=2)]
Year = Annotated[int, Field(ge=1886, le=2200)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Radius = Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)]


def asked(default: Any, description: str, example: Any, **limits: Any) -> Any:
    """Return a parameter with its meaning and an example for the API's description."""
    return Field(default, description=description, json_schema_extra={"example": example}, **limits)


class Paging(Schema):
    """Which page of a list."""

    page: int = asked(1, "Number of the page, from 1.", 1, ge=1, le=LAST_PAGE)
    page_size: int = asked(PAGE_SIZE, "Rows on a page.", 20, ge=1, le=LARGEST_PAGE_SIZE)
    cursor: str | None = asked(
        None, "Place in the list: empty to begin, then `next` or `previous` of a page. Goes before `page`.", "",
        max_length=1000,
    )  # fmt: skip

    def wanted(self) -> Wanted:
        """Return the page as the queries take it."""
        return Wanted(page=self.page, page_size=self.page_size, cursor=self.cursor)
