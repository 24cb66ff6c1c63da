"""Believable rows in any number, for measuring and for trying Forecourt out at size: `seed --scale N`.

The rows come in blocks of `ROWS_PER_BLOCK`. A block is a small marketplace of its own: people, sellers, their stock,
what was asked about it and how it was looked at. Only the category tree, the languages and the clock are shared, so
that memory holds a few blocks at a time, however many there are.
"""

from __future__ import annotations

from config.ops.scale.run import LARGEST_SCALE, LARGEST_SEED, ROWS_PER_BLOCK, run_scale

__all__ = ["LARGEST_SCALE", "LARGEST_SEED", "ROWS_PER_BLOCK", "run_scale"]
