"""Sign-in: a person's permissions are those of the group named like the person's role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.db.models import Q

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from accounts.models import User


class RoleBackend(ModelBackend):
    """Model backend that reads the role column, so that no membership row can be forgotten by a bulk write."""

    def _get_group_permissions(self, user_obj: User) -> QuerySet[Permission]:
        return Permission.objects.filter(Q(group__name=user_obj.role) | Q(group__user=user_obj)).distinct()
