"""A program that has loaded what manage.py loads, and becomes manage.py in a copy of itself for each order.

Python and Django take most of a second to start, and the tests run some hundred commands. A command still is a process
with an environment, files and an exit code of its own, and it reads the settings anew; only its modules are there.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import pkgutil
import runpy
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.cache import CacheHandler, caches
from django.db import connections
from django.db.utils import ConnectionHandler
from django.utils.functional import empty

import config.management.commands
from config.apps import close_database_connections
from manage import WITHOUT_APPS

MANAGE = Path(__file__).resolve().parents[1] / "manage.py"
ORDER_SIZE = 1 << 16


def load(*, apps: bool) -> None:
    """Load what commands use; those that start without the apps get a process in which there are none."""
    names = set(WITHOUT_APPS)
    if apps:
        django.setup()
        names = {module.name for module in pkgutil.iter_modules(config.management.commands.__path__)} - names
    for name in names:
        import_module(f"config.management.commands.{name}")
    gc.collect()
    # Else the collector writes into every object, and each copy needs memory of its own.
    gc.freeze()


def serve(orders: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Copy this process for each order, and tell the copy's number and how it ended.

    Returns in the copy, with its order and its three open files, and in this process when no more orders can come.
    """
    while True:
        message, files, _, _ = socket.recv_fds(orders, ORDER_SIZE, 3)
        if not message:
            return None
        child = os.fork()
        if not child:
            orders.close()
            order: dict[str, Any] = json.loads(message)
            return order, list(files)
        for file in files:
            os.close(file)
        orders.send(str(child).encode())
        orders.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())


def become_manage(arguments: list[str], environment: dict[str, str], folder: str, files: list[int]) -> None:
    """Be what would have been started in this folder with these arguments, this environment and these open files."""
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    forget_settings()
    try:
        settings.DATABASES  # noqa: B018 - reads them
    except Exception:  # noqa: BLE001 - the command will meet it too
        # Without settings a start comes to no connection.
        atexit.unregister(close_database_connections)
    sys.argv = [str(MANAGE), *arguments]
    runpy.run_path(str(MANAGE), run_name="__main__")


def forget_settings() -> None:
    """Let the settings be read from the environment, and databases and caches be those that it names."""
    settings._wrapped = empty
    sys.modules.pop("config.settings", None)
    for handler in (connections, caches):
        vars(handler).clear()
    ConnectionHandler.__init__(connections)
    CacheHandler.__init__(caches)


if __name__ == "__main__":
    load(apps=sys.argv[2] == "apps")
    with socket.socket(fileno=int(sys.argv[1])) as waiting:
        found = serve(waiting)
    if found:
        become_manage(**found[0], files=found[1])
