"""What staff should look at in a VIN."""

from __future__ import annotations

from django.db.models import Q

from inventory.models import Car, Vehicle
from inventory.vin import has_valid_check_digit


def vin_warnings(row: Car | Vehicle) -> list[str]:
    """Return what staff should look at in a VIN; nothing of it forbids the row.

    The check digit is wrong, which is common in Europe, where there is none; or the same VIN stands in the other
    table, though neither was made of the other.
    """
    if row.vin is None:
        return []
    warnings = []
    if not has_valid_check_digit(row.vin):
        warnings.append(
            f"The VIN {row.vin} has a wrong check digit: a European VIN has none, any other has a typing error."
        )
    if isinstance(row, Car):
        other: Car | Vehicle | None = Vehicle.objects.filter(vin=row.vin).exclude(source_car=row.pk).first()
        place = "among the donor vehicles"
    else:
        other = Car.objects.filter(~Q(pk=row.source_car_id), vin=row.vin).first()
        place = "among the cars for sale"
    if other is not None:
        warnings.append(f"The VIN {row.vin} stands {place} as well: {other}.")
    return warnings
