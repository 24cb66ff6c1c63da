"""The example file, the guide and the code name the same variables."""

from __future__ import annotations

import re

from django.core.checks.registry import registry

from tests.config.variables import PROJECT, example_variables, guide_table, variables_in_code


def test_every_variable_the_code_reads_is_in_the_example_and_no_other() -> None:
    assert {variable.name for variable in example_variables()} == variables_in_code()


def test_every_variable_has_a_meaning() -> None:
    assert [variable.name for variable in example_variables() if not variable.meaning] == []


def test_the_guide_has_the_table_of_the_example() -> None:
    assert guide_table() in (PROJECT / "docs" / "configuration.md").read_text()


def test_secrets_are_marked_as_readable_from_a_file_and_have_no_default() -> None:
    secrets = [variable for variable in example_variables() if variable.meaning.endswith("[file]")]
    assert {variable.name for variable in secrets} == {
        *("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "ADMIN_PASSWORD", "PG_PASSWORD", "REDIS_URL", "EMAIL_URL"),
        *("BACKUP_ENCRYPTION_KEY", "METRICS_TOKEN", "SENTRY_DSN"),
        *("DATABASE_URL", "DIRECT_DATABASE_URL", "SHADOW_DATABASE_URL", "POSTGRES_URL", "DATABASE_REPLICA_URLS"),
    }
    assert [variable.name for variable in secrets if variable.default] == []


def test_the_guide_lists_every_check() -> None:
    ids = set(re.findall(r"forecourt\.[EW]\d{3}", (PROJECT / "config" / "checks.py").read_text()))
    guide = (PROJECT / "docs" / "configuration.md").read_text()
    assert ids == set(re.findall(r"`(forecourt\.[EW]\d{3})`", guide))
    assert any(check.__module__ == "config.checks" for check in registry.get_checks())
