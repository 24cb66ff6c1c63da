"""What people do with accounts, sellers, texts, plans and files; one function each."""

from __future__ import annotations

from accounts.services.billing import expire_subscriptions, record_payment_event
from accounts.services.files import recognise_upload, remove_files, store_image
from accounts.services.holds import lift_hold, place_hold
from accounts.services.integrations import foreign_names
from accounts.services.people import (
    ban_user,
    delete_user,
    preferences_of,
    reactivate_user,
    restore_user,
    set_role,
    suspend_user,
    verify_email,
)
from accounts.services.removal import remove_user_for_good
from accounts.services.retention import (
    anonymize_users,
    expired_browser_sessions,
    expired_sessions,
    finished_tokens,
    forget_session_traces,
    people_to_anonymize,
    sessions_with_old_traces,
)
from accounts.services.sellers import (
    change_plan,
    create_seller,
    delete_seller,
    record_position,
    restore_seller,
    set_seller_open,
    unverify_seller,
    verify_seller,
)
from accounts.services.sessions import end_all_sessions, end_session
from accounts.services.texts import save_translation, verify_translation
from accounts.services.tokens import confirm_email, issue_token, reset_password, use_token

__all__ = [
    "anonymize_users",
    "ban_user",
    "change_plan",
    "confirm_email",
    "create_seller",
    "delete_seller",
    "delete_user",
    "end_all_sessions",
    "end_session",
    "expire_subscriptions",
    "expired_browser_sessions",
    "expired_sessions",
    "finished_tokens",
    "foreign_names",
    "forget_session_traces",
    "issue_token",
    "lift_hold",
    "people_to_anonymize",
    "place_hold",
    "preferences_of",
    "reactivate_user",
    "recognise_upload",
    "record_payment_event",
    "record_position",
    "remove_files",
    "remove_user_for_good",
    "reset_password",
    "restore_seller",
    "restore_user",
    "save_translation",
    "sessions_with_old_traces",
    "set_role",
    "set_seller_open",
    "store_image",
    "suspend_user",
    "unverify_seller",
    "use_token",
    "verify_email",
    "verify_seller",
    "verify_translation",
]
