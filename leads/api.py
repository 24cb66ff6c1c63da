"""Vouchers, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from ninja import Query, Router

from accounts.api import PointAround
from accounts.languages import TRANSLATED
from accounts.queries import language_for_request
from config.answers import answer
from leads.queries import VoucherNear, vouchers_near

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

vouchers = Router(tags=["vouchers"])


@vouchers.get("/nearby", response=list[VoucherNear], summary="Vouchers around a point", openapi_extra=TRANSLATED)
def list_vouchers_nearby(request: HttpRequest, point: Query[PointAround]) -> HttpResponseBase:
    """Vouchers that can be had around a point, nearest first, with their texts in the caller's language."""
    language = language_for_request(request)
    place = (point.latitude, point.longitude, point.radius_km, point.limit)
    return answer(request, vouchers_near(*place, now=timezone.now(), language=language), translated=True)
