"""zstd, which Python itself has since 3.14."""

from __future__ import annotations

import gzip
import sys
import zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

__all__ = ["DAMAGE", "zstd"]

# What the libraries raise for content that is cut or changed.
DAMAGE = (EOFError, zstd.ZstdError, zlib.error, gzip.BadGzipFile)
