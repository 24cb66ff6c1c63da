"""Operations in plain Python: the commands are thin callers of what is here."""

from __future__ import annotations
