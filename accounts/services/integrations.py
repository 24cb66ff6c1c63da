"""The names that services outside have for our rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.contenttypes.models import ContentType

from accounts.models import Integration

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model, QuerySet


def foreign_names(model: type[Model], keys: Iterable[int]) -> QuerySet[Integration]:
    """Return the names of rows of `model` with these keys; whoever removes the rows removes them too."""
    kind = ContentType.objects.get_for_model(model)
    return Integration.objects.filter(content_type=kind, object_id__in=[str(key) for key in keys])
