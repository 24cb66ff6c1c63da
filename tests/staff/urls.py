"""Addresses of the adapter's test site."""

from __future__ import annotations

from django.urls import path

from tests.staff.site import site

urlpatterns = [path("admin/", site.urls)]
