"""Memory that a step frees is kept for the next one."""

from __future__ import annotations

import ctypes

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # glibc's malloc.h
NEVER = -1


def keep_freed_memory() -> None:
    """Let this process reuse what it frees instead of giving it back to the system; elsewhere than in glibc nothing.

    The gradient of a vocabulary is some hundred megabytes for each column of texts in each step. Fresh from the system
    they come a page at a time, zeroed once there and once more here: a sixth of a step of a small model.
    """
    try:
        options = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # macOS, musl, Windows
        return
    options(TRIM_THRESHOLD, NEVER)
    options(MMAP_MAX, 0)
