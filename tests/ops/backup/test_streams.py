from __future__ import annotations

import gzip
import io
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from config.db.errors import Refused
from config.ops.backup import passphrase as passphrases
from config.ops.backup.compression import zstd
from config.ops.backup.encryption import Keys, Lock, WrongKey, encrypt, make_lock, read_keys, read_passphrase
from config.ops.backup.manifest import Damaged
from config.ops.backup.streams import open_backup, plain_stream

PASSPHRASE = "correct horse battery staple"
SCRIPT = b"--\n-- PostgreSQL database dump\n--\n" + random.Random(1).randbytes(300_000).hex().encode()


def sealed(content: bytes, lock: Lock) -> bytes:
    into = io.BytesIO()
    encrypt(io.BytesIO(content), into, lock)
    return into.getvalue()


@pytest.fixture(scope="module")
def identity_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("keys") / "identity"
    file.write_text(f"# created by a test\n{pyrage.x25519.Identity.generate()}\n")
    return file


@pytest.fixture(scope="module")
def keys(identity_file: Path) -> Keys:
    return read_keys([identity_file], PASSPHRASE)


def wrapped(how: str, keys: Keys, content: bytes = SCRIPT) -> bytes:
    locks = {"age": make_lock([str(keys.identities[0].to_public())]), "passphrase": make_lock([], PASSPHRASE)}
    for layer in how.split("+"):
        if layer == "zstd":
            content = zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})
        elif layer == "gzip":
            content = gzip.compress(content)
        elif layer != "plain":
            content = sealed(content, locks[layer])
    return content


WRAPPINGS = ["plain", "zstd", "gzip", "age", "passphrase", "zstd+age", "zstd+passphrase", "gzip+age"]


@pytest.mark.parametrize("how", WRAPPINGS)
def test_every_wrapping_is_told_by_content_and_taken_off(tmp_path: Path, keys: Keys, how: str) -> None:
    file = tmp_path / "without any suffix"
    file.write_bytes(wrapped(how, keys))

    with open_backup(file, keys) as stream:
        assert stream.content == "sql"
        assert b"".join(stream.pieces()) == SCRIPT
        found = stream.layers
    assert list(found) == [
        "age" if layer == "passphrase" else layer for layer in reversed(how.split("+")) if layer != "plain"
    ]


@pytest.mark.parametrize("how", [how for how in WRAPPINGS if how != "plain"])
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, keys: Keys, how: str) -> None:
    whole, file = wrapped(how, keys), tmp_path / "backup"
    # Each try with a passphrase costs what a guess costs.
    parts = 4 if "passphrase" in how else 20
    lengths = [len(whole) * part // parts for part in range(1, parts)] + [len(whole) - 1]
    for length in lengths:
        file.write_bytes(whole[:length])
        with pytest.raises(Damaged), open_backup(file, keys) as stream:
            list(stream.pieces())


@pytest.mark.parametrize("how", ["zstd", "gzip", "age", "zstd+age"])
def test_a_flipped_bit_in_a_wrapping_is_refused(tmp_path: Path, keys: Keys, how: str) -> None:
    whole, file, chance = wrapped(how, keys), tmp_path / "backup", random.Random(7)
    for _ in range(30):
        changed = bytearray(whole)
        # A gzip header has bytes without a meaning, such as the time.
        changed[chance.randrange(10, len(whole))] ^= 1 << chance.randrange(8)
        file.write_bytes(changed)
        with pytest.raises(Refused), open_backup(file, keys) as stream:
            list(stream.pieces())


def test_what_follows_the_end_is_no_part_of_a_backup(tmp_path: Path, keys: Keys) -> None:
    for how in ("zstd", "gzip", "age", "passphrase"):
        file = tmp_path / how
        file.write_bytes(wrapped(how, keys) + b"something else")
        with pytest.raises(Damaged), open_backup(file, keys) as stream:
            list(stream.pieces())


@pytest.mark.parametrize(("head", "content"), [(b"PGDMP\x01\x0e", "custom"), (b"SQLite format 3\x00", "sqlite")])
def test_archives_and_database_files_are_told_apart(head: bytes, content: str) -> None:
    with plain_stream(io.BytesIO(head), name="standard input") as stream:
        assert stream.content == content


@pytest.mark.parametrize(("content", "reason"), [(b"", "is empty"), (b"\x89PNG\r\n\x1a\n", "begins as none")])
def test_what_is_no_backup_is_refused(content: bytes, reason: str) -> None:
    with (
        pytest.raises(Refused, match=f"standard input {reason}"),
        plain_stream(io.BytesIO(content), name="standard input"),
    ):
        pass


def test_wrappings_without_end_are_refused() -> None:
    content = SCRIPT
    for _ in range(6):
        content = gzip.compress(content)

    with pytest.raises(Refused, match="more than 4 times"), plain_stream(io.BytesIO(content), name="it"):
        pass


def test_a_pipe_is_read_as_a_file_is(keys: Keys) -> None:
    read_end, write_end = os.pipe()

    def feed() -> None:
        with os.fdopen(write_end, "wb", buffering=0) as pipe:
            data = wrapped("zstd+age", keys)
            for begin in range(0, len(data), 700):
                pipe.write(data[begin : begin + 700])

    feeder = threading.Thread(target=feed)
    feeder.start()
    with os.fdopen(read_end, "rb", buffering=0) as pipe, plain_stream(pipe, name="standard input", keys=keys) as stream:
        assert b"".join(stream.pieces()) == SCRIPT
    feeder.join()


def test_a_reader_that_stops_early_leaves_no_thread_behind(tmp_path: Path, keys: Keys) -> None:
    file = tmp_path / "backup"
    file.write_bytes(wrapped("age", keys, SCRIPT * 20))
    before = threading.active_count()

    with open_backup(file, keys) as stream:
        stream.read(10)

    assert threading.active_count() == before


@pytest.mark.parametrize("how", ["age", "passphrase"])
def test_a_wrong_key_and_a_missing_key_are_told_apart(tmp_path: Path, keys: Keys, how: str) -> None:
    file = tmp_path / "backup"
    file.write_bytes(wrapped(how, keys))

    with (
        pytest.raises(WrongKey, match="stays closed"),
        open_backup(file, Keys((pyrage.x25519.Identity.generate(),), "x")),
    ):
        pass
    with pytest.raises(Refused, match="give"), open_backup(file):
        pass


def test_each_of_several_recipients_opens_the_backup(tmp_path: Path) -> None:
    secret = Ed25519PrivateKey.generate()
    ssh_file = tmp_path / "id_ed25519"
    ssh_file.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    public = secret.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    other = pyrage.x25519.Identity.generate()
    lock = make_lock([public, str(other.to_public())])
    data = sealed(SCRIPT, lock)

    assert lock.kinds == ("ssh", "X25519")
    for keys in (read_keys([ssh_file]), Keys((other,))):
        with plain_stream(io.BytesIO(data), name="it", keys=keys) as stream:
            assert b"".join(stream.pieces()) == SCRIPT


@pytest.mark.parametrize("size", [0, 65535, 65536, 65537, 131072])
def test_a_passphrase_file_of_ours_opens_with_the_library(size: int) -> None:
    content = random.Random(size).randbytes(size)

    assert pyrage.passphrase.decrypt(sealed(content, make_lock([], PASSPHRASE)), PASSPHRASE) == content


def test_a_passphrase_file_of_the_library_opens_here() -> None:
    content, into = random.Random(1).randbytes(2 * 65536), io.BytesIO()

    passphrases.decrypt(io.BytesIO(pyrage.passphrase.encrypt(content, PASSPHRASE)), into, PASSPHRASE)

    assert into.getvalue() == content


def test_a_header_that_asks_for_all_our_memory_is_refused() -> None:
    data = sealed(SCRIPT, make_lock([], PASSPHRASE)).replace(b" 15\n", b" 30\n", 1)

    with pytest.raises(passphrases.BrokenFile):
        passphrases.decrypt(io.BytesIO(data), io.BytesIO(), PASSPHRASE)


def test_what_is_no_recipient_is_refused() -> None:
    for text in ("somebody@example.org", "age1short", "ssh-ed25519 AAAA"):
        with pytest.raises(Refused, match="is no recipient"):
            make_lock([text])


def test_a_secret_key_for_a_recipient_is_refused_and_not_repeated() -> None:
    secret = str(pyrage.x25519.Identity.generate())

    with pytest.raises(Refused, match="secret key") as refusal:
        make_lock([secret])

    assert secret not in str(refusal.value)


def test_a_short_passphrase_and_one_beside_recipients_are_refused() -> None:
    with pytest.raises(Refused, match="20 or more characters"):
        make_lock([], "summer2026")
    with pytest.raises(Refused, match="cannot hold both"):
        make_lock([str(pyrage.x25519.Identity.generate().to_public())], PASSPHRASE)


def test_a_file_without_identity_is_refused_and_its_content_not_repeated(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("hunter2-hunter2")

    with pytest.raises(Refused, match="holds no identity") as refusal:
        read_keys([file])
    assert "hunter2" not in str(refusal.value)
    with pytest.raises(Refused, match="No such file"):
        read_keys([tmp_path / "missing"])


def test_a_passphrase_is_read_without_the_line_end(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\n")
    assert read_passphrase(file) == PASSPHRASE

    file.write_text("\n")
    with pytest.raises(Refused, match="is empty"):
        read_passphrase(file)


READ_ALL = """
import sys
from pathlib import Path
from config.ops.backup.encryption import read_keys
from config.ops.backup.streams import open_backup
def peak():
    return int(next(l for l in open("/proc/self/status") if l.startswith("VmHWM")).split()[1])
before = peak()
with open_backup(Path(sys.argv[1]), read_keys([Path(sys.argv[2])])) as stream:
    print(sum(map(len, stream.pieces())), peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_reading_takes_the_same_memory_at_any_size(tmp_path: Path, identity_file: Path, keys: Keys) -> None:
    file = tmp_path / "backup"
    file.write_bytes(wrapped("zstd+age", keys, b"PGDMP" + random.Random(1).randbytes(100 << 20)))

    # Random, so that it is as large on disk as it says.
    read = [sys.executable, "-c", READ_ALL, str(file), str(identity_file)]
    size, growth = subprocess.run(read, capture_output=True, text=True, check=True).stdout.split()

    assert int(size) == (100 << 20) + 5
    assert int(growth) < 20_000  # KiB


def test_each_flipped_bit_under_a_passphrase_is_refused() -> None:
    whole = bytearray(sealed(b"--" * 10, make_lock([], PASSPHRASE)))
    for offset in (30, 80, 120, len(whole) - 30, len(whole) - 1):
        changed = whole.copy()
        changed[offset] ^= 4
        with pytest.raises(Refused), plain_stream(io.BytesIO(changed), name="it", keys=Keys((), PASSPHRASE)) as stream:
            list(stream.pieces())
