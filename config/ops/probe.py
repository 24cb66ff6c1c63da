"""Asks this machine's own server whether it is alive: `python -m config.ops.probe`, exit code 0 or 1.

A container's health check runs it; it needs nothing but Python.
"""

from __future__ import annotations

import http.client
import sys

from config import env

SECONDS = 3


def is_alive(port: int, host: str) -> bool:
    """Say whether the server on `port` answers for the site named `host`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz", headers={"Host": host})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """Return 0 when the server of BIND answers, else 1."""
    port = int(env.text("BIND", "127.0.0.1:8000").rpartition(":")[2])
    # A leading dot stands for all subdomains, which no request may claim to be.
    host = env.items("ALLOWED_HOSTS", ("localhost",))[0].lstrip(".*") or "localhost"
    return 0 if is_alive(port, host) else 1


if __name__ == "__main__":
    sys.exit(main())
