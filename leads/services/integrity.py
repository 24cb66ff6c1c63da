"""Whether the counts of vouchers say what the rows say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from leads.models import Voucher, VoucherClaim, VoucherRedemption

if TYPE_CHECKING:
    from django.db.models import QuerySet


def vouchers_with_right_redemptions() -> QuerySet[Voucher]:
    """Return all vouchers with `right`, how often they were redeemed."""
    return _counted(VoucherRedemption.objects.all())


def vouchers_with_right_claims() -> QuerySet[Voucher]:
    """Return all vouchers with `right`, how often they were claimed."""
    return _counted(VoucherClaim.objects.all())


def _counted(rows: QuerySet[Any]) -> QuerySet[Voucher]:
    of_voucher = rows.filter(voucher=OuterRef("pk")).order_by().values("voucher")
    number = Subquery(of_voucher.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
    return Voucher.all_objects.annotate(right=Coalesce(number, 0))
