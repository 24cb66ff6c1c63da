"""Which passwords are accepted, beyond Django's own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth import password_validation

from config.options import option

if TYPE_CHECKING:
    from accounts.models import User


class MinimumLengthValidator:
    """Django's validator of the same name, with the length that staff have set."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError for a password that is too short."""
        self._validator().validate(password, user)

    def get_help_text(self) -> str:
        return self._validator().get_help_text()

    def _validator(self) -> password_validation.MinimumLengthValidator:
        return password_validation.MinimumLengthValidator(option("security.password_min_length"))
