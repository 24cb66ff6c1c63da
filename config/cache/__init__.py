"""Cached reads, and what ends them: `docs/caching.md` tells how to use it.

`cached` answers out of the cache or builds the answer, `families` names every kind of answer with its time, and
`watch` ties a table to them. The cache is never the truth: without it everything works, only slower.
"""

from __future__ import annotations

from config.cache import families
from config.cache.reads import cached, uncached
from config.cache.warming import warms
from config.cache.writes import invalidate, row_written, touching, watch

__all__ = ["cached", "families", "invalidate", "row_written", "touching", "uncached", "warms", "watch"]
