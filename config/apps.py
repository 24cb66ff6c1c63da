from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class ForecourtConfig(AppConfig):
    name = "config"
    label = "config"
    verbose_name = "Forecourt"


class StaffAdminConfig(AdminConfig):
    default_site = "config.admin.StaffSite"
