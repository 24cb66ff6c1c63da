from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from config.commands import DataCommand
from config.ops.model_reference import model_reference

PAGE = "docs/models.md"


class Command(DataCommand):
    help = f"Writes {PAGE} from the models. Example: manage.py document_models --check"

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--check", action="store_true", help="Write nothing; exit code 1 when the page is stale.")

    def handle(self, *, check: bool, verbosity: int, **options: Any) -> None:
        """Write or compare the page."""
        path = Path(settings.BASE_DIR) / PAGE
        page = model_reference()
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if check and page != current:
            raise CommandError(f"{PAGE} is stale: run manage.py document_models and commit it.")
        if page != current:
            path.write_text(page, encoding="utf-8")
        if verbosity:
            self.stdout.write(f"{PAGE} is up to date.")
