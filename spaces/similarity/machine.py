"""What this machine gives the Space: bytes of memory and cores, which may be less than the hardware has."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def memory(env: Mapping[str, str] = os.environ, cgroup: Path = CGROUP) -> int:
    """Bytes that this process and its like may fill: what the Hub says in MEMORY, the container's limit, or all."""
    said = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmg]?i?)b?", env.get("MEMORY", "").strip().lower())
    if said and said[2] in UNITS:
        return int(float(said[1]) * UNITS[said[2]])
    limits = [_number(cgroup / "memory.max"), _number(cgroup / "memory" / "memory.limit_in_bytes")]
    return min(int(limit) for limit in (*limits, _installed()) if limit)


def cores(env: Mapping[str, str] = os.environ, cgroup: Path = CGROUP) -> int:
    """Cores that may be kept busy, at least 1: what the Hub says in CPU_CORES, the container's share, or all."""
    if re.fullmatch(r"\d+(\.\d+)?", env.get("CPU_CORES", "")):
        return max(1, round(float(env["CPU_CORES"])))
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    share, whole = _number(cgroup / "cpu.max"), _number(cgroup / "cpu.max", 1)
    return max(1, min(known, round(share / whole))) if share and whole else known


def _number(file: Path, place: int = 0) -> float | None:
    """The number at this place of a file's only line; None where there is no file, or no limit."""
    try:
        return float(file.read_text("ascii").split()[place])
    except (OSError, ValueError, IndexError):  # "max": no limit
        return None


def _installed() -> int:
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 8 * 2**30  # Windows does not tell without more libraries; nobody serves a Space from it
