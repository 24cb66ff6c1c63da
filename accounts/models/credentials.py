"""What proves who somebody is: linked identities, sessions and one-time tokens. Tokens are kept as hashes only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models.users import User
from config.db.base import PublicIdModel, RowQuerySet, TimestampedModel
from config.db.constraints import check, choice_valid, public_id_unique, unique
from config.db.fields import EncryptedTextField, LowerEmailField

if TYPE_CHECKING:
    from datetime import datetime


class IdentityType(models.TextChoices):
    OAUTH = "oauth", "OAuth"
    OIDC = "oidc", "OpenID Connect"
    EMAIL = "email", "E-mail"
    CREDENTIALS = "credentials", "Credentials"
    EXTERNAL = "external", "External"


class SessionKind(models.TextChoices):
    WEB = "web", "Web"
    API = "api", "API"
    REFRESH = "refresh", "Refresh token"


class TokenPurpose(models.TextChoices):
    MAGIC_LINK = "magic_link", "Magic link"
    VERIFY_EMAIL = "verify_email", "Verify e-mail"
    RESET_PASSWORD = "reset_password", "Reset password"  # the name of a purpose


class UserIdentity(PublicIdModel, TimestampedModel):
    """An account at an identity provider that belongs to one of our users."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identities")
    provider = models.CharField(max_length=50, help_text="Such as google, clerk or firebase.")
    provider_account_id = models.CharField("account at the provider", max_length=255)
    type = models.CharField(max_length=20, choices=IdentityType, default=IdentityType.OAUTH)
    access_token = EncryptedTextField(blank=True, default="", editable=False)
    refresh_token = EncryptedTextField(blank=True, default="", editable=False)
    id_token = EncryptedTextField(blank=True, default="", editable=False)
    token_type = models.CharField(max_length=40, blank=True, default="")
    scope = models.TextField(blank=True, default="")
    session_state = models.CharField(max_length=255, blank=True, default="")
    expires_at = models.DateTimeField("expires", null=True, blank=True)
    provider_data = models.JSONField(default=dict, blank=True)
    is_email_verified = models.BooleanField("e-mail verified", default=False)
    is_phone_verified = models.BooleanField("phone verified", default=False)
    last_sign_in_method = models.CharField(max_length=50, blank=True, default="")
    last_login_at = models.DateTimeField("last sign-in", null=True, blank=True)

    objects = RowQuerySet.as_manager()

    class Meta:
        verbose_name = "linked identity"
        verbose_name_plural = "linked identities"
        ordering = ["-created_at", "-id"]
        constraints = [
            public_id_unique(),
            unique(
                "account_unique",
                "provider",
                "provider_account_id",
                message="This account at the provider is already linked to a user.",
            ),
            choice_valid("type", IdentityType),
        ]
        indexes = [
            models.Index(name="identity_newest", fields=["-created_at"]),
            models.Index(name="identity_account", fields=["provider_account_id"]),
            # Filters of the list.
            models.Index(name="identity_type", fields=["type", "created_at", "id"]),
            models.Index(name="identity_verified", fields=["is_email_verified", "created_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.provider_account_id}"


class UserSessionQuerySet(RowQuerySet["UserSession"]):
    def open(self, *, now: datetime) -> Self:
        return self.filter(revoked_at__isnull=True, expires_at__gt=now)


class UserSession(PublicIdModel):
    """A signed-in device. Holds the SHA-256 of its tokens, never a token."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    kind = models.CharField(max_length=10, choices=SessionKind, default=SessionKind.WEB)
    access_token_hash = models.CharField(max_length=64, null=True, blank=True, editable=False)
    refresh_token_hash = models.CharField(max_length=64, null=True, blank=True, editable=False)
    expires_at = models.DateTimeField("expires")
    last_seen_at = models.DateTimeField("last seen", null=True, blank=True)
    revoked_at = models.DateTimeField("ended", null=True, blank=True)
    ip_address = models.GenericIPAddressField("IP address", null=True, blank=True)
    user_agent = models.TextField(blank=True, default="")
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)

    objects = UserSessionQuerySet.as_manager()

    class Meta:
        verbose_name = "session"
        ordering = ["-created_at", "-id"]
        constraints = [
            public_id_unique(),
            choice_valid("kind", SessionKind),
            unique("access_token_unique", "access_token_hash", message="This access token belongs to another session."),
            unique(
                "refresh_token_unique", "refresh_token_hash", message="This refresh token belongs to another session."
            ),
            check(
                "has_token",
                Q(access_token_hash__isnull=False) | Q(refresh_token_hash__isnull=False),
                "A session needs an access token or a refresh token.",
            ),
        ]
        indexes = [
            # A person's open sessions; also serves the foreign key.
            models.Index(name="session_user_expiry", fields=["user", "expires_at"]),
            models.Index(name="session_expiry", fields=["expires_at"]),
            models.Index(name="session_newest", fields=["-created_at"]),
            # Filter of the list.
            models.Index(name="session_kind", fields=["kind", "created_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} session of {self.user}"


class OneTimeToken(models.Model):
    """A link that works once: sign in, confirm an address or set a new password. Holds only the token's SHA-256."""

    purpose = models.CharField(max_length=20, choices=TokenPurpose)
    token_hash = models.CharField(max_length=64, editable=False)
    email = LowerEmailField("e-mail", max_length=254)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="one_time_tokens")
    expires_at = models.DateTimeField("expires")
    used_at = models.DateTimeField("used", null=True, blank=True)
    created_at = models.DateTimeField("created", default=timezone.now, editable=False)
    ip_address = models.GenericIPAddressField("IP address", null=True, blank=True)

    class Meta:
        verbose_name = "one-time token"
        ordering = ["-created_at", "-id"]
        constraints = [
            choice_valid("purpose", TokenPurpose),
            unique("hash_unique", "token_hash", message="This token exists already."),
        ]
        indexes = [
            models.Index(name="token_email_purpose", fields=["email", "purpose"]),
            models.Index(name="token_expiry", fields=["expires_at"]),
            models.Index(name="token_newest", fields=["-created_at"]),
            # Filter of the list.
            models.Index(name="token_purpose", fields=["purpose", "created_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} for {self.email}"
