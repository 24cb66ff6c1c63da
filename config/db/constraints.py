"""Constraints and indexes that several tables share, each with words for staff.

Names are filled in by Django: ``%(class)s`` is the model's name in lower case.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import BooleanField, Func, Q

from config.db.iso import COUNTRIES, CURRENCIES


class IsVIN(Func):
    """True where a text has the form of a VIN (ISO 3779): 17 digits and capital letters without I, O and Q."""

    output_field = BooleanField()
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        # Seventeen classes instead of a length: the operand may be a parameter, and stands here once.
        template = f"(%(expressions)s GLOB '{'[0-9A-HJ-NPR-Z]' * 17}')"
        return self.as_sql(compiler, connection, template=template, **extra)

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = "(%(expressions)s ~ '^[0-9A-HJ-NPR-Z]{17}$')"
        return self.as_sql(compiler, connection, template=template, **extra)


def check(fact: str, condition: Any, message: str) -> models.CheckConstraint:
    """Return a check constraint named `<model>_<fact>`."""
    return models.CheckConstraint(name=f"%(class)s_{fact}", condition=condition, violation_error_message=message)


def unique(fact: str, *expressions: Any, message: str, **options: Any) -> models.UniqueConstraint:
    """Return a unique constraint named `<model>_<fact>`; plain names are fields, anything else is an expression."""
    if all(isinstance(expression, str) for expression in expressions):
        options["fields"], expressions = expressions, ()
    return models.UniqueConstraint(*expressions, name=f"%(class)s_{fact}", violation_error_message=message, **options)


def public_id_unique() -> models.UniqueConstraint:
    """Return the rule of every table with a `public_id`."""
    return unique("public_id_unique", "public_id", message="This public id is already in use.")


def choice_valid(field: str, choices: type[models.Choices], *, blank: bool = False) -> models.CheckConstraint:
    """Return the rule that `field` holds one of `choices`, or nothing where `blank`."""
    values = [*([""] if blank else []), *choices.values]
    return check(
        f"{field}_valid", Q(**{f"{field}__in": values}), f"Choose one of the offered values for {_words(field)}."
    )


def currency_valid() -> models.CheckConstraint:
    """Return the rule that `currency` is an ISO 4217 code."""
    return check("currency_valid", Q(currency__in=CURRENCIES), "A currency is an ISO 4217 code, such as EUR or ZAR.")


def country_valid() -> models.CheckConstraint:
    """Return the rule that `country` is an ISO 3166-1 alpha-2 code."""
    return check("country_valid", Q(country__in=COUNTRIES), "A country is an ISO 3166 code, such as ZA or FI.")


def coordinates_valid(latitude: str = "latitude", longitude: str = "longitude") -> list[models.CheckConstraint]:
    """Return the rules for a position in degrees (WGS 84): both or neither, each within its range."""
    prefix = latitude.removesuffix("latitude")
    both = Q(**{f"{latitude}__isnull": False, f"{longitude}__isnull": False})
    neither = Q(**{f"{latitude}__isnull": True, f"{longitude}__isnull": True})
    return [
        check(f"{prefix}position_complete", both | neither, "Give both latitude and longitude, or neither."),
        check(
            f"{latitude}_range",
            Q(**{f"{latitude}__gte": -90, f"{latitude}__lte": 90}),
            "Latitude lies between -90 and 90 degrees.",
        ),
        check(
            f"{longitude}_range",
            Q(**{f"{longitude}__gte": -180, f"{longitude}__lte": 180}),
            "Longitude lies between -180 and 180 degrees.",
        ),
    ]


def _words(field: str) -> str:
    return field.replace("_", " ")
