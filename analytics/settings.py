"""Reading and changing the settings that staff may change while the program runs."""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from analytics.models import SystemSetting
from analytics.models.settings import UNREADABLE
from analytics.sealing import unseal
from analytics.setting_keys import SETTINGS, Setting
from config.audit import announce
from config.db.errors import Refused
from config.db.ids import new_ulid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from accounts.models import User

logger = logging.getLogger(__name__)

WEEK = 7 * 24 * 3600
MINUTE = 60
_GENERATION = "settings:generation"


class UnknownSetting(Refused, LookupError):
    """No setting has this key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"There is no setting {key}.")


def get_setting(key: str) -> Any:
    """Return the setting's value, or its default. Raises UnknownSetting, and ValidationError as `get_settings`."""
    return get_settings([key])[key]


def get_settings(keys: Iterable[str]) -> dict[str, Any]:
    """Return the values of several settings by key.

    Raises UnknownSetting, and ValidationError for a secret that cannot be decrypted.
    """
    declared = {key: _declared(key) for key in keys}
    stored = _stored_values()
    return {key: _value(key, setting, stored) for key, setting in declared.items()}


@transaction.atomic
def set_setting(key: str, value: Any, *, actor: User | None = None) -> SystemSetting:
    """Change a setting for everybody, at once.

    A secret given as its own mask stays as it is. Raises UnknownSetting, and ValidationError for a value of another
    type or outside of the setting's range.
    """
    setting = _declared(key)
    defaults = {"value": setting.default, "description": setting.help}
    row, _ = SystemSetting.objects.select_for_update().get_or_create(key=key, defaults=defaults)
    if setting.is_secret and value == row.shown_value:
        return row
    # A secret that cannot be decrypted any more can be replaced all the same.
    before = row.shown_value if row.shown_value == UNREADABLE else row.plain_value
    after = setting.clean(value)
    if after == before:
        return row
    row.value, row.updated_by = after, actor
    row.save()
    announce(
        "update",
        row,
        event_type="SYSTEM_CONFIG_UPDATED",
        actor=actor,
        description=f"{key} changed",
        changes={"value": [before, after]},
    )
    return row


def _declared(key: str) -> Setting:
    try:
        return SETTINGS[key]
    except KeyError:
        raise UnknownSetting(key) from None


def _value(key: str, setting: Setting, stored: dict[str, Any]) -> Any:
    if key not in stored:
        return deepcopy(setting.default)
    # Secrets are kept sealed in the cache as well.
    return unseal(stored[key]) if setting.is_secret else stored[key]


def _stored_values() -> dict[str, Any]:
    """Return the usable values of the rows, from the cache where they are in it."""
    if _changed_in_this_transaction():
        # What may yet be rolled back is for our own eyes.
        return _load()
    # Several readers may find no generation at the same time; all use the one that came first.
    name = f"settings:{cache.get_or_set(_GENERATION, new_ulid, None)}"
    stored: dict[str, Any] | None = cache.get(name)
    if stored is None:
        stored = _load()
        cache.set(name, stored, cache_lifetime())
    return stored


def _changed_in_this_transaction() -> bool:
    return any(callback is forget_settings for _, callback, *_ in connection.run_on_commit)


def cache_lifetime() -> int:
    """Return for how many seconds settings are cached.

    A cache inside the process never hears of changes that other processes make, so it must not last.
    """
    return WEEK if settings.REDIS_URL else MINUTE


def _load() -> dict[str, Any]:
    values = {}
    for key, value in SystemSetting.objects.filter(key__in=SETTINGS).values_list("key", "value"):
        try:
            values[key] = value if SETTINGS[key].is_secret else SETTINGS[key].clean(value)
        except ValidationError as error:
            logger.warning("The setting %s is not usable, its default is taken: %s", key, " ".join(error.messages))
    return values


def forget_settings() -> None:
    """Let every process read the settings anew.

    A new generation rather than a deletion: somebody who read just before the change may write to the cache just after
    it, but then under the old generation's name, which nobody asks for any more.
    """
    generation = new_ulid()
    cache.set(_GENERATION, generation, None)
    if cache.get(_GENERATION) is None:
        logger.error("The cache did not answer: other processes may use the old settings for up to a week.")


def forget_settings_after_commit(**kwargs: Any) -> None:
    """Forget the settings once the change is there for everybody to read."""
    transaction.on_commit(forget_settings)
