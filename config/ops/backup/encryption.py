"""Who can open a backup: recipients and passphrases to lock with, identities and passphrases to open with.

The format is age (https://age-encryption.org), so that the program of that name opens a backup as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from config.db.errors import Refused
from config.ops.backup import passphrase as passphrases
from config.ops.backup.passphrase import Reader, Writer

SHORTEST_PASSPHRASE = 20
GOOD_ONE = "what `openssl rand -base64 32` prints is a good one"


@dataclass(frozen=True, slots=True)
class Lock:
    """What a backup is locked with: recipients' public keys, or one passphrase. Falsy when it is not locked at all."""

    recipients: tuple[Any, ...] = ()
    kinds: tuple[str, ...] = ()
    passphrase: str = ""

    def __bool__(self) -> bool:
        return bool(self.kinds)


@dataclass(frozen=True, slots=True)
class Keys:
    """What backups can be opened with."""

    identities: tuple[Any, ...] = ()
    passphrase: str = ""


class WrongKey(Refused):
    """None of the keys opens the backup."""


def make_lock(recipients: list[str], passphrase: str = "") -> Lock:
    """Return what to lock with. Raises Refused for what is no public key, and for a passphrase beside them."""
    if recipients and passphrase:
        raise Refused("Encrypt either to recipients or with a passphrase: the format cannot hold both.")
    if passphrase:
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise Refused(
                f"The passphrase needs {SHORTEST_PASSPHRASE} or more characters, because whoever has the backup can "
                f"guess as often as they like: {GOOD_ONE}."
            )
        return Lock(kinds=("passphrase",), passphrase=passphrase)
    parsed = [_recipient(text.strip()) for text in recipients]
    return Lock(tuple(key for key, _ in parsed), tuple(kind for _, kind in parsed))


def _recipient(text: str) -> tuple[Any, str]:
    if text.startswith("AGE-SECRET-KEY-"):
        raise Refused("That is a secret key. Give its public key, which begins with age1; `age-keygen -y` prints it.")
    try:
        if text.startswith("ssh-"):
            return pyrage.ssh.Recipient.from_str(text), "ssh"
        return pyrage.x25519.Recipient.from_str(text), "X25519"
    except pyrage.RecipientError as error:
        raise Refused(
            f"{text!r} is no recipient: write an age public key (age1...) or an SSH public key (ssh-ed25519 ...)."
        ) from error


def read_keys(identity_files: list[Path], passphrase: str = "") -> Keys:
    """Read identities from files of `age-keygen` or `ssh-keygen`. Raises Refused, never repeating their content."""
    return Keys(tuple(key for file in identity_files for key in _identities(file)), passphrase)


def _identities(file: Path) -> list[Any]:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Refused(f"The identity file {file} cannot be read: {error.strerror}.") from error
    try:
        if b"PRIVATE KEY-----" in content:
            return [pyrage.ssh.Identity.from_buffer(content)]
        lines = [line.strip() for line in content.decode().splitlines()]
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except (pyrage.IdentityError, UnicodeDecodeError):
        keys = []
    if not keys:
        raise Refused(f"{file} holds no identity: it must be a file of `age-keygen` or an SSH key without passphrase.")
    return keys


def read_passphrase(file: Path) -> str:
    """Return the passphrase in a file, without surrounding blanks. Raises Refused when there is none."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise Refused(f"The passphrase file {file} cannot be read: {reason}.") from error
    if not text:
        raise Refused(f"The passphrase file {file} is empty: {GOOD_ONE}.")
    return text


def encrypt(plain: Reader, sealed: Writer, lock: Lock) -> None:
    """Lock everything that `plain` gives. Raises OSError when reading or writing fails."""
    if lock.passphrase:
        passphrases.encrypt(plain, sealed, lock.passphrase)
        return
    try:
        pyrage.encrypt_io(plain, sealed, list(lock.recipients))
    except pyrage.EncryptError as error:
        raise OSError(str(error)) from error


def decrypt(sealed: Reader, plain: Writer, keys: Keys, *, by_passphrase: bool) -> None:
    """Open everything that `sealed` gives. Raises WrongKey, or ValueError when it is damaged; some may be written."""
    try:
        if by_passphrase:
            passphrases.decrypt(sealed, plain, keys.passphrase)
        else:
            pyrage.decrypt_io(sealed, plain, list(keys.identities))
    except passphrases.WrongPassphrase as error:
        raise WrongKey("The passphrase does not open it.") from error
    except passphrases.BrokenFile as error:
        raise ValueError(str(error)) from error
    except pyrage.DecryptError as error:
        if "No matching keys" in str(error):
            raise WrongKey("None of the identities opens it.") from error
        raise ValueError(str(error)) from error
    except OSError as error:
        # pyrage says so when a part does not agree with its seal, or the last one is missing.
        raise ValueError(str(error)) from error
