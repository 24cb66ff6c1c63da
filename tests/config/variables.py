"""What the example file, the guide and the code say about variables, read from their text."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
READERS = {"text", "secret", "boolean", "integer", "optional_integer", "choice", "items", "networks", "readable_file"}
OWN_READERS = {"_required_secret", "_side_database"}


@dataclass(frozen=True)
class Variable:
    """One variable as people see it."""

    name: str
    default: str
    meaning: str


def example_variables() -> list[Variable]:
    """Return what .env.example lists; a variable's meaning is the comment lines right above it."""
    found, comment = [], []
    for line in (PROJECT / ".env.example").read_text().splitlines():
        if line.startswith("# "):
            comment.append(line.removeprefix("# "))
            continue
        if line:
            name, _, default = line.partition("=")
            found.append(Variable(name, default, " ".join(comment)))
        comment = []
    return found


def guide_table() -> str:
    """Return the table of docs/configuration.md that belongs to the example file."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for variable in example_variables():
        default = f"`{variable.default}`" if variable.default else ""
        rows.append(f"| `{variable.name}` | {default} | {variable.meaning} |")
    return "\n".join(rows)


def variables_in_code() -> set[str]:
    """Return the names that the code reads, found in its syntax, so that rarely taken branches count as well."""
    names = set()
    for path in (PROJECT / "config").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                reads = isinstance(node.func, ast.Attribute) and (
                    isinstance(node.func.value, ast.Name) and node.func.value.id == "env" and node.func.attr in READERS
                )
                if reads or (isinstance(node.func, ast.Name) and node.func.id in OWN_READERS):
                    names.add(str(node.args[0].value))
    return names
