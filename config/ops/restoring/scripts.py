"""SQL scripts of pg_dump, made fit for an empty database of another name on this server's version.

Old scripts wrote them with and without `--clean`, and a script of a newer pg_dump sets what an older server does not
know. What psql would do outside of the database is refused: a backup has no business there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from config.db.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Server settings that pg_dump of that version began to write.
SETTINGS_SINCE = {b"SET transaction_timeout": 17}
KEYS_OF_RESTRICTED_MODE = (rb"\restrict ", rb"\unrestrict ")
OTHER_DATABASES = re.compile(rb"(?:CREATE|DROP|ALTER) DATABASE |\\connect ")
# What --clean writes before the first object is made.
REMOVAL = re.compile(rb"DROP |ALTER TABLE .*\b(DROP|DETACH PARTITION) ")
SCHEMA_REMOVAL = re.compile(rb"DROP SCHEMA (?!IF EXISTS )")
FIRST_OBJECT = (b"CREATE ", b"COPY ", b"INSERT ")
ROWS_BEGIN = re.compile(rb"COPY .* FROM stdin;\s*")
ROWS_END = rb"\."


def prepared(lines: Iterable[bytes], *, name: str, server_major: int) -> Iterator[bytes]:
    """Yield the lines of a script as this server can run them; each stays in its place, so line numbers hold.

    Raises Refused where the script would leave the database.
    """
    in_rows, before_objects = False, True
    for number, line in enumerate(lines, 1):
        if in_rows:
            in_rows = line.rstrip(b"\r\n") != ROWS_END
            yield line
            continue
        before_objects = before_objects and not line.startswith(FIRST_OBJECT)
        if line.startswith(b"\\") or OTHER_DATABASES.match(line):
            yield _own_business(line, name, number)
        elif before_objects and REMOVAL.match(line):
            yield _removal(line)
        elif line.startswith(tuple(SETTINGS_SINCE)) and not _is_known(line, server_major):
            yield b"\n"
        else:
            in_rows = ROWS_BEGIN.fullmatch(line) is not None
            yield line


def _own_business(line: bytes, name: str, number: int) -> bytes:
    if line.startswith(KEYS_OF_RESTRICTED_MODE):
        # We put psql into that mode ourselves.
        return b"\n"
    text = line.decode(errors="replace").strip()
    if OTHER_DATABASES.match(line):
        raise Refused(
            f"{name}, line {number}: {text[:80]!r} would work on another database than the one that it is restored to; "
            "it was dumped with --create. Remove the lines that name a database."
        )
    raise Refused(f"{name}, line {number}: {text[:80]!r} is a command to psql, which no dump of a database has.")


def _removal(line: bytes) -> bytes:
    # The database is empty: there is nothing to remove but the schema that every database begins with.
    return SCHEMA_REMOVAL.sub(b"DROP SCHEMA IF EXISTS ", line) if line.startswith(b"DROP SCHEMA ") else b"\n"


def _is_known(line: bytes, server_major: int) -> bool:
    return all(server_major >= since for text, since in SETTINGS_SINCE.items() if line.startswith(text))
