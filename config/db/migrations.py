"""A migration that makes many tables without building the models of all tables anew for each."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from django.db import migrations

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.migrations.state import ProjectState


class FirstMigration(migrations.Migration):
    """Like Django's, but the tables it begins with are added to the state together.

    Django builds the models again that are related to a new one, one new table after the other, and everything here is
    related to a person: that was two thirds of the time of a `migrate` on an empty database.
    """

    def apply(
        self, project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
    ) -> ProjectState:
        tables = list(takewhile(lambda operation: type(operation) is migrations.CreateModel, self.operations))
        if collect_sql or not tables:
            return super().apply(project_state, schema_editor, collect_sql)
        before = project_state.clone()
        project_state.__dict__.pop("apps", None)
        for operation in tables:
            operation.state_forwards(self.app_label, project_state)
        for operation in tables:
            operation.database_forwards(self.app_label, schema_editor, before, project_state)
        rest = migrations.Migration(self.name, self.app_label)
        # The stubs take them for the class's alone, and Django itself sets them on the instance.
        rest.operations = self.operations[len(tables) :]  # type: ignore[misc]
        rest.atomic = self.atomic  # type: ignore[misc]
        return rest.apply(project_state, schema_editor)
