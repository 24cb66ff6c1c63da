"""What was found in the rows: counted row by row, told as it is found, and kept in a report."""

from __future__ import annotations

import fcntl
import json
import os
import re
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.db.errors import Refused
from config.redaction import HIDDEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.ops.transfer.layout import Finding

# What is longer is cut, in characters or bytes.
LONGEST_VALUE = 200
SHOWN_START = 80

# What SQLite keeps beside a database; rows may be in it that are nowhere else.
BESIDE = ("-wal", "-shm", "-journal")
# How reports begin, line by line; a line is as long as the name of the source makes it.
BEGINNING = (b'{"source": ', b'"layout": ')
LONGEST_LINE = 65_536  # bytes
# What a report is called until it is whole.
PREFIX, SUFFIX = ".report-", ".unfinished"

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Tally:
    """What became of the rows of one table: every row is counted once, by the worst that was said of it."""

    table: str
    rows: int
    """As the source itself counts them."""
    moved: int = 0
    noted: int = 0
    left_out: int = 0
    bad: int = 0
    hanging: int = 0
    """Rows that are sound themselves but hang on a bad one."""

    @property
    def accounted(self) -> int:
        return self.moved + self.noted + self.left_out + self.bad + self.hanging


@dataclass(slots=True)
class Findings:
    """Takes every finding to the report and to whoever watches, and knows what was said of the row in hand."""

    report: Report | None = None
    watch: Callable[[Finding], None] = lambda finding: None
    notes: int = 0
    bad: int = 0
    fresh: bool = False
    """Whether something was said of the row in hand."""
    row_is_bad: bool = False
    row_hangs: bool = False
    in_row: bool = False
    early: dict[str, set[str]] = field(default_factory=dict)
    """The ids of rows that were noted before their table's turn came."""

    def add(self, finding: Finding) -> None:
        """Take one finding."""
        if finding.outcome == "bad":
            self.bad += 1
            self.row_hangs = self.row_hangs or bool(finding.because_of)
            self.row_is_bad = self.row_is_bad or not finding.because_of
        else:
            self.notes += 1
        if self.in_row:
            self.fresh = True
        elif finding.outcome == "note":
            self.early.setdefault(finding.table, set()).add(finding.id)
        if self.report is not None:
            self.report.add(finding)
        self.watch(finding)

    def next_row(self) -> None:
        """Forget what was said of the row in hand."""
        self.fresh = self.row_is_bad = self.row_hangs = False


class WrongReport(Refused):
    """The report would take the place of something else."""


def refuse_unfit_report(report: Path, *databases: Path) -> None:
    """Raise WrongReport when the report would overwrite one of the databases or anything but an earlier report."""
    for database in databases:
        # SQLite writes beside the file that a link leads to.
        files = [f"{place}{suffix}" for place in (database, _place(database)) for suffix in ("", *BESIDE)]
        if any(_is_same(report, Path(file)) for file in files):
            raise WrongReport(f"The report {report} would overwrite {database} or its log: name another file.")
    try:
        status = report.stat()
        if not stat.S_ISREG(status.st_mode):
            raise WrongReport(f"The report {report} is there already and is no regular file: name another one.")
        with report.open("rb") as earlier:
            is_report = all(earlier.readline(LONGEST_LINE).startswith(begin) for begin in BEGINNING)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise WrongReport(f"The report {report} cannot be looked at: {error.strerror}.") from error
    if not is_report:
        raise WrongReport(f"{report} is there already and is no report of an earlier run: name another file.")


def _place(path: Path) -> Path:
    """Return where a path leads; unlike `resolve` this never fails."""
    return Path(os.path.realpath(path))


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):
        # Hard links have names of their own.
        if one.samefile(other):
            return True
    return _place(one) == _place(other)


class Report:
    """A JSON document that is written finding by finding and appears under its name only when it is whole."""

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        """Begin the report. Raises Refused when it cannot be written."""
        self.path = path
        # A link goes on leading to the report.
        self._place = _place(path)
        self._separator = "\n  "
        try:
            _remove_abandoned(self._place.parent)
            descriptor, name = _locked_file(self._place.parent)
        except OSError as error:
            raise self._refusal(error) from error
        self._unfinished = Path(name)
        # Until it has its name, or is gone.
        self._lock = os.dup(descriptor)
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")
        self._write("".join(f"{json.dumps(key)}: {_json(value)},\n" for key, value in header.items()), start="{")
        self._write('"findings": [')

    def add(self, finding: Finding) -> None:
        """Write one finding. Raises Refused when the disk does not take it."""
        self._write(self._separator + _json(as_dict(finding)))
        self._separator = ",\n  "

    def finish(self, summary: dict[str, Any]) -> None:
        """Write the rest and make it last; the file still has a temporary name."""
        try:
            self._file.write(f'\n],\n"summary": {_json(summary, indent=1)}}}\n')
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._refusal(error) from error

    def publish(self) -> None:
        """Give the report its name."""
        try:
            self._unfinished.replace(self._place)
        except OSError as error:
            raise self._refusal(error) from error

    def discard(self) -> None:
        """Remove what was written, unless it was published."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._unfinished.unlink(missing_ok=True)
        with suppress(OSError):
            os.close(self._lock)

    def _write(self, text: str, *, start: str = "") -> None:
        try:
            self._file.write(start + text)
        except OSError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: OSError) -> Refused:
        return Refused(f"The report {self.path} cannot be written: {error.strerror}.")


def _locked_file(folder: Path) -> tuple[int, str]:
    """Make a file for its owner only, since it holds values of rows, and lock it; a killed run lets go of the lock."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=PREFIX, suffix=SUFFIX, dir=folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, name
        # Another run took it for an abandoned one before we had the lock.
        os.close(descriptor)


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        # Those of others cannot be opened.
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(descriptor)


def as_dict(finding: Finding) -> dict[str, Any]:
    """Return the finding with plain types, long values cut and secrets hidden."""
    entry = {
        "outcome": finding.outcome,
        "table": finding.table,
        "id": shown(finding.id),
        "column": finding.column,
        "reason": finding.reason,
        "message": finding.message,
        "value": HIDDEN if finding.secret else shown(finding.value),
    }
    if finding.outcome == "note":
        entry["moved_as"] = HIDDEN if finding.secret else shown(finding.moved_as)
    if finding.because_of:
        entry["because_of"] = finding.because_of
    return entry


def sentence(finding: Finding) -> str:
    """Return the finding as one line for people; what a terminal would obey is escaped."""
    value = HIDDEN if finding.secret else shown(finding.value)
    # repr escapes every character that is not printable.
    row = f"{finding.table} {_plain(finding.id)}{f' {finding.column}' if finding.column else ''}"
    holds = f" (it holds {value!r})" if value is not None else ""
    return f"{row}: {_plain(finding.message)}{holds}"


def shown(value: Any) -> Any:
    """Return a value of the source as JSON can tell it: bytes as hexadecimal digits, what is long cut."""
    if isinstance(value, str):
        if _SURROGATE.search(value):
            return shown(_bytes(value))
        if len(value) > LONGEST_VALUE:
            return {"text": value[:SHOWN_START], "characters": len(value)}
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return {"hex": bytes(value[:SHOWN_START]).hex(), "bytes": len(value)}
    if value is None or isinstance(value, bool | int):
        return value
    return value if isinstance(value, float) and value - value == 0 else str(value)


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        # Half a character that no undecodable byte stands for; JSON can name one.
        return text.encode("utf-8", "surrogatepass")


def _plain(text: str) -> str:
    return text if text.isprintable() else repr(text)


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent, default=str)
