"""The least that an answer over HTTP costs with Django: a view that runs SQL written by hand, and no middleware.

Served as ``gunicorn tests.benchmarks.bare``. `STATEMENTS` is a JSON file with statements by name; the address has the
name and the values.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from django import setup
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import JsonResponse
from django.urls import path

from config.database_url import parse_database_url

if TYPE_CHECKING:
    from django.http import HttpRequest

PROJECT = Path(__file__).resolve().parents[2]

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": parse_database_url("DATABASE_URL", os.environ["DATABASE_URL"], PROJECT).config
        | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"pool": {"min_size": 1, "max_size": 4}}}
    },
    MIDDLEWARE=[],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)
setup()
STATEMENTS: dict[str, str] = json.loads(Path(os.environ["STATEMENTS"]).read_text(encoding="utf-8"))


def answer(request: HttpRequest, name: str) -> JsonResponse:
    """Answer with the rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(STATEMENTS[name], request.GET.dict())
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return JsonResponse({"items": rows})


urlpatterns = [path("<str:name>", answer)]
application = WSGIHandler()
