"""What a training runs on, as a card may say it: kinds and sizes, and no name of a machine."""

from __future__ import annotations

import platform
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import torch


def hardware(device: str, processes: int = 1) -> dict[str, Any]:
    """{cpu, cores, threads, memory in bytes, system}, and where they train {gpus: names}, {processes: more than one}.

    Args:
        device: 'cpu', 'cuda', 'mps' or 'xpu'.
    """
    return {
        "device": device,
        "cpu": processor(),
        "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
        **({"gpus": _gpus()} if device == "cuda" else {}),
        **({"processes": processes} if processes > 1 else {}),
    }


def _gpus() -> list[str]:
    return [torch.cuda.get_device_name(place) for place in range(torch.cuda.device_count())]


def processor() -> str:
    """The processor's model, e.g. 'AMD EPYC 9654 96-Core Processor'; where it is not known, its kind ('arm64')."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    if platform.system() == "Darwin":
        with suppress(OSError, subprocess.SubprocessError):
            found = subprocess.run(
                ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=True
            )
            return found.stdout.strip()
    return platform.processor() or platform.machine()
