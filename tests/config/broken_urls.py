"""One page that fails, beside the admin, to which the page about it leads."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import path


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("token=hush of pekka@example.org")


urlpatterns = [path("admin/", admin.site.urls), path("broken", broken, name="broken")]
