"""Sign-in: a person's permissions are those of the group named like the person's role, and guessing is slowed down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.db.models import Q

from accounts.lockout import count_attempt, forget_failures
from config.client import client_ip
from config.options import option

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from accounts.models import User


class RoleBackend(ModelBackend):
    """Model backend that reads the role column, so that no membership row can be forgotten by a bulk write."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Return the person, or None. Raises PermissionDenied, which ends the attempt, while the address is closed.

        A closed or unverified address looks like a wrong password: a guesser learns nothing from it.
        """
        email = str(username or kwargs.get("email") or "")
        # PostgreSQL keeps no such character, and no address has it.
        if "\0" in email:
            return None
        ip_address = client_ip(request) if request is not None else None
        if not count_attempt(email, ip_address):
            raise PermissionDenied
        user: Any = super().authenticate(request, username=username, password=password, **kwargs)
        if user is not None and not user.is_verified and option("security.email_verification_required"):
            user = None
        if user is not None:
            forget_failures(email, ip_address)
        return user

    def _get_group_permissions(self, user_obj: User) -> QuerySet[Permission]:
        return Permission.objects.filter(Q(group__name=user_obj.role) | Q(group__user=user_obj)).distinct()
