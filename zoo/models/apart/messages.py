"""What our process and one that runs code of others say to each other: JSON, and tensors as safetensors.

Neither of them can run anything when it is read, as a pickle could.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

BYTES_OF_A_LENGTH = 8
MOST = 2**30  # bytes of a part: far more than a batch has, and no more than we can hold while code of others sends it


class GarbledError(ValueError):
    """An answer that is no message."""


@dataclass(frozen=True)
class Message:
    """Something that one process says to the other."""

    facts: dict[str, Any]
    tensors: dict[str, Tensor] = field(default_factory=dict)


def write_message(file: BinaryIO, facts: Mapping[str, Any], tensors: Mapping[str, Tensor] | None = None) -> None:
    """Write a message.

    Args:
        facts: what JSON can hold.
        tensors: on whichever device.
    """
    parts = (json.dumps(facts).encode(), save(_plain(tensors)) if tensors else b"")
    for part in parts:
        file.write(len(part).to_bytes(BYTES_OF_A_LENGTH, "little") + part)
    file.flush()


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the CPU: safetensors takes none that share memory."""
    return {name: one.detach().cpu().clone(memory_format=torch.contiguous_format) for name, one in tensors.items()}


def read_message(file: BinaryIO) -> Message | None:
    """Read a message, with tensors on the CPU; None: the other process has closed its end.

    Raises:
        GarbledError: it is none.
    """
    parts = (_part(file), _part(file))
    if parts[0] is None or parts[1] is None:
        return None
    try:
        facts = json.loads(parts[0])
        tensors = load(parts[1]) if parts[1] else {}
    except (ValueError, RecursionError, SafetensorError) as error:
        raise GarbledError(str(error)) from None
    if not isinstance(facts, dict):
        raise GarbledError("no object")
    return Message(facts, tensors)


def _part(file: BinaryIO) -> bytes | None:
    head = file.read(BYTES_OF_A_LENGTH)
    if (length := int.from_bytes(head, "little")) > MOST:
        raise GarbledError(f"{length} bytes")
    try:
        found = file.read(length)
    except MemoryError:
        raise GarbledError(f"{length} bytes") from None
    return found if len(head) == BYTES_OF_A_LENGTH and len(found) == length else None
