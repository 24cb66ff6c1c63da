"""Operations for migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.postgres.operations import AddIndexConcurrently as PostgresAddIndexConcurrently
from django.db.migrations import AddIndex, RunSQL

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class PostgresSQL(RunSQL):
    """Statements for PostgreSQL alone; on SQLite nothing is done."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Run the statements where the engine knows them."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Undo the statements where the engine knows them."""
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class AddIndexConcurrently(PostgresAddIndexConcurrently):
    """Add an index while others write: without a lock on PostgreSQL, in the ordinary way on SQLite.

    The migration needs ``atomic = False``. A build that fails leaves an invalid index behind, to be dropped by hand.
    """

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Make the index in the way the engine knows."""
        parent = type(self)._way(schema_editor)
        parent.database_forwards(self, app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """Drop the index in the way the engine knows."""
        parent = type(self)._way(schema_editor)
        parent.database_backwards(self, app_label, schema_editor, from_state, to_state)

    @staticmethod
    def _way(schema_editor: BaseDatabaseSchemaEditor) -> type[AddIndex]:
        return PostgresAddIndexConcurrently if schema_editor.connection.vendor == "postgresql" else AddIndex
