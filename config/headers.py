"""Response headers that Django and django-csp leave to the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csp.decorators import csp_update
from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponseBase

    Page = Callable[[HttpRequest], HttpResponseBase]

# No page of ours asks for any of these; a script that found its way in should not get them either.
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware:
    """Sets Permissions-Policy everywhere and loosens the content policy under /admin/ by what its scripts need."""

    def __init__(self, get_response: Page) -> None:
        self.page = get_response
        self.admin_page: Page = csp_update(settings.ADMIN_CONTENT_SECURITY_POLICY)(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        page = self.admin_page if request.path_info.startswith("/admin/") else self.page
        response = page(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response
