"""Whether the process is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse

if TYPE_CHECKING:
    from django.http import HttpRequest


def live(request: HttpRequest) -> HttpResponse:
    """Answer without touching the database: a probe must not restart the server because the database is away."""
    return HttpResponse("alive\n", content_type="text/plain", headers={"Cache-Control": "no-store"})
