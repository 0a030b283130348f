"""Words with their full diacritics, as they are written by hand in `words/diacritised.txt`."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=1)
def diacritised() -> tuple[str, ...]:
    """Every such word once."""
    return ("كِتَاب", "مُجَلَّد", "سِفْر")
