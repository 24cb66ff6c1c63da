"""Running what a guide tells people to type.

Every fenced block marked `bash` in a guide is run as it stands, one after another in one folder, and the first command
that fails ends its block. Blocks with another mark are shown only: output, configuration files, commands for another
machine.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from django.conf import settings

from tests.commands import READ_BY_APPS, Running
from tests.starter import ORDER_SIZE

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
# A guide shows what a command that finds something answers: "exit code 3".
_EXPECTED = re.compile(r"# exit code (?P<code>\d+)$", re.MULTILINE)

# Hands what was typed to a process that has loaded the project, unless that has to be loaded anew.
_MANAGE = """#!{python} -IS
import json, os, socket, sys
if os.environ.get("ENV_FILE") != os.devnull or {anew} & os.environ.keys():
    os.execv({python!r}, [{python!r}, {manage!r}, *sys.argv[1:]])
orders = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
orders.connect({address!r})
order = {{"arguments": sys.argv[1:], "environment": dict(os.environ), "folder": os.getcwd()}}
socket.send_fds(orders, [json.dumps(order).encode()], [0, 1, 2])
sys.exit(int(orders.recv(64)) % 256)
"""


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a guide."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def expected_code(self) -> int:
        """The exit code that the block says it ends with; 0 if it says nothing."""
        found = _EXPECTED.search(self.text)
        return int(found["code"]) if found else 0


def commands_of(page: str) -> list[Block]:
    """Return the blocks of `docs/<page>` that a person is to type, in their order."""
    text = (Path(settings.BASE_DIR) / "docs" / page).read_text(encoding="utf-8")
    blocks = [
        Block(page, text.count("\n", 0, found.start()) + 1, found["language"], found["text"])
        for found in _FENCE.finditer(text)
    ]
    return [block for block in blocks if block.language == "bash"]


def type_commands(page: str, *, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """Type all commands of a guide in `folder` and return what each block printed.

    `manage.py` and the programs of this virtual environment are found without a path. Raises AssertionError with the
    block's place and output when one does not end as the guide says.
    """
    outputs = []
    with quick_manage() as own:
        path = os.pathsep.join([str(own), str(settings.BASE_DIR), str(Path(sys.executable).parent), os.environ["PATH"]])
        for block in commands_of(page):
            done = subprocess.run(
                ["/bin/bash", "-euo", "pipefail", "-c", block.text],
                cwd=folder,
                env={**environment, "PATH": path},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            assert done.returncode == block.expected_code, f"{block} ended with {done.returncode}:\n{done.stdout}"
            outputs.append(done.stdout)
    return outputs


@contextmanager
def quick_manage() -> Iterator[Path]:
    """Give a folder with a `manage.py` that does not have to start from nothing (see `tests.starter`)."""
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as orders:
        address, program = Path(folder) / "orders", Path(folder) / "manage.py"
        orders.bind(str(address))
        orders.listen()
        manage = Path(settings.BASE_DIR) / "manage.py"
        text = _MANAGE.format(python=sys.executable, manage=str(manage), address=str(address), anew=READ_BY_APPS)
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)
        answering = Thread(target=_answer, args=(orders,))
        answering.start()
        try:
            yield Path(folder)
        finally:
            orders.shutdown(socket.SHUT_RDWR)
            answering.join()


def _answer(orders: socket.socket) -> None:
    """Run what is ordered, one command after the other, until the socket is shut down."""
    with suppress(OSError):
        while True:
            with orders.accept()[0] as asking:
                message, files, _, _ = socket.recv_fds(asking, ORDER_SIZE, 3)
                order = json.loads(message)
                running = Running(order["arguments"], order["environment"], files, Path(order["folder"]))
                for file in files:
                    os.close(file)
                asking.send(str(running.wait()).encode())
