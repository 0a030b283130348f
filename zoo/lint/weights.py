"""Reads what weights and tables say of themselves: headers of safetensors and Parquet, never their contents."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass

from zoo.lint.files import File

LONGEST_HEADER = 50_000_000  # bytes; safetensors itself refuses more than 100 MB
DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True)
class Header:
    """Facts from the header of a safetensors file."""

    parameters: int
    dtypes: Counter[str]
    """The number of parameters of each dtype, in safetensors' names."""


def safetensors(file: File) -> Header | None:
    """Read the header of a safetensors file; None: it is none (a pointer of git LFS, or something broken)."""
    length = int.from_bytes(file.head(8), "little")
    if not 2 <= length <= min(LONGEST_HEADER, file.size - 8):
        return None
    try:
        tensors = json.loads(file.head(length, 8))
        tensors.pop("__metadata__", None)
        counts = [(str(one["dtype"]), math.prod(int(side) for side in one["shape"])) for one in tensors.values()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    dtypes: Counter[str] = Counter()
    for dtype, count in counts:
        dtypes[dtype] += count
    total = sum(dtypes.values())
    return Header(total, dtypes) if total <= 8 * file.size else None  # more values than bits: not what it says it is


def parquet_rows(file: File) -> int | None:
    """Return the rows of a Parquet file from its footer alone; None: it is not a Parquet file."""
    tail = file.head(8, -8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"PAR1" or not 0 < length <= min(LONGEST_HEADER, file.size - 8):
        return None
    import io

    import pyarrow
    import pyarrow.parquet as parquet

    try:
        return int(parquet.read_metadata(io.BytesIO(b"PAR1" + file.head(length + 8, -length - 8))).num_rows)
    except (pyarrow.ArrowException, OSError):
        return None
