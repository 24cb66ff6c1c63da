"""Reading environment variables strictly: what cannot be understood stops the start and says what to write.

Libraries tend to read a typo in a switch as "off"; here every reader raises ``ImproperlyConfigured`` with the
variable's name. An empty variable counts as absent, so that a line such as ``REDIS_URL=`` in a file means "not set".
"""

from __future__ import annotations

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """Return the variable's text without surrounding blanks, or `default` when it is absent or empty."""
    return os.environ.get(name, "").strip() or default


def secret(name: str, default: str = "") -> str:
    """Return a secret from the variable, or from the file that ``<name>_FILE`` names.

    Raises ImproperlyConfigured when both are given or the file cannot be read.
    """
    file_variable = f"{name}_FILE"
    path = text(file_variable)
    if not path:
        return text(name, default)
    if text(name):
        raise ImproperlyConfigured(f"{name} and {file_variable} are both set: keep one of them.")
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{file_variable}: cannot read {path}: {error.strerror}.") from error
    if not value:
        raise ImproperlyConfigured(f"{file_variable}: {path} is empty; write the secret into it.")
    return value


def readable_file(name: str) -> str:
    """Return the path in the variable, or '' when it is absent. Raises ImproperlyConfigured for an unreadable file."""
    path = text(name)
    if path:
        try:
            Path(path).open(encoding="utf-8").close()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}: cannot read {path}: {error.strerror}.") from error
    return path


def boolean(name: str, default: bool) -> bool:
    """Return a switch. Raises ImproperlyConfigured for anything but true and false (yes/no, on/off, 1/0)."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"true", "yes", "on", "1"}:
        return True
    if value in {"false", "no", "off", "0"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false: write true or false.")


def integer(name: str, default: int, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
    """Return a whole number within the bounds. Raises ImproperlyConfigured for anything else."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        number = minimum - 1
    if not minimum <= number <= maximum:
        raise ImproperlyConfigured(f"{name}={value!r}: write a whole number from {minimum} to {maximum}.")
    return number


def optional_integer(name: str, *, minimum: int = 0, maximum: int = 2**31 - 1) -> int | None:
    """Return a whole number within the bounds, or None when the variable is absent."""
    return integer(name, minimum, minimum=minimum, maximum=maximum) if text(name) else None


def choice(name: str, options: tuple[str, ...], default: str) -> str:
    """Return one of `options`, in any case. Raises ImproperlyConfigured for another word."""
    value = text(name, default).lower()
    if value not in options:
        raise ImproperlyConfigured(f"{name}={value!r}: write one of {', '.join(options)}.")
    return value


def items(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Return a comma-separated list without empty entries."""
    return [item.strip() for item in text(name).split(",") if item.strip()] or list(default)


def networks(name: str) -> list[IPv4Network | IPv6Network]:
    """Return a comma-separated list of networks; a single address is a network of one. Raises ImproperlyConfigured."""
    try:
        return [ip_network(item) for item in items(name)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}; write networks such as 192.0.2.0/24.") from error
