"""Where a query goes: writes, and whatever must be true now, to the primary, other reads to replicas that are fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import DEFAULT_DB_ALIAS, connections

from config.db.replicas import nodes, reads

if TYPE_CHECKING:
    from django.db.models import Model

ALIAS = "replica"
_OURS = {ALIAS, DEFAULT_DB_ALIAS}

# Who somebody is and what they may do is never a second old. Nor are the settings, which every process keeps.
PRIMARY_APPS = {"auth", "sessions"}
PRIMARY_MODELS = {
    *("accounts.onetimetoken", "accounts.user", "accounts.useridentity", "accounts.usersession"),
    "analytics.systemsetting",
}


class ReplicaRouter:
    """Django's questions about each query, answered with one of two names: the primary's, or that of all replicas."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return where to read rows of a model."""
        if (
            not reads.may_be_late()
            or _is_for_primary(model)
            or connections[DEFAULT_DB_ALIAS].in_atomic_block
            or not nodes.any_fit()
        ):
            return DEFAULT_DB_ALIAS
        return ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return where to write rows of a model, or to lock them."""
        # Sessions are read from the primary alone, so nobody can miss them.
        if model._meta.app_label != "sessions":
            reads.note_write()
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool | None:
        """Return whether two rows may belong together: from wherever they were read, they are of one database."""
        return True if {one._state.db, other._state.db} <= _OURS else None

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        """Return whether tables are made there; a replica gets them from its primary."""
        return False if db == ALIAS else None


def _is_for_primary(model: type[Model]) -> bool:
    return model._meta.app_label in PRIMARY_APPS or model._meta.label_lower in PRIMARY_MODELS
