"""age files locked with a passphrase, as streams; pyrage does them in memory only.

The format is age-encryption.org/v1 with one scrypt stanza (https://c2sp.org/age): `age --decrypt` and pyrage open what
this writes, and what `age --passphrase` writes is opened here. The primitives are those of `cryptography`.
"""

from __future__ import annotations

import base64
import os
import re
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = b"age-encryption.org/v1\n"
SCRYPT_SALT = b"age-encryption.org/v1/scrypt"
CHUNK = 64 * 1024  # bytes of plain text that are sealed together
TAG = 16  # bytes that sealing adds
KEY = 16  # bytes of the key of one file
# scrypt takes 1 KiB times 2 to this power of memory: 32 MiB. Long passphrases are demanded, so more would add nothing.
WORK_FACTOR = 15
# Files of others may ask for more; beyond this, 1 GiB, they are taken for an attack on our memory.
HIGHEST_WORK_FACTOR = 20
LONGEST_HEADER = 4096
HEADER = re.compile(rb"age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n---")


class Reader(Protocol):
    """Anything that gives bytes; an empty answer is the end."""

    def read(self, size: int, /) -> bytes: ...


class Writer(Protocol):
    """Anything that takes bytes."""

    def write(self, data: bytes, /) -> object: ...


class WrongPassphrase(Exception):
    """The passphrase does not open the file."""


class BrokenFile(Exception):
    """The file is no age file with a passphrase, was changed, or is cut."""


def encrypt(plain: Reader, sealed: Writer, passphrase: str) -> None:
    """Seal everything that `plain` gives. Raises what the reader and the writer raise."""
    file_key, salt = os.urandom(KEY), os.urandom(16)
    wrapped = ChaCha20Poly1305(_wrap_key(passphrase, salt, WORK_FACTOR)).encrypt(bytes(12), file_key, None)
    header = VERSION + b"-> scrypt %s %d\n%s\n---" % (_text(salt), WORK_FACTOR, _text(wrapped))
    mac = _mac(file_key, header)
    sealed.write(header + b" " + _text(mac.finalize()) + b"\n")
    nonce = os.urandom(16)
    sealed.write(nonce)
    cipher = ChaCha20Poly1305(_derived(file_key, b"payload", salt=nonce))
    for number, (chunk, last) in enumerate(_chunks(plain, CHUNK)):
        sealed.write(cipher.encrypt(_chunk_nonce(number, last=last), chunk, None))


def decrypt(sealed: Reader, plain: Writer, passphrase: str) -> None:
    """Open everything that `sealed` gives. Raises WrongPassphrase or BrokenFile, possibly after some was written."""
    file_key = _file_key(sealed, passphrase)
    nonce = _exactly(sealed, 16)
    cipher = ChaCha20Poly1305(_derived(file_key, b"payload", salt=nonce))
    for number, (chunk, last) in enumerate(_chunks(sealed, CHUNK + TAG)):
        if last and number and len(chunk) == TAG:
            raise BrokenFile("it ends with an empty part")
        try:
            plain.write(cipher.decrypt(_chunk_nonce(number, last=last), chunk, None))
        except InvalidTag as error:
            raise BrokenFile("a part was changed, or the end is missing") from error


def _chunks(source: Reader, size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut a stream into pieces of one size and tell which is the last; an empty stream is one empty piece."""
    chunk = _up_to(source, size)
    while True:
        following = _up_to(source, size) if len(chunk) == size else b""
        yield chunk, not following
        if not following:
            return
        chunk = following


def _file_key(sealed: Reader, passphrase: str) -> bytes:
    header = b""
    while not (header.endswith(b"\n") and b"\n--- " in header):
        header += _exactly(sealed, 1)
        if len(header) > LONGEST_HEADER:
            raise BrokenFile("it does not begin as an age file does")
    found = HEADER.match(header)
    if not found or int(found[2]) > HIGHEST_WORK_FACTOR:
        raise BrokenFile("its header is not that of an age file with a passphrase")
    key = _wrap_key(passphrase, _bytes(found[1]), int(found[2]))
    try:
        file_key = ChaCha20Poly1305(key).decrypt(bytes(12), _bytes(found[3]), None)
    except InvalidTag as error:
        raise WrongPassphrase from error
    try:
        _mac(file_key, found[0]).verify(_bytes(header[found.end() :].strip()))
    except (InvalidSignature, ValueError) as error:
        raise BrokenFile("its header was changed") from error
    return file_key


def _wrap_key(passphrase: str, salt: bytes, work_factor: int) -> bytes:
    scrypt = Scrypt(salt=SCRYPT_SALT + salt, length=32, n=1 << work_factor, r=8, p=1)
    return scrypt.derive(passphrase.encode())


def _derived(file_key: bytes, purpose: bytes, *, salt: bytes = b"") -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(file_key)


def _mac(file_key: bytes, header: bytes) -> HMAC:
    mac = HMAC(_derived(file_key, b"header"), SHA256())
    mac.update(header)
    return mac


def _chunk_nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _text(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _bytes(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


def _up_to(source: Reader, size: int) -> bytes:
    pieces, missing = [], size
    while missing and (piece := source.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _exactly(source: Reader, size: int) -> bytes:
    data = _up_to(source, size)
    if len(data) < size:
        raise BrokenFile("it is cut")
    return data
