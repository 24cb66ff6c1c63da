from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SHOW = "from django.conf import settings as s; print(s.EMAIL_BACKEND, s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_USE_TLS)"


def start(email_url: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EMAIL_URL": email_url, "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", SHOW]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def test_mails_go_to_the_server_that_the_variable_names() -> None:
    shown = start("smtp+tls://user:p%40ss@mail.example.org:587").stdout.split()

    assert shown == ["django.core.mail.backends.smtp.EmailBackend", "mail.example.org", "587", "True"]


@pytest.mark.parametrize("email_url", ["pigeon://roof", "smtp://host:many"])
def test_an_address_that_cannot_be_read_stops_the_start_and_names_the_variable(email_url: str) -> None:
    done = start(email_url)

    assert done.returncode != 0
    assert "EMAIL_URL cannot be read" in done.stderr
    assert email_url not in done.stderr.splitlines()[-1]
